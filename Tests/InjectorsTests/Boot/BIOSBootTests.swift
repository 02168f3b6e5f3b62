import Guest
import GuestTesting
import Synchronization
import Testing

@testable import Injectors

/// A UEFI guest on a GPT disk, of which only the ends are in memory.
private final class UEFIGuest {
    static let rootID = "aaaaaaaa-0000-0000-0000-000000000001"
    let files = MemoryGuest(["/boot/grub/grub.cfg": "menuentry 'Debian' {\n}\n"])
    var table: GPT
    var inspection: Inspection
    let disk: SparseDisk

    static let system = GPT.Entry(
        number: 1, type: GPT.efiSystem, id: GUID("11111111-2222-3333-4444-555555555555"), firstSector: 2048,
        lastSector: 1_050_623, name: "EFI System")
    static func root(_ first: UInt64 = 1_050_624, _ last: UInt64) -> GPT.Entry {
        GPT.Entry(
            number: 2, type: GPT.linuxData, id: GUID("66666666-7777-8888-9999-aaaaaaaaaaaa"), firstSector: first,
            lastSector: last, name: "root")
    }

    /// - Parameters:
    ///   - sectors: of the disk, as the table knows it.
    ///   - grownBy: sectors that the disk has behind them.
    init(
        sectors: UInt64 = 20_971_520, grownBy: UInt64 = 0, firstUsable: UInt64 = 34, entries: [GPT.Entry]? = nil,
        bootLoader: BootLoader = .grub2(configuration: "/boot/grub/grub.cfg", prefix: "/boot/grub"),
        root: FileSystem? = nil, mounts: [Mount] = [Mount(path: "/", device: "/dev/sda2", type: "ext4", free: 1 << 30)]
    ) {
        table = GPT(
            diskSectors: sectors, firstUsable: firstUsable,
            entries ?? [Self.system, Self.root(1_050_624, sectors - 34 - 2014)])
        disk = SparseDisk(sectors: sectors + grownBy)
        disk.write(0, Array(table.firstSectors[..<512]))
        for edit in table.edits(disk: 0) { disk.write(edit.firstSector, edit.bytes) }
        inspection = .sample(
            disks: [
                GuestDisk(
                    index: 0, device: "/dev/sda", size: (sectors + grownBy) * 512, table: .gpt(table),
                    hasBootCode: false)
            ],
            fileSystems: [
                FileSystem(device: "/dev/sda1", type: "vfat", uuid: "AAAA-0001"),
                root ?? FileSystem(device: "/dev/sda2", type: "ext4", uuid: Self.rootID),
            ], mounts: mounts, bootLoader: bootLoader)
    }

    func plan(_ grub: FakeGrub = FakeGrub()) throws -> Plan {
        var draft = Draft(over: files, disks: disk)
        let injector = BIOSBoot(grub: grub.grub)
        draft.injector = injector.name
        try injector.inject(into: &draft, guest: inspection)
        return try draft.plan()
    }

    /// Plans, applies, and expects that a second plan is empty.
    @discardableResult
    func convert(_ grub: FakeGrub = FakeGrub(), sourceLocation: SourceLocation = #_sourceLocation) throws -> Plan {
        let first = try plan(grub)
        guard first.blockers.isEmpty else {
            #expect(first.isEmpty, "a blocked plan has changes", sourceLocation: sourceLocation)
            return first
        }
        try files.apply(Plan(items: first.items.filter { $0.change.kind != "sectors" })) { _ in }
        for case .disk(let edit) in first.items.map(\.change) { disk.write(edit.firstSector, edit.bytes) }
        table = try GPT(sectors: disk.sectors(disk: 0, first: 0, count: 40))
        inspection.disks[0].table = .gpt(table)
        let second = try plan(grub)
        #expect(second.isEmpty, "the second plan: \(second.items.map(\.change.kind))", sourceLocation: sourceLocation)
        return first
    }

    /// The partition that was made.
    var biosBoot: GPT.Entry? { table.entries.first { $0.type == GPT.biosBoot } }
}

/// A GRUB whose core image says what it was made of.
final class FakeGrub: Sendable {
    private let made = Mutex<[BIOSGrub.Core]>([])
    let coreSize: Int

    init(coreSize: Int = 60_000) { self.coreSize = coreSize }

    var cores: [BIOSGrub.Core] { made.withLock { $0 } }

    var grub: BIOSGrub {
        var boot = [UInt8](repeating: 0xB0, count: 512)
        boot.replaceSubrange(0x180..<0x185, with: Array("GRUB ".utf8))
        return BIOSGrub(
            bootImage: boot, modules: ["normal.mod": [1, 2, 3], "command.lst": Array("*: x".utf8)]
        ) { [self] core in
            made.withLock { $0.append(core) }
            return [UInt8](repeating: 0xC0, count: coreSize)
        }
    }
}

struct BIOSBootTests {
    // MARK: Where the partition goes

    @Test func theGapInFrontOfTheFirstPartition() throws {
        let guest = UEFIGuest()
        try guest.convert()
        let made = try #require(guest.biosBoot)
        #expect(made.firstSector == 34 && made.lastSector == 2047)
        #expect(made.number == 3)
        #expect(guest.table.firstUsableSector == 34)
        #expect(guest.table.entries.count == 3)
    }

    @Test func aTableThatStartsAt2048IsWidened() throws {
        let guest = UEFIGuest(firstUsable: 2048)
        try guest.convert()
        #expect(guest.table.firstUsableSector == 34)
        #expect(try #require(guest.biosBoot).firstSector == 34)
    }

    @Test func aGapBehindTheLastPartition() throws {
        var system = UEFIGuest.system
        system.firstSector = 34
        let guest = UEFIGuest(entries: [system, UEFIGuest.root(1_050_624, 20_000_000)])
        try guest.convert()
        let made = try #require(guest.biosBoot)
        #expect(made.firstSector == 20_000_001 && made.sectorCount == 2048)
    }

    @Test func aSmallGapDoesWhereTheCoreFits() throws {
        var system = UEFIGuest.system
        system.firstSector = 34 + 118
        let guest = UEFIGuest(entries: [system, UEFIGuest.root(1_050_624, 20_971_520 - 34)])
        try guest.convert(FakeGrub(coreSize: 118 * 512))
        #expect(try #require(guest.biosBoot).sectorCount == 118)
        let full = UEFIGuest(entries: [system, UEFIGuest.root(1_050_624, 20_971_520 - 34)])
        #expect(try full.convert(FakeGrub(coreSize: 118 * 512 + 1)).blockers.count == 1)
    }

    @Test func aFullDiskBlocks() throws {
        var system = UEFIGuest.system
        system.firstSector = 34
        let guest = UEFIGuest(entries: [system, UEFIGuest.root(1_050_624, 20_971_520 - 34)])
        let plan = try guest.convert()
        #expect(plan.blockers.count == 1)
        #expect(plan.blockers.first?.message.contains("118 free sectors") == true)
        #expect(plan.blockers.first?.hint?.isEmpty == false)
    }

    @Test func aFullDiskThatWasGrownHasRoomAtItsEnd() throws {
        var system = UEFIGuest.system
        system.firstSector = 34
        let guest = UEFIGuest(
            grownBy: 4096, entries: [system, UEFIGuest.root(1_050_624, 20_971_520 - 34)])
        try guest.convert()
        let made = try #require(guest.biosBoot)
        #expect(made.firstSector == 20_971_520 - 33)
        #expect(guest.table.alternateSector == 20_971_520 + 4096 - 1)
        #expect(guest.table.lastUsableSector == 20_971_520 + 4096 - 34)
    }

    @Test func aGapBeforeAGrownEndIsPreferred() throws {
        let guest = UEFIGuest(grownBy: 4096)
        try guest.convert()
        #expect(try #require(guest.biosBoot).firstSector == 34)
        #expect(guest.table.alternateSector == 20_971_519)
    }

    @Test func aPartitionThatIsThereIsUsedAgain() throws {
        let old = GPT.Entry(
            number: 4, type: GPT.biosBoot, id: GPT.linuxData, firstSector: 34, lastSector: 2047, name: "old")
        let guest = UEFIGuest(
            entries: [UEFIGuest.system, UEFIGuest.root(1_050_624, 20_000_000), old])
        let plan = try guest.convert()
        #expect(guest.table.entries.count == 3)
        #expect(
            plan.items.compactMap { item in if case .disk(let edit) = item.change { edit.what } else { nil } }
                == ["GRUB core image", "GRUB boot sector"])
    }

    @Test func aPartitionThatIsTooSmallStaysAndAnotherIsMade() throws {
        let old = GPT.Entry(
            number: 4, type: GPT.biosBoot, id: GPT.linuxData, firstSector: 34, lastSector: 40, name: "small")
        let guest = UEFIGuest(entries: [UEFIGuest.system, UEFIGuest.root(1_050_624, 20_000_000), old])
        try guest.convert()
        #expect(guest.table.entries.filter { $0.type == GPT.biosBoot }.map(\.firstSector).sorted() == [34, 41])
    }

    @Test func aTableWithoutAFreeNumberBlocks() throws {
        let guest = UEFIGuest(
            entries: (1...128).map { number in
                GPT.Entry(
                    number: number, type: number == 1 ? GPT.efiSystem : GPT.linuxData, id: GPT.linuxData,
                    firstSector: 2048 + UInt64(number) * 8, lastSector: 2048 + UInt64(number) * 8 + 7, name: "")
            })
        #expect(try guest.convert().blockers.count == 1)
    }

    @Test func theSameDiskGivesTheSamePlan() throws {
        #expect(try UEFIGuest().plan() == UEFIGuest().plan())
        #expect(try UEFIGuest().convert().items.isEmpty == false)
    }

    // MARK: What is written

    @Test func theBootSectorKeepsSignatureAndTable() throws {
        let guest = UEFIGuest()
        let before = try guest.disk.sectors(disk: 0, first: 0, count: 1)
        try guest.convert()
        let after = try guest.disk.sectors(disk: 0, first: 0, count: 1)
        #expect(after[0x1B8...] == before[0x1B8...])
        #expect(after[0x1B8..<0x1BC].elementsEqual([0xDE, 0xC0, 0xAD, 0x0B]))
        // The core's first sector, the BIOS's drive, no override of it.
        #expect(LittleEndian(after).u64(0x5C) == 34)
        #expect(after[0x64] == 0xFF && after[0x66] == 0x90 && after[0x67] == 0x90)
        #expect(after[0x5B] == 0xB0 && after[0x65] == 0xB0)
        #expect(BIOSGrub.coreSector(of: after) == 34)
        #expect(BIOSGrub.coreSector(of: before) == nil)
    }

    @Test func theCoreKnowsWhereItsOtherSectorsAre() throws {
        let guest = UEFIGuest()
        try guest.convert(FakeGrub(coreSize: 1300))
        let core = try guest.disk.sectors(disk: 0, first: 34, count: 3)
        let bytes = LittleEndian(core)
        #expect(bytes.u64(0x1F4) == 35 && bytes.u16(0x1FC) == 2 && bytes.u16(0x1FE) == 0x0820)
        #expect(core[0x1F3] == 0xC0 && core[0x200] == 0xC0 && core[1299] == 0xC0 && core[1300] == 0)
    }

    @Test func theModulesLieBesideTheMenu() throws {
        let guest = UEFIGuest()
        let plan = try guest.convert()
        #expect(try guest.files.read("/boot/grub/i386-pc/normal.mod") == [1, 2, 3])
        #expect(
            plan.items.map(\.change.kind) == ["directory", "write", "write"] + [String](repeating: "sectors", count: 4))
        // The boot sector is the last word.
        guard case .disk(let edit)? = plan.items.last?.change else { return }
        #expect(edit.firstSector == 0)
    }

    @Test(
        .enabled(
            if: HostTool("sgdisk").isInstalled && HostTool("sfdisk").isInstalled, "gdisk or fdisk is not installed"))
    func othersFindTheTableGood() throws {
        for guest in [
            UEFIGuest(), UEFIGuest(firstUsable: 2048),
            UEFIGuest(
                grownBy: 4096,
                entries: [
                    GPT.Entry(
                        number: 1, type: GPT.efiSystem, id: GPT.linuxData, firstSector: 34, lastSector: 1_050_623,
                        name: ""), UEFIGuest.root(1_050_624, 20_971_520 - 34),
                ]),
        ] {
            try guest.convert()
            let scratch = try ScratchFolder()
            try guest.disk.save(to: scratch.file("disk"))
            let verdict = try HostTool("sgdisk").run(["-v", scratch.file("disk")])
            #expect(verdict.status == 0 && verdict.text.contains("No problems found"), "\(verdict.text)")
            let other = try HostTool("sfdisk").run(["--verify", scratch.file("disk")])
            #expect(other.status == 0 && other.text.contains("No errors detected"), "\(other.text)")
            let list = try HostTool("sfdisk").run(["--dump", scratch.file("disk")])
            #expect(list.text.uppercased().contains("TYPE=21686148-6449-6E6F-744E-656564454649"), "\(list.text)")
        }
    }

    // MARK: What the core has to read

    private func core(_ guest: UEFIGuest) throws -> BIOSGrub.Core {
        let grub = FakeGrub()
        try guest.convert(grub)
        return try #require(grub.cores.first)
    }

    @Test func aMenuOnTheRoot() throws {
        let core = try core(UEFIGuest())
        #expect(core.modules == ["biosdisk", "part_gpt", "part_msdos", "search_fs_uuid", "ext2"])
        #expect(core.prefix == "/boot/grub")
        #expect(
            core.earlyConfiguration
                == "search.fs_uuid \(UEFIGuest.rootID) root\nset prefix=($root)'/boot/grub'\n")
    }

    @Test func aSeparateBoot() throws {
        let guest = UEFIGuest(mounts: [
            Mount(path: "/", device: "/dev/vg/root", type: "xfs", free: 1 << 30),
            Mount(path: "/boot", device: "/dev/sda2", type: "ext4", free: 1 << 30),
        ])
        let core = try core(guest)
        #expect(core.prefix == "/grub")
        #expect(!core.modules.contains("lvm"))
    }

    @Test func aSubvolumeOfBtrfs() throws {
        let guest = UEFIGuest(
            root: FileSystem(device: "/dev/sda2", type: "btrfs", uuid: "b-uuid"),
            mounts: [Mount(path: "/", device: "/dev/sda2", type: "btrfs", subvolume: "@rootfs", free: 1 << 30)])
        let core = try core(guest)
        #expect(core.prefix == "/@rootfs/boot/grub")
        #expect(core.modules.last == "btrfs")
        #expect(core.earlyConfiguration.contains("set prefix=($root)'/@rootfs/boot/grub'"))
    }

    @Test func aLogicalVolume() throws {
        let guest = UEFIGuest(
            root: FileSystem(device: "/dev/vg/root", type: "xfs", uuid: "x-uuid"),
            mounts: [Mount(path: "/", device: "/dev/vg/root", type: "xfs", free: 1 << 30)])
        #expect(
            try core(guest).modules == [
                "biosdisk", "part_gpt", "part_msdos", "search_fs_uuid", "xfs", "diskfilter", "lvm",
            ])
    }

    @Test func aPrefixWithAQuote() throws {
        let guest = UEFIGuest(
            root: FileSystem(device: "/dev/sda2", type: "btrfs", uuid: "b-uuid"),
            mounts: [Mount(path: "/", device: "/dev/sda2", type: "btrfs", subvolume: "it's; x", free: 1 << 30)])
        #expect(try core(guest).earlyConfiguration.contains(#"'/it'\''s; x/boot/grub'"#))
    }

    @Test func aMenuBehindASymlink() throws {
        let guest = UEFIGuest(bootLoader: .grub2(configuration: "/boot/grub2/grub.cfg", prefix: "/boot/grub2"))
        guest.files.link("/boot/grub2", to: "grub")
        #expect(try core(guest).prefix == "/boot/grub")
    }

    @Test func withoutAUUIDItBlocks() throws {
        let guest = UEFIGuest(root: FileSystem(device: "/dev/sda2", type: "ext4"))
        #expect(try guest.convert().blockers.first?.message.contains("UUID") == true)
    }

    // MARK: 2 TiB

    private static let twoTiB: UInt64 = 1 << 32

    @Test func filesPast2TiBBlock() throws {
        let guest = UEFIGuest(
            sectors: Self.twoTiB * 2,
            entries: [UEFIGuest.system, UEFIGuest.root(Self.twoTiB, Self.twoTiB + 1_000_000)])
        #expect(try guest.convert().blockers.first?.message.contains("2 TiB") == true)
    }

    @Test func filesThatReachPast2TiBAreAWarning() throws {
        let guest = UEFIGuest(
            sectors: Self.twoTiB * 2, entries: [UEFIGuest.system, UEFIGuest.root(1_050_624, Self.twoTiB)])
        let plan = try guest.convert()
        #expect(plan.blockers.isEmpty)
        #expect(plan.warnings.first?.message.contains("2 TiB") == true)
        let fits = UEFIGuest(
            sectors: Self.twoTiB * 2, entries: [UEFIGuest.system, UEFIGuest.root(1_050_624, Self.twoTiB - 1)])
        #expect(try fits.convert().warnings.isEmpty)
    }

    @Test func aGapPast2TiBIsNone() throws {
        var system = UEFIGuest.system
        system.firstSector = 34
        let guest = UEFIGuest(
            sectors: Self.twoTiB * 2, entries: [system, UEFIGuest.root(1_050_624, Self.twoTiB - 100)])
        #expect(try guest.convert().blockers.count == 1)
    }

    @Test func aPartitionReachingPast2TiBIsNotUsedAgain() throws {
        let old = GPT.Entry(
            number: 4, type: GPT.biosBoot, id: GPT.linuxData, firstSector: Self.twoTiB - 100,
            lastSector: Self.twoTiB + 2000, name: "old")
        let guest = UEFIGuest(
            sectors: Self.twoTiB * 2, entries: [UEFIGuest.system, UEFIGuest.root(1_050_624, 20_000_000), old])
        try guest.convert()
        #expect(guest.table.entries.contains { $0.type == GPT.biosBoot && $0.firstSector == 34 })
    }

    // MARK: Menus

    @Test(arguments: ["blscfg\n", "insmod blscfg\nif x; then\n  blscfg\nfi\n", "\tblscfg \n"])
    func entriesForAGRUBThatCannotReadThem(text: String) throws {
        let guest = UEFIGuest()
        guest.files.put("/boot/grub/grub.cfg", text)
        guest.files.put("/boot/loader/entries/id-1.conf", "title A\nlinux /boot/vmlinuz\noptions root=x\n")
        guest.files.put("/boot/vmlinuz", "MZ")
        guest.files.put("/usr/bin/awk", "")
        guest.files.put("/usr/lib/systemd/systemd", "")
        let grub = FakeGrub()
        let plan = try guest.convert(grub)
        #expect(plan.blockers.isEmpty)
        #expect(grub.cores.first?.earlyConfiguration.hasSuffix("insmod normal\nnormal $prefix/rehost.cfg\n") == true)
        #expect(try guest.files.text("/boot/grub/grub.cfg") == text)
        let wrapper = try #require(try guest.files.text("/boot/grub/rehost.cfg"))
        #expect(wrapper.contains("function blscfg {\n") && wrapper.hasSuffix("source $prefix/'grub.cfg'\n"))
        #expect(try guest.files.text("/boot/grub/rehost-menu.cfg")?.contains("linux '/boot/vmlinuz' root=x\n") == true)
        #expect(try guest.files.entry(at: LoaderMenuHook.plugin)?.permissions == 0o755)
        #expect(try guest.files.exists("/etc/systemd/system/multi-user.target.wants/rehost-menu.path"))
    }

    @Test func blscfgWithoutEntriesBlocks() throws {
        let guest = UEFIGuest()
        guest.files.put("/boot/grub/grub.cfg", "blscfg\n")
        #expect(try guest.convert().blockers.first?.message.contains("/boot/loader/entries") == true)
    }

    @Test func withoutAwkNothingFollowsTheEntries() throws {
        let guest = UEFIGuest()
        guest.files.put("/boot/grub/grub.cfg", "blscfg\n")
        guest.files.put("/boot/loader/entries/id-1.conf", "linux /boot/vmlinuz\n")
        guest.files.put("/boot/vmlinuz", "MZ")
        let plan = try guest.convert()
        #expect(plan.warnings.first?.message.contains("awk") == true)
        #expect(try !guest.files.exists(LoaderMenuHook.plugin))
    }

    @Test func aMenuOnTheSystemPartition() throws {
        let guest = UEFIGuest(
            bootLoader: .grub2(configuration: "/boot/efi/EFI/redhat/grub.cfg", prefix: "/boot/efi/EFI/redhat"),
            mounts: [
                Mount(path: "/", device: "/dev/sda2", type: "ext4", free: 1 << 30),
                Mount(path: "/boot/efi", device: "/dev/sda1", type: "vfat", free: 1 << 30),
            ])
        guest.files.folder("/boot/grub2")
        guest.files.put("/boot/efi/EFI/redhat/shimx64.efi", "MZ")
        guest.files.put("/boot/efi/EFI/redhat/grub.cfg", "menuentry 'a' {\n\tlinuxefi /k\n\tinitrdefi /i\n}\n")
        let grub = FakeGrub()
        let plan = try guest.convert(grub)
        #expect(grub.cores.first?.prefix == "/boot/grub2")
        let wrapper = try #require(try guest.files.text("/boot/grub2/rehost.cfg"))
        #expect(wrapper.contains("function linuxefi {\n    linux \"$@\"\n}\n"))
        #expect(
            wrapper.hasSuffix(
                "search --no-floppy --fs-uuid --set=root AAAA-0001\nset prefix=($root)'/EFI/redhat'\n"
                    + "source $prefix/'grub.cfg'\n"))
        #expect(plan.items.allSatisfy { $0.change.path?.isInside("/boot/efi") != true })
        #expect(plan.findings.contains { $0.message.contains("Secure Boot") })
    }

    @Test func pathsThatCountFromTheDefaultSubvolumeBlock() throws {
        let guest = UEFIGuest(
            bootLoader: .grub2(configuration: "/boot/grub2/grub.cfg", prefix: "/boot/grub2"),
            root: FileSystem(device: "/dev/sda2", type: "btrfs", uuid: "b-1"),
            mounts: [Mount(path: "/", device: "/dev/sda2", type: "btrfs", subvolume: "@", free: 1 << 30)])
        guest.files.put("/boot/grub2/grub.cfg", "set btrfs_relative_path=\"y\"\nlinux /boot/vmlinuz\n")
        #expect(try guest.convert().blockers.first?.message.contains("btrfs_relative_path") == true)
    }

    @Test func unifiedKernelsBlock() throws {
        let guest = UEFIGuest(bootLoader: .unifiedKernels(["/efi/EFI/Linux/a.efi"]))
        #expect(try guest.convert().blockers.first?.message.contains("/efi/EFI/Linux/a.efi") == true)
    }

    @Test(arguments: [
        ("set root='hd1,gpt2'\nlinux /k\n", true), ("set root='hd0,gpt2'\nlinux /k\n", false),
        ("set root='hd1,gpt2'\nsearch --set=root x\n", false),
    ])
    func menusThatCountDisks(text: String, warns: Bool) throws {
        let guest = UEFIGuest()
        guest.files.put("/boot/grub/grub.cfg", text)
        #expect(try guest.convert().warnings.isEmpty != warns)
    }

    @Test(arguments: ["# blscfg\n", "insmod blscfg\n", "menuentry 'blscfg' {\n}\n"])
    func aMenuThatNamesItOnlyIsFine(text: String) throws {
        let guest = UEFIGuest()
        guest.files.put("/boot/grub/grub.cfg", text)
        #expect(try guest.convert().blockers.isEmpty)
    }

    @Test func withoutALoaderItBlocks() throws {
        #expect(try UEFIGuest(bootLoader: .unknown).convert().blockers.count == 1)
    }

    @Test func withoutAnESPItBlocks() throws {
        let guest = UEFIGuest()
        guest.inspection.disks[0].table = .none
        #expect(try guest.convert().blockers.count == 1)
    }

    @Test func loaderEntriesBecomeAMenu() throws {
        let entries: [GuestPath] = [
            "/boot/efi/loader/entries/debian-6.1.conf", "/boot/efi/loader/entries/debian-6.9.conf",
            "/boot/efi/loader/entries/gone.conf",
        ]
        let guest = UEFIGuest(
            bootLoader: .loaderEntries(entries),
            mounts: [
                Mount(path: "/", device: "/dev/sda2", type: "ext4", free: 1 << 30),
                Mount(path: "/boot/efi", device: "/dev/sda1", type: "vfat", free: 1 << 30),
            ])
        guest.files.put("/boot/efi/debian/6.1/linux", "MZ")
        guest.files.put("/boot/efi/debian/6.9/linux", "MZ")
        guest.files.put(
            entries[0],
            "title Debian's\nversion 6.1\nlinux /debian/6.1/linux\ninitrd /debian/6.1/initrd\noptions root=UUID=x ro\n"
                + "options quiet\n")
        guest.files.put(entries[1], "# new\nlinux\t/debian/6.9/linux  \ninitrd /ucode\ninitrd /debian/6.9/initrd\n")
        guest.files.put(entries[2], "title Gone\nlinux /gone/linux\n")
        guest.files.put("/usr/bin/awk", "")
        let grub = FakeGrub()
        try guest.convert(grub)
        #expect(grub.cores.first?.earlyConfiguration.hasSuffix("normal $prefix/rehost.cfg\n") == true)
        #expect(
            try guest.files.text("/boot/grub/rehost.cfg") == """
                # Written by rehost from /boot/efi/loader/entries, and again whenever a kernel comes or goes.
                set timeout=3
                menuentry 'debian-6.9' --unrestricted --id 'debian-6.9' {
                    search --no-floppy --fs-uuid --set=root AAAA-0001
                    linux '/debian/6.9/linux'
                    initrd '/ucode' '/debian/6.9/initrd'
                }
                menuentry 'Debian'\\''s' --unrestricted --id 'debian-6.1' {
                    search --no-floppy --fs-uuid --set=root AAAA-0001
                    linux '/debian/6.1/linux' root=UUID=x ro quiet
                    initrd '/debian/6.1/initrd'
                }

                """)
    }

    @Test func loaderEntriesWithoutKernelsBlock() throws {
        let guest = UEFIGuest(bootLoader: .loaderEntries(["/boot/loader/entries/a.conf"]))
        guest.files.put("/boot/loader/entries/a.conf", "title A\nlinux /gone\n")
        #expect(try guest.convert().blockers.count == 1)
    }

    // MARK: Hostile tables

    /// A table with right checksums and any numbers in it: a plan, a blocker or an error, but no trap.
    @Test func hostileTablesDoNoHarm() async {
        await #expect(processExitsWith: .success) {
            for (alternate, lastUsable) in [(UInt64(0), UInt64(1 << 24)), (20_971_519, .max), (.max, .max), (5, 0)] {
                let guest = UEFIGuest()
                guard case .gpt(var table) = guest.inspection.disks[0].table else { return }
                table.alternateSector = alternate
                table.lastUsableSector = lastUsable
                guest.inspection.disks[0].table = .gpt(table)
                _ = try? guest.plan()
                // Nothing in front of the first partition.
                table.entries[0].firstSector = 34
                guest.inspection.disks[0].table = .gpt(table)
                _ = try? guest.plan()
            }
        }
    }
}
