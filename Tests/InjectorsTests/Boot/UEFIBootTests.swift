import Guest
import GuestTesting
import Testing

@testable import Injectors

/// BIOS guests that get an EFI system partition.
struct UEFIBootTests {
    /// A disk as installers leave it, 66 MiB larger.
    private func grown() -> UEFITarget {
        UEFITarget(
            mbr: [(0x83, 2048, 18_968_576), (0x05, 18_972_670, 1_996_802)], sectors: 20_971_520 + 66 * 2048)
    }

    private func table(_ guest: UEFITarget) throws -> MBR {
        try #require(try MBR(sector: guest.disk.sectors(disk: 0, first: 0, count: 1)))
    }

    private func edits(_ plan: Plan) -> [SectorEdit] {
        plan.items.compactMap { if case .disk(let edit) = $0.change { edit } else { nil } }
    }

    @Test func anMBRGetsAPrimaryPartition() throws {
        let guest = grown()
        let before = try guest.disk.sectors(disk: 0, first: 0, count: 1)
        let plan = try guest.convert()
        let entry = try table(guest).entries[2]
        #expect(entry.type == 0xEF && !entry.isActive)
        #expect(entry.firstSector == 20_969_472 && entry.sectorCount == 64 * 2048)
        let after = try guest.disk.sectors(disk: 0, first: 0, count: 1)
        #expect(after[..<478] == before[..<478] && after[494...] == before[494...])
        // The table is the last word, and what is zero already isn't written.
        #expect(edits(plan).last?.firstSector == 0)
        #expect(edits(plan).allSatisfy { $0.bytes.contains { $0 != 0 } })
        #expect(edits(plan).reduce(0) { $0 + $1.bytes.count } < 64 << 10)
    }

    @Test func whatIsOnItStartsTheGuestsMenu() throws {
        let guest = grown()
        let plan = try guest.convert()
        let data = try #require(edits(plan).first { $0.what.contains("BOOTX64.EFI") }).bytes
        let text = String(decoding: data, as: UTF8.self)
        #expect(text.contains("GRUB /EFI/BOOT fat normal configfile part_gpt part_msdos search_fs_uuid ext2"))
        #expect(text.contains("search.fs_uuid \(UEFITarget.rootID) root\nset prefix=($root)'/boot/grub'\n"))
        #expect(text.contains("function linux16 { linux \"$@\"; }") && text.contains("configfile $prefix/grub.cfg"))
        #expect(try guest.files.read("/boot/grub/x86_64-efi/normal.mod") == [1, 2])
        #expect(try guest.files.read("/boot/grub/x86_64-efi/linux16.mod") == nil)
        #expect(try guest.files.text("/boot/grub/x86_64-efi/command.lst") == "linux: linux\n\0")
    }

    @Test func fstabMountsIt() throws {
        let guest = grown()
        try guest.convert()
        let lines = try #require(try guest.files.text("/etc/fstab")).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[1].wholeMatch(of: /UUID=[0-9A-F]{4}-[0-9A-F]{4} \/boot\/efi vfat umask=0077,nofail 0 0/) != nil)
    }

    @Test(arguments: ["UUID=X /boot/efi ext4 rw 0 0", "/dev/sdb1\t/efi vfat rw 0 0"])
    func aMountOfThatNameStays(line: String) throws {
        let guest = grown()
        guest.files.put("/etc/fstab", "\(line)\n")
        try guest.convert()
        #expect(try guest.files.text("/etc/fstab") == "\(line)\n")
    }

    @Test func aGPTGetsAPartitionInAGap() throws {
        let guest = UEFITarget(
            gpt: [
                GPT.Entry(
                    number: 1, type: GPT.biosBoot, id: GPT.linuxData, firstSector: 34, lastSector: 2047, name: ""),
                GPT.Entry(
                    number: 2, type: GPT.linuxData, id: GPT.linuxData, firstSector: 200_000, lastSector: 20_000_000,
                    name: ""),
            ], sectors: 20_000_000 + 4096)
        try guest.convert()
        let made = try #require(guest.inspection.disks[0].systemPartitions.first)
        #expect(made == "/dev/sda3")
        guard case .gpt(let table) = guest.inspection.disks[0].table else { return }
        #expect(table.entries[2].firstSector == 2048 && table.entries[2].sectorCount == 64 * 2048)
    }

    @Test func aGPTThatWasGrownGetsItsCopyAtTheNewEnd() throws {
        let sectors: UInt64 = 20_971_520
        let guest = UEFITarget(
            gpt: [
                GPT.Entry(
                    number: 2, type: GPT.linuxData, id: GPT.linuxData, firstSector: 2048, lastSector: sectors - 34,
                    name: "")
            ], sectors: sectors + 66 * 2048, tableSectors: sectors)
        try guest.convert()
        guard case .gpt(let table) = guest.inspection.disks[0].table else { return }
        #expect(table.alternateSector == sectors + 66 * 2048 - 1)
        #expect(table.entries[0].number == 1 && table.entries[0].firstSector == sectors)
    }

    @Test func aPartitionThatNothingWasPutOnIsUsed() throws {
        let guest = UEFITarget(mbr: [(0xEF, 2048, 204_800), (0x83, 206_848, 8_000_000)], sectors: 8_206_848)
        let plan = try guest.convert()
        #expect(edits(plan).first?.firstSector == 2048 && !edits(plan).contains { $0.firstSector == 0 })
        #expect(plan.findings.contains { $0.message.contains("partition 1 (EFI system, FAT32, 100 MiB)") })
    }

    @Test func somethingUnknownOnASystemPartitionIsLeftAlone() throws {
        let guest = UEFITarget(mbr: [(0xEF, 2048, 204_800), (0x83, 206_848, 8_000_000)], sectors: 8_206_848)
        guest.disk.write(2100, [UInt8](repeating: 7, count: 512))
        #expect(try guest.plan().blockers.first?.message.contains("has no 36 MiB") == true)
    }

    @Test func withoutRoomOrAPlaceItBlocks() throws {
        let full = UEFITarget(mbr: [(0x83, 2048, 8_000_000)], sectors: 8_002_048)
        #expect(try full.plan().blockers.first?.hint?.contains("qemu-img resize COPY +66M") == true)
        let four = UEFITarget(
            mbr: (0..<4).map { (0x83, 2048 + 1000 * $0, 1000) }, sectors: 8_002_048)
        #expect(try four.plan().blockers.first?.message.contains("four primary partitions") == true)
        let past = UEFITarget(mbr: [(0x83, 2048, .max - 2048)], sectors: 1 << 33)
        #expect(try past.plan().blockers.first?.message.contains("2 TiB") == true)
        let bare = grown()
        bare.inspection.disks[0].table = .none
        #expect(try bare.plan().blockers.first?.message.contains("no partition table") == true)
        #expect(try grown().plan(grub: nil).blockers.first?.hint?.contains("grub-efi-amd64-bin") == true)
        for guest in [full, four, past, bare] { #expect(try guest.plan().isEmpty) }
    }

    @Test func theSameDiskGivesTheSamePlan() throws { #expect(try grown().plan() == grown().plan()) }

    // MARK: Kernels

    @Test(arguments: [
        ("CONFIG_X86_64=y\n# CONFIG_EFI is not set\n", "without CONFIG_EFI"), ("CONFIG_EFI=y\n", "32-bit kernel"),
    ])
    func aKernelThatUEFICannotStartBlocks(text: String, reason: String) throws {
        let guest = grown()
        guest.files.put("/boot/config-6.1", text)
        #expect(try guest.plan().blockers.first?.message.contains(reason) == true)
        #expect(try guest.plan().isEmpty)
        // Beside another it is named.
        var other = UEFITarget.kernel
        other.version = "6.2"
        guest.inspection.kernels.append(other)
        guest.files.put("/usr/lib/modules/6.1/config", "CONFIG_X86_64=y\nCONFIG_EFI=y\n")
        guest.files.put("/boot/config-6.2", "CONFIG_64BIT=y\nCONFIG_EFI=y\n")
        #expect(try guest.convert().warnings.first?.message.contains("6.1: ") == true)
    }

    @Test func withoutAConfigurationTheImageTells() throws {
        var image = [UInt8](repeating: 0, count: 1024)
        image.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        image.replaceSubrange(0x206..<0x208, with: [0x0F, 0x02])
        func obstacle() throws -> String? {
            try UEFIKernel.obstacle(UEFITarget.kernel, in: MemoryGuest(files: ["/boot/vmlinuz-6.1": image]))
        }
        #expect(try obstacle() == "it is a 32-bit kernel")
        image[0x236] = 1
        #expect(try obstacle()?.contains("no EFI stub") == true)
        image.replaceSubrange(0..<2, with: Array("MZ".utf8))
        #expect(try obstacle() == nil)
        #expect(try UEFIKernel.obstacle(UEFITarget.kernel, in: MemoryGuest())?.contains("no header") == true)
    }

    // MARK: Larger disks

    private func growth(_ guest: UEFITarget, size: UInt64) throws -> (disk: Int, size: UInt64)? {
        UEFIPartition.growth(of: [(try guest.disk.sectors(disk: 0, first: 0, count: 128), size)])
    }

    @Test func aDiskGrowsWhereItHelps() throws {
        let size: UInt64 = 20_971_521 * 512
        let full = UEFITarget(mbr: [(0x83, 2048, 20_969_472)], sectors: 20_971_521)
        let new = try #require(try growth(full, size: size))
        #expect(new.disk == 0 && new.size == (10_240 + 1 + 66) << 20)
        // And then there is room.
        let larger = UEFITarget(mbr: [(0x83, 2048, 20_969_472)], sectors: new.size / 512)
        #expect(try growth(larger, size: new.size) == nil)
        try larger.convert()
        let table = UEFITarget(
            gpt: [
                GPT.Entry(
                    number: 1, type: GPT.linuxData, id: GPT.linuxData, firstSector: 2048, lastSector: 20_971_486,
                    name: "")
            ], sectors: 20_971_520)
        #expect(try growth(table, size: 20_971_520 * 512)?.size == (10_240 + 1 + 66) << 20)
    }

    @Test func aDiskStaysWhereThereIsNoNeedOrNoHelp() throws {
        #expect(try growth(grown(), size: (20_971_520 + 66 * 2048) * 512) == nil)
        let system = UEFITarget(mbr: [(0xEF, 2048, 2048), (0x83, 4096, 8_000_000)], sectors: 8_004_096)
        #expect(try growth(system, size: 8_004_096 * 512) == nil)
        let four = UEFITarget(mbr: (0..<4).map { (0x83, 2048 + 1000 * $0, 1000) }, sectors: 8_002_048)
        #expect(try growth(four, size: 8_002_048 * 512) == nil)
        #expect(UEFIPartition.growth(of: [([UInt8](repeating: 0, count: 1024), 1 << 30)]) == nil)
        #expect(UEFIPartition.growth(of: []) == nil)
    }
}

extension MemoryGuest {
    fileprivate init(files: [GuestPath: [UInt8]]) {
        self.init()
        for (path, bytes) in files { put(path, bytes) }
    }
}
