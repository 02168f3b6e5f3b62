public import Guest

/// Makes a Windows that starts by UEFI start by BIOS: the GPT becomes an MBR with every partition in its place, the boot files
/// that each Windows has for its own installer go where BIOS needs them, the boot configuration is made to fit, and GRUB
/// in front of the first partition starts Windows' boot manager.
public struct WindowsBIOSBoot: Injector {
    public let name = "bios-boot"
    private let grub: BIOSGrub

    public init(grub: BIOSGrub) { self.grub = grub }

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil && guest.firmware == .uefi }

    private static let keepFirmware = "use --firmware keep, which starts it as the source does"

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows, let place = place(of: guest, &draft) else { return }
        do {
            let signature = MBRLayout.signature(
                for: place.table, kept: try keptSignature(of: place.disk, draft),
                others: Set(
                    guest.disks.compactMap { if case .mbr(let table) = $0.table { table.signature } else { nil } }))
            let layout = try MBRLayout(
                place.table, of: place.disk, active: place.partition.number,
                isFAT: { guest.fileSystem(on: "\(place.disk.device)\($0)")?.type == "vfat" }, signature: signature)
            try BootFiles(windows: windows).lay(into: &draft)
            guard try convertStore(place, layout, guest, &draft) else { return }
            try keepDriveLetters(windows, layout, &draft)
            try writeBootCode(place, layout, &draft)
            say(layout, place, &draft)
        } catch let failure as MBRLayout.Failure {
            draft.block(failure.message, hint: failure.hint)
        } catch let failure as BootFiles.Failure {
            draft.block(failure.message, hint: failure.hint)
        }
    }

    /// Where Windows is.
    private struct Place {
        var disk: GuestDisk
        var table: GPT
        var partition: GPT.Entry
        /// Where the table's copy ends, or the disk.
        var sectors: UInt64 { disk.size / UInt64(SectorEdit.sectorSize) }
    }

    private func place(of guest: Inspection, _ draft: inout Draft) -> Place? {
        let device = guest.mounts.first { $0.path.isRoot }?.device ?? ""
        guard let (name, number) = FileSystem(device: device, type: "").partition,
            let disk = guest.disks.first(where: { $0.device == name }), case .gpt(let table) = disk.table,
            let partition = table.entries.first(where: { $0.number == number })
        else {
            draft.block("Windows isn't on a partition of a GPT ('\(device)')", hint: Self.keepFirmware)
            return nil
        }
        guard disk.hasEFISystemPartition else {
            draft.block(
                "Windows is on disk \(disk.index), and its EFI system partition on another; BIOS starts from one disk",
                hint: Self.keepFirmware)
            return nil
        }
        return Place(disk: disk, table: table, partition: partition)
    }

    private func keptSignature(of disk: GuestDisk, _ draft: Draft) throws -> UInt32 {
        try LittleEndian(draft.sectors(disk: disk.index, first: 0, count: 1)).u32(0x1B8)
    }

    // MARK: What Windows reads

    /// In bytes; stores have 32 KiB.
    private static let storeLimit: UInt64 = 16 << 20

    /// - Returns: whether there is a store that starts the Windows.
    private func convertStore(
        _ place: Place, _ layout: MBRLayout, _ guest: Inspection, _ draft: inout Draft
    ) throws -> Bool {
        guard let system = UEFISystemPartition(of: guest) else {
            draft.block(
                "the EFI system partition with Windows' boot configuration can't be read", hint: Self.keepFirmware)
            return false
        }
        let file = try system.path("EFI", "Microsoft", "Boot", "BCD", in: draft)
        guard let size = try draft.status(file)?.size, size <= Self.storeLimit else {
            draft.block(
                "the EFI system partition has no boot configuration of Windows ('\(system.name(of: file))')",
                hint: Self.keepFirmware)
            return false
        }
        let hive = BootStore.hive("/Boot/BCD")
        try draft.copy(BootStore.hive(file), to: hive)
        let systemNumber = FileSystem(device: system.mount.device, type: "").partition?.number
        let store = BootStore(
            hive: hive, layout: layout, diskID: place.table.diskID,
            bootPartitions: Set([place.partition.number, systemNumber].compactMap { $0 }))
        guard try store.convert(in: &draft) > 0, try store.defaultIsThere(draft) else {
            draft.block(
                "the boot configuration of Windows ('\(system.name(of: file))') has no entry that starts from a partition"
                    + " of the given disks",
                hint: "give all disks of the guest, each with --disk; or \(Self.keepFirmware)")
            return false
        }
        return true
    }

    /// Windows knows its volumes by their partitions' places: without this, C: would be another letter after the first start.
    private func keepDriveLetters(
        _ windows: WindowsInstallation, _ layout: MBRLayout, _ draft: inout Draft
    ) throws {
        let key = DriveLetters.key(windows)
        for value in try draft.values(of: key) ?? [] {
            guard case .gpt(let id) = DriveLetters.Place(value.value.bytes),
                let partition = layout.partitions.first(where: { $0.old.id == id })
            else { continue }
            try draft.set(
                value.name, RegistryValue(type: value.value.type, bytes: layout.place(of: partition).bytes), of: key)
        }
    }

    // MARK: What BIOS reads

    private static let limitOfBIOS: UInt64 = 1 << 32

    private func writeBootCode(_ place: Place, _ layout: MBRLayout, _ draft: inout Draft) throws {
        let disk = place.disk.index
        guard let partition = layout.partitions.first(where: { $0.entry.isActive }) else { return }
        let record = try fixVolumeRecord(partition, disk: disk, &draft)
        let serial = Hex.text(record[0x48..<0x50].reversed()).uppercased()
        let core = BIOSGrub.placed(
            try grub.makeCore(
                BIOSGrub.Core(
                    modules: ["biosdisk", "part_msdos", "ntfs", "search_fs_uuid", "ntldr", "boot"],
                    prefix: "(,msdos\(partition.number))/b",
                    earlyConfiguration: """
                        search.fs_uuid \(serial) root hd0,msdos\(partition.number)
                        ntldr /bootmgr
                        boot

                        """)), at: 1)
        let count = UInt64(core.count / SectorEdit.sectorSize)
        let end = min(place.sectors, place.table.lastUsableSector + 1)
        guard let first = layout.room(for: count, upTo: end) else {
            throw MBRLayout.Failure(
                message: "disk \(disk) has no gap of \(count) sectors for boot code",
                hint: "make room on a copy of the disk: qemu-img resize COPY +2M, then convert that copy")
        }
        try clearTable(place, layout, keeping: first..<first + count, &draft)
        try draft.write(
            sectors: SectorEdit(
                disk: disk, firstSector: first, bytes: BIOSGrub.placed(core, at: first), what: "GRUB core image"))
        let old = try draft.sectors(disk: disk, first: 0, count: 1)
        try draft.write(
            sectors: SectorEdit(
                disk: disk, firstSector: 0,
                bytes: grub.bootSector(keeping: layout.sector(keeping: old), coreAt: first),
                what: "GRUB boot sector, and an MBR in place of the GPT"))
    }

    /// The GPT and its copy, which a tool or firmware would take for the disk's table.
    private func clearTable(
        _ place: Place, _ layout: MBRLayout, keeping core: Range<UInt64>, _ draft: inout Draft
    ) throws {
        let disk = place.disk.index
        let firstUsed = layout.partitions.map(\.old.firstSector).min() ?? place.table.reservedSectors
        let lastUsed = layout.partitions.map(\.old.lastSector).max() ?? 0
        let start = core.lowerBound == 1 ? core.upperBound : 1
        let copy = place.table.alternateSector
        let ranges = [
            (start..<max(start, min(place.table.reservedSectors, firstUsed)), "the GPT, cleared"),
            (
                min(copy + 1, max(lastUsed + 1, core.upperBound, copy - place.table.reservedSectors + 2))..<copy + 1,
                "the GPT's copy, cleared"
            ),
        ]
        for (range, what) in ranges where !range.isEmpty {
            let bytes = [UInt8](repeating: 0, count: range.count * SectorEdit.sectorSize)
            try draft.write(
                sectors: SectorEdit(disk: disk, firstSector: range.lowerBound, bytes: bytes, what: what))
        }
    }

    /// The volume's own boot record says how many sectors are in front of it, which the boot manager goes by; volumes that
    /// were made elsewhere may have another number there.
    private func fixVolumeRecord(
        _ partition: MBRLayout.Partition, disk: Int, _ draft: inout Draft
    ) throws -> [UInt8] {
        let first = partition.old.firstSector
        var record = try draft.sectors(disk: disk, first: first, count: 1)
        guard record[3..<11].elementsEqual("NTFS    ".utf8) else {
            throw MBRLayout.Failure(
                message: "the volume of Windows on disk \(disk) has no boot record of NTFS", hint: Self.keepFirmware)
        }
        guard LittleEndian(record).u32(0x1C) != partition.entry.firstSector else { return record }
        record.replaceSubrange(0x1C..<0x20, with: LittleEndian.bytes(partition.entry.firstSector))
        try draft.write(
            sectors: SectorEdit(
                disk: disk, firstSector: first, bytes: record, what: "boot record of the volume: its place on the disk")
        )
        return record
    }

    // MARK: Saying

    private func say(_ layout: MBRLayout, _ place: Place, _ draft: inout Draft) {
        let list = layout.partitions.map {
            $0.old.number == $0.number ? "\($0.number)" : "\($0.old.number) as \($0.number)"
        }
        draft.note(
            "disk \(place.disk.index): the GPT becomes an MBR, with the partitions \(list.joined(separator: ", ")) in"
                + " their places; BIOS starts Windows' boot manager through GRUB")
        if layout.dropped.contains(where: { $0.type == GPT.efiSystem }) {
            draft.note("an MBR holds four partitions: the EFI system partition isn't among them; its content stays")
        }
        if layout.partitions.contains(where: { $0.entry.type == 0x27 }) {
            draft.note(
                "Windows' recovery environment has no virtio driver, and Windows may not find it any more",
                hint: "'reagentc /enable' in the converted guest sets it up again")
        }
        draft.note(
            "the start by BIOS was tried with a stand-in for Windows' boot manager, not with Windows itself",
            hint: "'rehost preflight' shows how far the converted guest comes")
    }
}
