import Archives
import Guest
import GuestTesting
import Testing

@testable import Injectors

struct VirtioInitramfsTests {
    private static let mkinitramfs: [GuestPath: String] = ["/usr/sbin/mkinitramfs": ""]
    private static let dracut: [GuestPath: String] = ["/usr/bin/dracut": ""]

    /// Plans, applies, and expects that a second plan has nothing to do but what was only asked for.
    private func convert(
        _ kernels: [SampleKernel], _ files: [GuestPath: String] = mkinitramfs,
        method: VirtioInitramfs.Method = .auto, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (guest: MemoryGuest, plan: Plan) {
        let guest = MemoryGuest(files)
        for kernel in kernels { try kernel.put(into: guest) }
        let injector = VirtioInitramfs(method: method)
        let inspection = Inspection.sample(kernels: kernels.map(\.kernel))
        let plan = try injector.plan(guest, inspection)
        try guest.apply(plan) { _ in }
        let second = try injector.plan(guest, inspection)
        let changes = second.items.map(\.change).filter { $0.kind != "command" }
        #expect(changes.isEmpty, "the second plan: \(changes)", sourceLocation: sourceLocation)
        return (guest, plan)
    }

    private func modules(_ kernel: SampleKernel, in guest: MemoryGuest) throws -> Set<String> {
        try Initramfs(guest.read(kernel.initramfs) ?? []).modules(of: kernel.version)
    }

    // MARK: Nothing to do

    @Test func presentModulesAreEnough() throws {
        var kernel = SampleKernel()
        kernel.included += SampleKernel.virtio
        #expect(try convert([kernel], [:]).plan == Plan())
        // What keeps them there is planned all the same.
        #expect(try convert([kernel]).plan.items.map { $0.change.path }.last == "/etc/initramfs-tools/modules")
    }

    @Test func dashesAreUnderscores() throws {
        var kernel = SampleKernel()
        kernel.included += ["a/virtio-pci.ko.xz", "b/virtio-blk.ko.zst", "c/virtio-scsi.ko.gz", "d/sd-mod.ko"]
        #expect(try convert([kernel], [:]).plan == Plan())
    }

    @Test func builtInDriversAreEnough() throws {
        var kernel = SampleKernel()
        kernel.builtIn = SampleKernel.virtio
        kernel.packing = .none
        #expect(try convert([kernel]).plan == Plan())
    }

    @Test func withoutKernelsItDoesNotApply() {
        #expect(!VirtioInitramfs(method: .auto).applies(to: .sample()))
        #expect(VirtioInitramfs(method: .auto).applies(to: .sample(kernels: [SampleKernel().kernel])))
    }

    // MARK: Grafting

    static let packings: [(SampleKernel.Packing, HostTool?)] = [
        (.plain, nil), (.compressed(.gzip), nil), (.compressed(.zstd), nil), (.compressed(.xz), HostTool("xz")),
        (.compressed(.lz4), HostTool("lz4")), (.compressed(.bzip2), HostTool("bzip2")),
        (.behindMicrocode(.compressed(.gzip)), nil), (.behindMicrocode(.compressed(.zstd)), nil),
        (.behindMicrocode(.plain), nil),
    ]

    @Test(arguments: packings.filter { $0.1?.isInstalled ?? true }.map(\.0))
    func aGraftIsReadBack(_ packing: SampleKernel.Packing) throws {
        var kernel = SampleKernel()
        kernel.packing = packing
        let (guest, plan) = try convert([kernel])
        #expect(plan.warnings.isEmpty && plan.blockers.isEmpty)
        #expect(guest.contents.commands.isEmpty)
        #expect(try modules(kernel, in: guest) == Set(kernel.included + SampleKernel.virtio))

        let change = try #require(plan.items.map(\.change).first { $0.kind == "append" })
        guard case .append(let path, let bytes, let offset) = change else { return }
        #expect(path == kernel.initramfs)
        #expect(offset % 512 == 0)
        let entry = try guest.entry(at: path)
        #expect(entry?.permissions == 0o600)
        // What is grafted is compressed as the rest is, where every kernel that reads the rest reads it.
        switch packing {
        case .compressed(.gzip), .behindMicrocode(.compressed(.gzip)):
            #expect(Compression(magicOf: bytes[...]) == .gzip)
        case .compressed(.zstd), .behindMicrocode(.compressed(.zstd)):
            #expect(Compression(magicOf: bytes[...]) == .zstd)
        default: #expect(Cpio.hasMagic(bytes[...]))
        }
    }

    @Test func aGraftHasFoldersModulesAndIndexes() throws {
        var kernel = SampleKernel()
        kernel.packing = .plain
        let (guest, plan) = try convert([kernel])
        guard case .append(_, let archive, _)? = plan.items.map(\.change).first(where: { $0.kind == "append" }) else {
            Issue.record("nothing was appended")
            return
        }
        let entries = try Cpio.list(archive[...]).entries
        let folder = "usr/lib/modules/\(kernel.version)/"
        #expect(
            entries.filter { $0.mode & 0o170000 == 0o040000 }.map(\.path).sorted() == [
                folder + "kernel", folder + "kernel/drivers", folder + "kernel/drivers/block",
                folder + "kernel/drivers/scsi", folder + "kernel/drivers/virtio",
            ])
        // Each once; a folder comes before what is in it.
        let paths = entries.map(\.path)
        #expect(Set(paths).count == paths.count)
        for (index, path) in paths.enumerated() where path.hasSuffix(".ko") {
            let parent = path.split(separator: "/").dropLast().joined(separator: "/")
            #expect(try #require(paths.firstIndex(of: parent)) < index)
        }
        let files = Dictionary(uniqueKeysWithValues: entries.map { ($0.path, Array(archive[$0.content])) })
        #expect(
            files[folder + "kernel/drivers/block/virtio_blk.ko"] == Array("ELF kernel/drivers/block/virtio_blk.ko".utf8)
        )
        #expect(files[folder + "modules.dep"] == (try guest.read(kernel.folder.appending("modules.dep"))))
        #expect(files[folder + "modules.dep.bin"] == [0xB0, 0x07, 0xF4, 0x57])
        #expect(files[folder + "modules.alias"] != nil)
        #expect(!paths.contains { $0.hasSuffix("mptspi.ko") })
    }

    @Test func aGraftGoesWhereTheInitramfsKeepsModules() throws {
        var kernel = SampleKernel()
        let file = "lib/modules/\(kernel.version)/kernel/fs/ext4/ext4.ko"
        let rule = Cpio.Entry.file("lib/udev/rules.d/80-drivers.rules", [])
        kernel.packing = .bytes(try Compression.gzip.encode(Cpio.archive([.file(file, [1]), rule])))
        let (guest, _) = try convert([kernel])
        let content = try Initramfs(guest.read(kernel.initramfs) ?? [])
        #expect(content.paths.contains("lib/modules/\(kernel.version)/kernel/drivers/block/virtio_blk.ko"))
        #expect(!content.paths.contains { $0.hasPrefix("usr/") })
    }

    @Test func twoKernelsAreBothMadeBootable() throws {
        var old = SampleKernel()
        old.version = "5.10.0-28-amd64"
        old.packing = .compressed(.zstd)
        let (guest, plan) = try convert([SampleKernel(), old])
        #expect(plan.items.filter { $0.change.kind == "append" }.count == 2)
        for kernel in [SampleKernel(), old] {
            #expect(try modules(kernel, in: guest).isSuperset(of: SampleKernel.virtio))
        }
    }

    @Test func unpackedModulesGoAlongAsTheGuestHasThem() throws {
        var kernel = SampleKernel()
        kernel.suffix = ".xz"
        kernel.includedSuffix = ""
        let (guest, plan) = try convert([kernel], Self.dracut)
        #expect(guest.contents.commands.isEmpty && plan.warnings.isEmpty)
        let names = try modules(kernel, in: guest)
        #expect(names.isSuperset(of: (kernel.included + SampleKernel.virtio).map { $0 + ".xz" }))
        #expect(names.isSuperset(of: kernel.included))
    }

    @Test func softDependenciesGoAlong() throws {
        var kernel = SampleKernel()
        kernel.modules["kernel/crypto/crct10dif.ko"] = ["kernel/lib/crc.ko"]
        kernel.modules["kernel/lib/crc.ko"] = []
        let guest = MemoryGuest()
        try kernel.put(into: guest)
        guest.put(
            kernel.folder.appending("modules.softdep"),
            "# Soft dependencies\nsoftdep sd_mod pre: crct10dif absent post: sd-mod\nsoftdep\n")
        let plan = try VirtioInitramfs(method: .auto).plan(guest, .sample(kernels: [kernel.kernel]))
        try guest.apply(plan) { _ in }
        #expect(try modules(kernel, in: guest).isSuperset(of: ["kernel/crypto/crct10dif.ko", "kernel/lib/crc.ko"]))
    }

    @Test func everyInitramfsOfAKernelIsPrepared() throws {
        var kernel = SampleKernel()
        kernel.otherInitramfs = ["initramfs-x-fallback.img", "initramfs-xkdump.img"]
        let (guest, plan) = try convert([kernel])
        #expect(plan.items.filter { $0.change.kind == "append" }.count == 3)
        for path in kernel.kernel.otherInitramfs {
            let content = try Initramfs(guest.read(path) ?? [])
            #expect(content.modules(of: kernel.version).isSuperset(of: SampleKernel.virtio))
        }
    }

    @Test func rescueImagesArePreparedByWhatTheyHold() throws {
        let rescue: GuestPath = "/boot/initramfs-0-rescue-8d0f3e1c5a7b4c6d9e0f1a2b3c4d5e6f.img"
        var kernel = SampleKernel()
        kernel.otherInitramfs = [rescue.name]
        var inspected = kernel.kernel
        inspected.otherInitramfs = []
        let guest = MemoryGuest()
        try kernel.put(into: guest)
        let injector = VirtioInitramfs(method: .auto)
        try guest.apply(try injector.plan(guest, .sample(kernels: [inspected]))) { _ in }
        #expect(
            try Initramfs(guest.read(rescue) ?? []).modules(of: kernel.version).isSuperset(of: SampleKernel.virtio))
        #expect(try injector.plan(guest, .sample(kernels: [inspected])).items.isEmpty)
        // Made for a kernel that is gone.
        guest.put(rescue, Cpio.archive([.file("usr/lib/modules/3.10/a.ko", [])]))
        let plan = try injector.plan(guest, .sample(kernels: [inspected]))
        #expect(plan.items.isEmpty && plan.warnings.isEmpty)
        #expect(plan.findings.contains { $0.message.contains("no longer there (3.10)") })
    }

    // MARK: Rebuilding

    @Test func anInitThatLoadsAListIsRebuilt() throws {
        var kernel = SampleKernel()
        kernel.others = ["bin/nash"]
        let (guest, plan) = try convert(
            [kernel],
            ["/sbin/mkinitrd": "", "/sbin/nash": "", "/etc/modprobe.conf": "alias scsi_hostadapter mptbase\n"])
        #expect(
            guest.contents.commands.map(\.arguments) == [
                [
                    "/sbin/mkinitrd", "-f", "--with=virtio_pci", "--with=virtio_blk", "--with=virtio_scsi",
                    "--with=sd_mod", "/boot/initrd.img-6.1.0-18-amd64", "6.1.0-18-amd64",
                ]
            ])
        #expect(plan.findings.contains { $0.message.contains("fixed list") })
    }

    @Test func theToolThatMadeItRebuildsIt() throws {
        var kernel = SampleKernel()
        kernel.others = ["usr/lib/dracut/dracut-state.sh"]
        let (guest, _) = try convert([kernel], Self.mkinitramfs.merging(Self.dracut) { $1 })
        #expect(guest.contents.commands.first?.arguments.first == "/usr/bin/dracut")
        #expect(try guest.exists("/etc/dracut.conf.d/rehost-virtio.conf"))
        kernel.others = ["scripts/functions"]
        let (debian, _) = try convert([kernel], Self.mkinitramfs.merging(Self.dracut) { $1 })
        #expect(debian.contents.commands.first?.arguments.first == "/usr/sbin/update-initramfs")
    }

    @Test func modulesUnderOtherNamesNeedARebuild() throws {
        // A module that depmod doesn't know any more: the indexes of the guest would take it away.
        var kernel = SampleKernel()
        kernel.included = ["updates/dkms/zfs.ko"]
        let (guest, plan) = try convert([kernel], Self.dracut)
        #expect(
            guest.contents.commands.map(\.arguments) == [
                [
                    "/usr/bin/dracut", "--force", "--add-drivers", "virtio_pci virtio_blk virtio_scsi sd_mod",
                    "/boot/initrd.img-6.1.0-18-amd64", "6.1.0-18-amd64",
                ]
            ])
        #expect(plan.findings.contains { $0.level == .note && $0.message.contains("modules.dep") })
        #expect(!plan.items.contains { $0.change.kind == "append" })
    }

    @Test func anUnreadableInitramfsIsRebuilt() throws {
        for bytes: [UInt8] in [[], Array("not an archive".utf8), [0x89, 0x4C, 0x5A, 0x4F, 0, 0x0D, 0x0A, 0x1A]] {
            var kernel = SampleKernel()
            kernel.packing = .bytes(bytes)
            let (guest, plan) = try convert([kernel])
            #expect(
                guest.contents.commands.map(\.arguments) == [
                    ["/usr/sbin/update-initramfs", "-u", "-k", "6.1.0-18-amd64"]
                ])
            #expect(plan.blockers.isEmpty && plan.warnings.isEmpty)
        }
    }

    @Test func anInitramfsWithoutModulesIsRebuilt() throws {
        var kernel = SampleKernel()
        kernel.packing = .bytes(Cpio.archive([.file("init", [1])]))
        #expect(try convert([kernel]).guest.contents.commands.count == 1)
    }

    @Test func aRebuildThatIsAskedFor() throws {
        let (guest, plan) = try convert([SampleKernel()], method: .rebuild)
        #expect(guest.contents.commands.count == 1)
        #expect(!plan.items.contains { $0.change.kind == "append" })
        var present = SampleKernel()
        present.included += SampleKernel.virtio
        #expect(try convert([present], [:], method: .rebuild).plan.isEmpty)
    }

    @Test func aGraftThatIsAskedForAndCannotBeMadeBlocks() throws {
        var kernel = SampleKernel()
        kernel.packing = .bytes(Array("not an archive".utf8))
        let plan = try convert([kernel], method: .graft).plan
        #expect(plan.blockers.count == 1)
        #expect(plan.blockers.first?.hint?.contains("--initramfs") == true)
    }

    @Test func withoutAToolAnUnreadableInitramfsBlocks() throws {
        var kernel = SampleKernel()
        kernel.packing = .bytes(Array("not an archive".utf8))
        let plan = try convert([kernel], [:]).plan
        #expect(plan.items.isEmpty)
        #expect(plan.warnings.count == 1)
        #expect(plan.blockers.map(\.message) == ["no kernel of this guest can find a virtio disk"])
        // A kernel that starts is enough.
        var good = SampleKernel()
        good.version = "6.1.0-20-amd64"
        #expect(try convert([kernel, good], [:]).plan.blockers.isEmpty)
    }

    @Test func withoutAToolAGraftDoes() throws {
        let (_, plan) = try convert([SampleKernel()], [:])
        #expect(plan.items.map(\.change.kind) == ["append"])
    }

    // MARK: What is missing

    private static let menu: GuestPath = "/boot/grub/grub.cfg"

    @Test func theDefaultKernelHasToStart() throws {
        var old = SampleKernel(version: "4.4.14")
        old.modules = old.modules.filter { !$0.key.contains("virtio_blk") }
        func entry(_ version: String) -> String { "menuentry x {\n linux /boot/vmlinuz-\(version) ro\n}\n" }
        var files = Self.mkinitramfs.merging([Self.menu: "set default=0\n\(entry("4.4.14"))\(entry("6.9"))"]) { $1 }
        let blocked = try convert([old, SampleKernel(version: "6.9")], files).plan
        #expect(blocked.blockers.map(\.message).first?.contains("starts by itself, 4.4.14") == true)
        files[Self.menu] = "set default=0\n\(entry("6.9"))\(entry("4.4.14"))"
        let plan = try convert([old, SampleKernel(version: "6.9")], files).plan
        #expect(plan.blockers.isEmpty)
        #expect(plan.warnings.map(\.message).first?.hasSuffix("the guest won't start with kernel 4.4.14") == true)
    }

    @Test func aKernelOlderThanVirtio() throws {
        var old = SampleKernel(version: "2.6.18-8.el5")
        old.modules = [:]
        let plan = try convert([old]).plan
        #expect(plan.warnings.first?.message.contains("Linux 2.6.25") == true)
    }

    @Test func aKernelWithoutACardDriver() throws {
        var kernel = SampleKernel()
        kernel.modules["kernel/drivers/net/virtio_net.ko"] = nil
        let plan = try convert([kernel]).plan
        #expect(plan.warnings.map(\.message).first?.contains("without a network") == true)
        #expect(plan.blockers.isEmpty)
    }

    @Test func theConfigurationTellsWhatIsBuiltIn() throws {
        let kernel = SampleKernel()
        let guest = MemoryGuest([
            "/boot/config-\(kernel.version)":
                "CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\nCONFIG_SCSI_VIRTIO=y\nCONFIG_BLK_DEV_SD=y\n"
        ])
        try kernel.put(into: guest)
        #expect(try VirtioInitramfs(method: .auto).plan(guest, .sample(kernels: [kernel.kernel])).isEmpty)
    }

    @Test func aKernelWithoutInitramfs() throws {
        var kernel = SampleKernel()
        kernel.packing = .none
        let plan = try convert([kernel]).plan
        #expect(plan.warnings.count == 1 && plan.blockers.count == 1)
    }

    @Test(arguments: ["virtio_pci", "virtio_blk"]) func aKernelWithoutTheModule(name: String) throws {
        var kernel = SampleKernel()
        kernel.modules = kernel.modules.filter { !$0.key.contains(name) }
        let plan = try convert([kernel]).plan
        #expect(plan.warnings.first?.message.contains(name) == true)
        #expect(plan.blockers.count == 1)
        #expect(plan.isEmpty)
        #expect(try convert([kernel, SampleKernel(version: "6.9")]).plan.blockers.isEmpty)
    }

    @Test func aModuleThatOneBusNeedsMayBeMissing() throws {
        var kernel = SampleKernel()
        kernel.modules = kernel.modules.filter { !$0.key.contains("virtio_scsi") }
        let (guest, plan) = try convert([kernel])
        #expect(plan.warnings.isEmpty)
        #expect(try modules(kernel, in: guest).contains("kernel/drivers/block/virtio_blk.ko"))
    }

    @Test func aModuleFileThatModulesDepNamesAndIsNotThere() throws {
        let guest = MemoryGuest()
        try SampleKernel().put(into: guest)
        guest.contents.nodes[SampleKernel().folder.appending("kernel/drivers/block/virtio_blk.ko")] = nil
        let plan = try VirtioInitramfs(method: .auto).plan(guest, .sample(kernels: [SampleKernel().kernel]))
        #expect(plan.warnings.first?.message.contains("virtio_blk.ko' in the guest: no such file") == true)
        #expect(plan.isEmpty && plan.blockers.count == 1)
    }

    @Test func aLinkThatLeadsOutsideIsNotFollowedThere() throws {
        let guest = MemoryGuest()
        try SampleKernel().put(into: guest)
        let module = SampleKernel().folder.appending("kernel/drivers/block/virtio_blk.ko")
        guest.link(module, to: "../../../../../../../../../../etc/hostname")
        guest.put("/etc/hostname", "inside")
        let plan = try VirtioInitramfs(method: .auto).plan(guest, .sample(kernels: [SampleKernel().kernel]))
        #expect(plan.items.contains { $0.change.kind == "append" })
    }

    // MARK: What keeps the modules there

    @Test func initramfsToolsIsToldOnce() throws {
        let path: GuestPath = "/etc/initramfs-tools/modules"
        let (guest, plan) = try convert(
            [SampleKernel(), SampleKernel(version: "6.9")],
            Self.mkinitramfs.merging([path: "# List of modules\nvirtio_pci\n# virtio_blk\nraid1"]) { $1 })
        #expect(plan.items.filter { $0.change.path == path }.count == 1)
        #expect(
            try guest.text(path) == """
                # List of modules
                virtio_pci
                # virtio_blk
                raid1
                # Added by rehost: this machine's disks are virtio devices.
                virtio_blk
                virtio_scsi
                sd_mod

                """)
    }

    @Test func dracutGetsADropIn() throws {
        let (guest, _) = try convert([SampleKernel()], Self.dracut)
        #expect(
            try guest.text("/etc/dracut.conf.d/rehost-virtio.conf") == """
                # Written by rehost: this machine's disks are virtio devices.
                add_drivers+=" virtio_pci virtio_blk virtio_scsi sd_mod "

                """)
    }

    // MARK: Settings that the initramfs has a copy of

    @Test(arguments: [true, false]) func aChangedSettingGoesAlong(hasModules: Bool) throws {
        var kernel = SampleKernel()
        let modules = kernel.included + (hasModules ? SampleKernel.virtio : [])
        let folder = "usr/lib/modules/\(kernel.version)/"
        kernel.packing = .bytes(
            Cpio.archive(
                modules.map { .file(folder + $0, [1]) } + [
                    .file("lib/udev/rules.d/80-drivers.rules", []), .file("etc/lvm/lvm.conf", Array("old".utf8)),
                    .file("etc/lvm/lvmlocal.conf", Array("same".utf8)),
                ]))
        let guest = MemoryGuest(
            Self.mkinitramfs.merging(["/etc/lvm/lvm.conf": "old", "/etc/lvm/lvmlocal.conf": "same"]) { $1 })
        try kernel.put(into: guest)
        var draft = Draft(over: guest, disks: guest)
        try draft.write("/etc/lvm/lvm.conf", text: "new")
        try draft.write("/etc/lvm/other.conf", text: "not in the initramfs")
        try VirtioInitramfs(method: .auto).inject(into: &draft, guest: .sample(kernels: [kernel.kernel]))
        let appended = try draft.plan().items.compactMap { item in
            if case .append(_, let bytes, _) = item.change { bytes } else { nil }
        }
        let archive = try #require(appended.first)
        let entries = try Cpio.list(archive[...]).entries
        let settings = entries.filter { $0.path.hasPrefix("etc/") }
        #expect(settings.map(\.path) == ["etc/lvm/lvm.conf"])
        #expect(settings.map { Array(archive[$0.content]) } == [Array("new".utf8)])
        #expect(entries.contains { $0.path.hasSuffix("virtio_blk.ko") } == !hasModules)
    }

    // MARK: Hostile guests

    @Test func anArchiveBombIsNotUnpacked() throws {
        var kernel = SampleKernel()
        // Names longer than the archive, sizes past the end, archives in archives.
        let header = "070701" + String(repeating: "f", count: 104)
        for bytes in [Array(header.utf8), Array((header + "x").utf8), try Compression.gzip.encode(Array(header.utf8))] {
            kernel.packing = .bytes(bytes)
            #expect(try convert([kernel]).guest.contents.commands.count == 1)
        }
    }

    @Test func oddIndexesDoNoHarm() throws {
        let kernel = SampleKernel()
        for text in ["", ":", "::::\n:::", "a", "virtio_pci.ko:\nvirtio_blk.ko: ../../../../etc/shadow\n", "\u{0}\n"] {
            let guest = MemoryGuest()
            try kernel.put(into: guest)
            guest.put("/etc/shadow", "secret")
            guest.put(kernel.folder.appending("modules.dep"), text)
            _ = try? VirtioInitramfs(method: .auto).plan(guest, .sample(kernels: [kernel.kernel]))
        }
    }
}
