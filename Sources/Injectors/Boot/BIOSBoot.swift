public import Guest

/// Makes a UEFI guest start under plain BIOS: a BIOS boot partition with GRUB's core image, GRUB's boot sector, and
/// GRUB's modules beside the guest's own grub.cfg. The EFI system partition stays as it is: it is the way back.
public struct BIOSBoot: Injector {
    public let name = "bios-boot"
    private let grub: BIOSGrub

    public init(grub: BIOSGrub) { self.grub = grub }

    public func applies(to guest: Inspection) -> Bool { guest.firmware == .uefi }

    /// Sectors that BIOS calls and GRUB's MBR can address everywhere: 2 TiB.
    private static let limit: UInt64 = 1 << 32
    /// A BIOS boot partition of 1 MiB holds every core image there is; a smaller gap will do where the image fits.
    private static let comfortable: UInt64 = 2048

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let disk = Self.bootDisk(of: guest), case .gpt(let table) = disk.table else {
            draft.block(
                "no disk with an EFI system partition on a GPT was found",
                hint: "give all disks of the guest with --disk, the boot disk first")
            return
        }
        guard let menu = try GrubMenu.plan(in: &draft, guest: guest),
            let place = try menu.location(in: &draft, guest: guest),
            Self.isReachable(place.mount.device, on: guest, &draft)
        else { return }
        let prefix = menu.prefix
        let core = try grub.makeCore(
            BIOSGrub.Core(
                modules: ["biosdisk"] + place.modules, prefix: place.prefix,
                earlyConfiguration: place.earlyConfiguration))
        guard let made = try install(core, on: disk, table, in: &draft) else {
            let sectors = Self.sectors(of: core)
            draft.block(
                "'\(disk.device)' has no gap of \(sectors) free sectors for a BIOS boot partition",
                hint: "make room on a copy of the disk: qemu-img resize COPY +2M, then convert that copy")
            return
        }
        for (name, bytes) in grub.modules {
            try draft.write(prefix.appending("i386-pc/\(name)"), bytes, permissions: 0o644)
        }
        draft.note(
            "disk \(disk.index): BIOS starts GRUB from \(made), which loads '\(prefix)/\(menu.file)';"
                + " the EFI system partition stays as it is")
        for mirror in Self.mirrors(of: disk, place.mount, guest) {
            guard case .gpt(let table) = mirror.table else { continue }
            if let made = try install(core, on: mirror, table, in: &draft) {
                draft.note("disk \(mirror.index): the same GRUB, in \(made), for the day that disk \(disk.index) fails")
            } else {
                draft.warn(
                    "disk \(mirror.index) has no room for boot code; the guest won't start when disk \(disk.index) fails"
                )
            }
        }
        if try Self.hasShim(guest, draft) {
            draft.note("the guest is prepared for Secure Boot (shim); started by BIOS it has none")
        }
    }

    private static func sectors(of core: [UInt8]) -> UInt64 {
        UInt64((core.count + SectorEdit.sectorSize - 1) / SectorEdit.sectorSize)
    }

    /// Plans GRUB's boot sector and core on a disk.
    /// - Returns: where the core is, in words; nil where there is no room for it.
    private func install(
        _ core: [UInt8], on disk: GuestDisk, _ table: GPT, in draft: inout Draft
    ) throws -> String? {
        guard let (first, after) = Self.table(table, withRoomFor: Self.sectors(of: core), on: disk) else { return nil }
        let partition = after.entries.first { $0.firstSector == first }
        let range = "sectors \(first)–\(partition?.lastSector ?? first)"
        for var edit in after.edits(disk: disk.index) {
            if after != table { edit.what += ", with partition \(partition?.number ?? 0) added: BIOS boot, \(range)" }
            try draft.write(sectors: edit)
        }
        try draft.write(
            sectors: SectorEdit(
                disk: disk.index, firstSector: first, bytes: BIOSGrub.placed(core, at: first), what: "GRUB core image"))
        let old = try draft.sectors(disk: disk.index, first: 0, count: 1)
        try draft.write(
            sectors: SectorEdit(
                disk: disk.index, firstSector: 0, bytes: grub.bootSector(keeping: old, coreAt: first),
                what: "GRUB boot sector"))
        return "partition \(partition?.number ?? 0) (BIOS boot, \(range))"
    }

    /// The other disks of a RAID 1 that GRUB's files are on: each can start the guest.
    private static func mirrors(of disk: GuestDisk, _ mount: Mount, _ guest: Inspection) -> [GuestDisk] {
        guard mount.device.hasPrefix("/dev/md") else { return [] }
        let members = Set(
            guest.fileSystems.filter { $0.type == "linux_raid_member" }.compactMap { $0.partition?.disk })
        return guest.disks.filter { $0.index != disk.index && members.contains($0.device) }
    }

    /// Whether a distribution's folder on the EFI system partition holds shim, which only Secure Boot needs.
    private static func hasShim(_ guest: Inspection, _ files: some GuestFiles) throws -> Bool {
        for mount in guest.mounts where mount.type == "vfat" {
            for folder in try files.list(mount.path.appending("EFI")) {
                let names = try files.list(mount.path.appending("EFI").appending(folder))
                if names.contains(where: { $0.lowercased() == "shimx64.efi" }) { return true }
            }
        }
        return false
    }

    /// The disk with the EFI system partition; of several, the first.
    static func bootDisk(of guest: Inspection) -> GuestDisk? {
        guest.disks.first { disk in
            if case .gpt(let table) = disk.table { table.entries.contains { $0.type == GPT.efiSystem } } else { false }
        }
    }

    /// What BIOS can't read it can't start from.
    private static func isReachable(_ device: String, on guest: Inspection, _ draft: inout Draft) -> Bool {
        guard let (name, number) = FileSystem(device: device, type: "").partition,
            let disk = guest.disks.first(where: { $0.device == name }), case .gpt(let table) = disk.table,
            let entry = table.entries.first(where: { $0.number == number })
        else { return true }
        if entry.firstSector >= limit {
            draft.block(
                "GRUB's files are on partition \(number), which starts past 2 TiB, where BIOS can't read",
                hint: "use --firmware keep")
            return false
        }
        if entry.lastSector >= limit {
            draft.warn(
                "partition \(number) with GRUB's files reaches past 2 TiB, where BIOS can't read;"
                    + " the guest starts as long as its kernels lie before that")
        }
        return true
    }

    /// The table with a BIOS boot partition in it, and where that starts; nil where there is no room.
    static func table(
        _ table: GPT, withRoomFor sectors: UInt64, on disk: GuestDisk
    ) -> (first: UInt64, table: GPT)? {
        if let old = table.entries.first(where: { $0.type == GPT.biosBoot && $0.sectorCount >= sectors }),
            old.lastSector < limit
        {
            return (old.firstSector, table)
        }
        guard let number = table.freeNumber else { return nil }
        // A disk that was grown has room behind the end that its table knows.
        let grown = table.grown(toSectors: disk.size / UInt64(SectorEdit.sectorSize))
        for var candidate in [table, grown].compactMap({ $0 }) {
            guard
                let gap = candidate.gaps.first(where: { UInt64($0.count) >= sectors && $0.lowerBound + sectors < limit }
                )
            else { continue }
            let length = min(UInt64(gap.count), max(comfortable, sectors))
            candidate.firstUsableSector = min(candidate.firstUsableSector, gap.lowerBound)
            candidate.entries.append(
                GPT.Entry(
                    number: number, type: GPT.biosBoot, id: table.derivedID, firstSector: gap.lowerBound,
                    lastSector: gap.lowerBound + length - 1, name: "BIOS boot partition"))
            candidate.entries.sort { $0.number < $1.number }
            return (gap.lowerBound, candidate)
        }
        return nil
    }
}
