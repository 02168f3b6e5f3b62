public import Guest

/// Makes a guest start by UEFI firmware that knows nothing of it: a UEFI guest's own boot loader goes where such
/// firmware looks, and a BIOS guest gets an EFI system partition with GRUB on it, which shows the guest's own menu. The
/// BIOS boot code stays as it is: it is the way back.
public struct UEFIBoot: Injector {
    /// How far it goes.
    public enum Extent: Sendable {
        /// What is on the guest's EFI system partition is made to start.
        case fallbackPath
        /// Where nothing is, a boot loader is made.
        case bootLoader
    }

    public let name = "uefi-boot"
    /// What starts the result.
    private let firmware: Firmware
    private let extent: Extent
    private let grub: UEFIGrub?

    /// - Parameter grub: nil where it isn't installed on this host.
    public init(firmware: Firmware, extent: Extent, grub: UEFIGrub?) {
        self.firmware = firmware
        self.extent = extent
        self.grub = grub
    }

    public func applies(to guest: Inspection) -> Bool { firmware == .uefi }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let system = UEFISystemPartition(of: guest) else {
            try addPartition(&draft, guest)
            return
        }
        if try UEFIFallback(system: system, guest: guest, in: draft).put(into: &draft) { return }
        guard extent == .bootLoader else {
            draft.warn(
                "no boot loader was found on the EFI system partition '\(system.mount.device)'; the guest may not"
                    + " start where the firmware has no boot entries",
                hint: "--firmware uefi puts one in place")
            return
        }
        guard let loader = try makeLoader(&draft, guest) else { return }
        for (name, bytes) in loader.files {
            try draft.write(
                system.path("EFI", "BOOT", name, in: draft), bytes, permissions: UEFISystemPartition.permissions)
        }
        try lay(loader, into: &draft)
        say(&draft, "'\(system.mount.device)'", loader)
    }

    // MARK: A partition of ours

    private func addPartition(_ draft: inout Draft, _ guest: Inspection) throws {
        let devices = Set(guest.disks.flatMap(\.systemPartitions))
        if let system = guest.fileSystems.first(where: { devices.contains($0.device) }) {
            draft.warn(
                "the EFI system partition '\(system.device)' (\(system.type)) can't be looked at; whether the guest"
                    + " starts where the firmware has no boot entries isn't known",
                hint: "repair it in the source with fsck.vfat")
            return
        }
        guard extent == .bootLoader else {
            draft.warn(
                "there is nothing on the guest's EFI system partition; the guest may not start by UEFI",
                hint: "--firmware uefi puts a boot loader in place")
            return
        }
        guard let loader = try makeLoader(&draft, guest), let place = try choosePlace(&draft, guest) else { return }
        let serial = Self.serial(for: guest.disks[place.disk])
        guard
            let volume = FATVolume(firstSector: place.firstSector, sectorCount: place.sectorCount, serial: serial),
            let ranges = volume.sectors(with: loader.files)
        else {
            draft.block(
                "the EFI system partition of \(place.sectorCount / 2048) MiB can't hold GRUB",
                hint: "use --firmware bios")
            return
        }
        let size = "FAT32, \(place.sectorCount / 2048) MiB"
        for range in ranges {
            try draft.write(
                sectors: SectorEdit(
                    disk: place.disk, firstSector: place.firstSector + range.offset, bytes: range.bytes,
                    what: "EFI system partition (\(size)): \(range.what)"))
        }
        // The table last: a partition appears when it has something on it.
        for edit in place.tableEdits { try draft.write(sectors: edit) }
        try lay(loader, into: &draft)
        try mount(volume.uuid, &draft)
        say(&draft, "partition \(place.number) (EFI system, \(size))", loader)
    }

    private func choosePlace(_ draft: inout Draft, _ guest: Inspection) throws -> UEFIPartition? {
        if let unused = try UEFIPartition.unused(on: guest, in: draft) { return unused }
        guard let disk = UEFIPartition.bootDisk(of: guest) else { return nil }
        switch UEFIPartition.search(disk, sector: try draft.sectors(disk: disk.index, first: 0, count: 1)) {
        case .found(let place): return place
        case .noRoom:
            draft.block(
                "'\(disk.device)' has no \(FATVolume.smallest / 2048) MiB of free room for an EFI system partition",
                hint: "make room on a copy of the disk: qemu-img resize COPY +66M, then convert that copy")
        case .impossible(let reason):
            draft.block(
                "'\(disk.device)' can't get an EFI system partition: \(reason)",
                hint: "use --firmware bios, or make a place in the source")
        }
        return nil
    }

    /// A volume ID that follows from the disk's own, so that the same disk gives the same plan.
    private static func serial(for disk: GuestDisk) -> UInt32 {
        let id =
            switch disk.table {
            case .gpt(let table): table.diskID.bytes
            case .mbr(let table): LittleEndian.bytes(table.signature)
            case .none: [UInt8]()
            }
        return CRC32.checksum(Array("rehost".utf8) + id) | 1
    }

    /// Without the partition the guest starts as well: nothing waits for it, and nobody has to check it.
    private func mount(_ uuid: String, _ draft: inout Draft) throws {
        let fstab: GuestPath = "/etc/fstab"
        guard var bytes = try draft.editableBytes(fstab) else { return }
        let points = ByteLines(bytes).lines.compactMap { FieldLine($0)?.text(1) }
        guard !points.contains(where: { ["/boot/efi", "/efi"].contains($0) }) else { return }
        if bytes.last != 0x0A, !bytes.isEmpty { bytes.append(0x0A) }
        bytes += Array("UUID=\(uuid) /boot/efi vfat umask=0077,nofail 0 0\n".utf8)
        try draft.write(fstab, bytes)
        try draft.makeDirectory("/boot/efi")
    }

    // MARK: GRUB

    private struct Loader {
        /// In \EFI\BOOT.
        var files: [(name: String, bytes: [UInt8])]
        /// Beside the guest's menu.
        var modules: [String: [UInt8]]
        var menu: GrubMenu
        var permissions: UInt16
    }

    /// - Returns: nil after a blocker.
    private func makeLoader(_ draft: inout Draft, _ guest: Inspection) throws -> Loader? {
        guard let grub else {
            draft.block(
                "GRUB for UEFI is not installed on this host", hint: "apt install grub-efi-amd64-bin grub-common")
            return nil
        }
        guard try haveKernel(&draft, guest), let menu = try GrubMenu.plan(in: &draft, guest: guest),
            let place = try menu.location(in: &draft, guest: guest)
        else { return nil }
        var seen: Set<String> = []
        let modules = (UEFIGrub.ownModules + place.modules).filter { seen.insert($0).inserted }
        let program = try grub.makeProgram(modules, UEFIGrub.folder)
        return Loader(
            files: [("BOOTX64.EFI", program), ("grub.cfg", Array(UEFIGrub.configuration(for: place).utf8))],
            modules: grub.usableModules, menu: menu,
            permissions: place.mount.type == "vfat" ? UEFISystemPartition.permissions : 0o644)
    }

    /// Whether a kernel is there that UEFI can start; others are named.
    private func haveKernel(_ draft: inout Draft, _ guest: Inspection) throws -> Bool {
        let obstacles = try guest.kernels.compactMap { kernel in
            try UEFIKernel.obstacle(kernel, in: draft).map { "\(kernel.version): \($0)" }
        }
        guard let first = obstacles.first else { return true }
        guard obstacles.count < guest.kernels.count else {
            draft.block("UEFI can't start the guest's kernel \(first)", hint: "use --firmware bios")
            return false
        }
        for obstacle in obstacles.prefix(20) {
            draft.warn("UEFI can't start the kernel \(obstacle); it stays in the menu, and others are there")
        }
        return true
    }

    private func lay(_ loader: Loader, into draft: inout Draft) throws {
        for (name, bytes) in loader.modules {
            try draft.write(
                loader.menu.prefix.appending("x86_64-efi/\(name)"), bytes, permissions: loader.permissions)
        }
    }

    private func say(_ draft: inout Draft, _ place: String, _ loader: Loader) {
        draft.note(
            "UEFI starts GRUB from \(place), which loads '\(loader.menu.prefix)/grub.cfg'; what starts the guest by"
                + " BIOS stays as it is",
            hint: "Secure Boot has to be off: this GRUB is not signed")
    }
}
