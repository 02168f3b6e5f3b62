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
        guard let prefix = try planConfiguration(in: &draft, guest: guest) else { return }
        guard let place = try Self.location(of: prefix, in: draft, guest: guest) else {
            draft.block(
                "GRUB can't be told where '\(prefix)' is: its file system has no UUID",
                hint: "give it one in the source (tune2fs -U random, xfs_admin -U generate)")
            return
        }
        guard Self.isReachable(place.mount.device, on: guest, &draft) else { return }
        let core = try grub.makeCore(place.core)
        let sectors = UInt64((core.count + SectorEdit.sectorSize - 1) / SectorEdit.sectorSize)
        guard let (first, after) = Self.table(table, withRoomFor: sectors, on: disk) else {
            draft.block(
                "'\(disk.device)' has no gap of \(sectors) free sectors for a BIOS boot partition",
                hint: "make room on a copy of the disk: qemu-img resize COPY +2M, then convert that copy")
            return
        }
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
        for (name, bytes) in grub.modules {
            try draft.write(prefix.appending("i386-pc/\(name)"), bytes, permissions: 0o644)
        }
        draft.note(
            "disk \(disk.index): BIOS starts GRUB from partition \(partition?.number ?? 0) (BIOS boot, \(range)),"
                + " which loads '\(prefix)/grub.cfg'; the EFI system partition stays as it is")
    }

    /// The disk with the EFI system partition; of several, the first.
    static func bootDisk(of guest: Inspection) -> GuestDisk? {
        guest.disks.first { disk in
            if case .gpt(let table) = disk.table { table.entries.contains { $0.type == GPT.efiSystem } } else { false }
        }
    }

    /// - Returns: the folder that GRUB reads from; nil after a blocker.
    private func planConfiguration(in draft: inout Draft, guest: Inspection) throws -> GuestPath? {
        switch guest.bootLoader {
        case .grub2(let configuration, let prefix):
            let text = try draft.text(configuration) ?? ""
            let commands = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).first ?? "" }
            guard !commands.contains("blscfg") else {
                draft.block(
                    "'\(configuration)' takes its menu from Boot Loader Specification entries (blscfg),"
                        + " which this GRUB for BIOS can't read",
                    hint: "use --firmware keep, or run 'grub2-mkconfig' in the source with GRUB_ENABLE_BLSCFG=false")
                return nil
            }
            return prefix
        case .loaderEntries(let entries):
            let prefix: GuestPath = "/boot/grub"
            guard let text = try LoaderEntries.grubConfiguration(entries, in: draft, guest: guest) else {
                draft.block(
                    "none of the guest's \(entries.count) boot loader entries names a kernel that is there",
                    hint: "use --firmware keep")
                return nil
            }
            try draft.write(prefix.appending("grub.cfg"), text: text)
            draft.warn(
                "'\(prefix)/grub.cfg' is made from the guest's \(entries.count) boot loader entries;"
                    + " kernels that are installed later won't appear in it by themselves")
            return prefix
        case .unknown:
            draft.block(
                "no boot loader configuration that can be used under BIOS was found"
                    + " (no grub.cfg in /boot/grub or /boot/grub2, no boot loader entries)",
                hint: "use --firmware keep, or check that /boot is on one of the given disks")
            return nil
        }
    }

    /// Where GRUB finds its prefix, and what its core needs to get there.
    private static func location(
        of prefix: GuestPath, in draft: Draft, guest: Inspection
    ) throws -> (mount: Mount, core: BIOSGrub.Core)? {
        let real = try draft.resolve(prefix)
        guard let mount = guest.mount(holding: real),
            let uuid = guest.fileSystem(on: mount.device)?.uuid, let below = real.relative(to: mount.path)
        else { return nil }
        // GRUB sees a btrfs from its top level, whatever its default subvolume is.
        let top = [mount.subvolume, below].compactMap { $0 }.filter { !$0.isEmpty && $0 != "/" }
        let path = "/" + top.joined(separator: "/")
        var modules = ["biosdisk", "part_gpt", "part_msdos", "search_fs_uuid"]
        // GRUB's driver has its own name for two of them.
        let driver = ["ext2": "ext2", "ext3": "ext2", "ext4": "ext2", "vfat": "fat"][mount.type] ?? mount.type
        modules.append(driver)
        if mount.device.hasPrefix("/dev/md") { modules += ["diskfilter", "mdraid09", "mdraid1x"] }
        if FileSystem(device: mount.device, type: mount.type).partition == nil { modules += ["diskfilter", "lvm"] }
        if guest.fileSystems.contains(where: { $0.type == "linux_raid_member" }) {
            modules += ["mdraid09", "mdraid1x"]
        }
        var seen: Set<String> = []
        let core = BIOSGrub.Core(
            modules: modules.filter { seen.insert($0).inserted }, prefix: path,
            earlyConfiguration: "search.fs_uuid \(uuid) root\nset prefix=($root)\(quoted(path))\n")
        return (mount, core)
    }

    /// Single quotes hold everything in GRUB's language but a single quote.
    private static func quoted(_ path: String) -> String {
        "'" + path.replacing("'", with: "'\\''") + "'"
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
        let total = disk.size / UInt64(SectorEdit.sectorSize)
        var grown = table
        grown.alternateSector = total - 1
        grown.lastUsableSector = total - table.reservedSectors
        for var candidate in table.alternateSector == total - 1 ? [table] : [table, grown] {
            guard
                let gap = candidate.gaps.first(where: { UInt64($0.count) >= sectors && $0.lowerBound + sectors < limit }
                )
            else { continue }
            let length = min(UInt64(gap.count), max(comfortable, sectors))
            candidate.firstUsableSector = min(candidate.firstUsableSector, gap.lowerBound)
            candidate.entries.append(
                GPT.Entry(
                    number: number, type: GPT.biosBoot, id: identifier(for: table), firstSector: gap.lowerBound,
                    lastSector: gap.lowerBound + length - 1, name: "BIOS boot partition"))
            candidate.entries.sort { $0.number < $1.number }
            return (gap.lowerBound, candidate)
        }
        return nil
    }

    /// A GUID that follows from the disk's own, so that the same disk gives the same plan: random bits of the disk's
    /// GUID with another last half.
    private static func identifier(for table: GPT) -> GUID {
        var bytes = table.diskID.bytes
        for index in 10..<16 { bytes[index] ^= Array("rehost".utf8)[index - 10] }
        if table.entries.contains(where: { $0.id.bytes == bytes }) { bytes[15] ^= 0xFF }
        return GUID(bytes: bytes)
    }
}
