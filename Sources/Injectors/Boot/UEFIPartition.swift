internal import Guest

/// Where on a disk an EFI system partition of ours goes, and what becomes of the partition table.
public struct UEFIPartition: Equatable, Sendable {
    var disk: Int
    var number: Int
    var firstSector: UInt64
    var sectorCount: UInt64
    /// None where the partition is there already.
    var tableEdits: [SectorEdit] = []

    /// 64 MiB hold GRUB, or the loaders of a later system of the guest's own.
    static let wanted: UInt64 = 64 * 2048
    /// Partitions start on multiples of 1 MiB.
    private static let alignment: UInt64 = 2048

    enum Search: Equatable, Sendable {
        case found(UEFIPartition)
        case noRoom
        /// A larger disk wouldn't help: why.
        case impossible(String)
    }

    /// - Parameter sector: the disk's first.
    static func search(_ disk: GuestDisk, sector: [UInt8]) -> Search {
        let total = disk.size / UInt64(SectorEdit.sectorSize)
        switch disk.table {
        case .gpt(let table): return search(table, total, disk.index)
        case .mbr(let table): return search(table, total, disk.index, sector)
        case .none: return .impossible("it has no partition table")
        }
    }

    private static func search(_ table: GPT, _ total: UInt64, _ disk: Int) -> Search {
        guard let number = table.freeNumber else {
            return .impossible("its table is full with \(table.capacity) partitions")
        }
        for var candidate in [table, table.grown(toSectors: total)].compactMap({ $0 }) {
            guard let (first, count) = room(in: candidate.gaps) else { continue }
            candidate.firstUsableSector = min(candidate.firstUsableSector, first)
            candidate.entries.append(
                GPT.Entry(
                    number: number, type: GPT.efiSystem, id: table.derivedID, firstSector: first,
                    lastSector: first + count - 1, name: "EFI system partition"))
            candidate.entries.sort { $0.number < $1.number }
            var edits = candidate.edits(disk: disk)
            for index in edits.indices { edits[index].what += added(number, first, count) }
            return .found(
                UEFIPartition(
                    disk: disk, number: number, firstSector: first, sectorCount: count, tableEdits: edits))
        }
        return .noRoom
    }

    private static func search(_ table: MBR, _ total: UInt64, _ disk: Int, _ sector: [UInt8]) -> Search {
        guard let place = table.freePlace else {
            return .impossible("its MBR has four primary partitions, and no place for another")
        }
        guard let (first, count) = room(in: table.gaps(diskSectors: total)) else {
            return total + wanted >= 1 << 32
                ? .impossible("it is full up to 2 TiB, where an MBR's partitions end") : .noRoom
        }
        guard let start = UInt32(exactly: first), let length = UInt32(exactly: count), sector.count == 512 else {
            return .noRoom
        }
        let entry = MBR.Entry(type: MBR.efiSystem, firstSector: start, sectorCount: length)
        let edit = SectorEdit(
            disk: disk, firstSector: 0, bytes: MBR.adding(entry, at: place, to: sector),
            what: "MBR" + added(place + 1, first, count))
        return .found(
            UEFIPartition(
                disk: disk, number: place + 1, firstSector: first, sectorCount: count, tableEdits: [edit]))
    }

    private static func added(_ number: Int, _ first: UInt64, _ count: UInt64) -> String {
        ", with partition \(number) added: EFI system, sectors \(first)–\(first + count - 1)"
    }

    private static func room(in gaps: [ClosedRange<UInt64>]) -> (first: UInt64, count: UInt64)? {
        for gap in gaps {
            let first = (gap.lowerBound + alignment - 1) / alignment * alignment
            guard first <= gap.upperBound else { continue }
            let count = min(gap.upperBound - first + 1, wanted) / alignment * alignment
            if count >= FATVolume.smallest { return (first, count) }
        }
        return nil
    }

    /// A partition of the EFI system type that nothing was ever put on.
    static func unused(on guest: Inspection, in draft: Draft) throws -> UEFIPartition? {
        for disk in guest.disks {
            for device in disk.systemPartitions where guest.fileSystem(on: device) == nil {
                guard let number = FileSystem(device: device, type: "").partition?.number,
                    let (first, count) = range(of: number, on: disk), count >= FATVolume.smallest,
                    first <= disk.size / 512, count <= disk.size / 512 - first,
                    // 64 KiB: signatures of other kinds than blkid's, or somebody's data.
                    try draft.sectors(disk: disk.index, first: first, count: 128).allSatisfy({ $0 == 0 })
                else { continue }
                return UEFIPartition(disk: disk.index, number: number, firstSector: first, sectorCount: count)
            }
        }
        return nil
    }

    private static func range(of number: Int, on disk: GuestDisk) -> (first: UInt64, count: UInt64)? {
        switch disk.table {
        case .gpt(let table):
            return table.entries.first { $0.number == number }.map { ($0.firstSector, $0.sectorCount) }
        case .mbr(let table):
            guard table.entries.indices.contains(number - 1) else { return nil }
            let entry = table.entries[number - 1]
            return (UInt64(entry.firstSector), UInt64(entry.sectorCount))
        case .none: return nil
        }
    }

    // MARK: Larger disks

    /// The first disk that BIOS would start, by the code in its first sector; else the first one.
    static func bootDisk(of guest: Inspection) -> GuestDisk? {
        guest.disks.first { $0.hasBootCode } ?? guest.disks.first
    }

    /// The disk that has to become larger before a system partition fits on the guest's boot disk; nil where there is
    /// one, or room for one, or where more room wouldn't help.
    /// - Parameter disks: the start of each, 64 KiB or what there is, and its size in bytes.
    /// - Returns: its place and its new size in bytes.
    public static func growth(of disks: [(start: [UInt8], size: UInt64)]) -> (disk: Int, size: UInt64)? {
        let found = disks.enumerated().map { index, disk in
            let table: PartitionTable =
                if let gpt = try? GPT(sectors: disk.start) {
                    .gpt(gpt)
                } else if let mbr = MBR(sector: Array(disk.start.prefix(512))), !mbr.isProtective, !mbr.isEmpty {
                    .mbr(mbr)
                } else {
                    .none
                }
            return GuestDisk(
                index: index, device: "/dev/sd" + GuestDisk.letters(index), size: disk.size, table: table,
                hasBootCode: disk.start.prefix(440).contains { $0 != 0 })
        }
        guard !found.contains(where: \.hasEFISystemPartition),
            let boot = found.first(where: \.hasBootCode) ?? found.first,
            search(boot, sector: Array(disks[boot.index].start.prefix(512))) == .noRoom
        else { return nil }
        let mebibyte: UInt64 = 1 << 20
        // The partition, and 1 MiB each for its alignment and for the copy of a GPT behind it.
        let size = (boot.size / mebibyte + 1) * mebibyte + (wanted / 2048 + 2) * mebibyte
        return (boot.index, size)
    }
}
