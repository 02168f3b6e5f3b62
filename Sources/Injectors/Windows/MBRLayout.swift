internal import Guest

/// The partitions of a GPT as an MBR holds them, each at its old place.
struct MBRLayout {
    struct Partition {
        /// In the GPT.
        var old: GPT.Entry
        /// In the MBR, from 1.
        var number: Int
        var entry: MBR.Entry
    }

    /// Why there is no such layout, and the way out.
    struct Failure: Error {
        var message: String
        var hint: String
    }

    private(set) var partitions: [Partition] = []
    /// Partitions that hold nothing which is needed without UEFI, and found no place.
    private(set) var dropped: [GPT.Entry] = []
    let signature: UInt32

    private static let reserved = GUID("e3c9e316-0b5c-4db8-817d-f92df00215ae")
    private static let basicData = GUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
    private static let dynamic: Set<GUID> = [
        GUID("5808c8aa-7e8f-42e0-85d2-e1e90434cfb3"), GUID("af9b60a0-1431-4f62-bc68-3311714a69ad"),
    ]
    static func isDynamic(_ type: GUID) -> Bool { dynamic.contains(type) }

    /// Types of an MBR that say the same.
    private static let types: [GUID: UInt8] = [
        GUID("de94bba4-06d1-4d40-a16a-bfd50179d6ac"): 0x27, GPT.efiSystem: MBR.efiSystem,
        GUID("0fc63daf-8483-4772-8e79-3d69d8477de4"): 0x83, GUID("0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"): 0x82,
        GUID("e6d6d379-f507-44c2-a23c-238f2a3df928"): 0x8E,
    ]
    private static let keepFirmware = "use --firmware keep, which leaves the disk as it is"

    /// - Parameters:
    ///   - active: the number of the partition that Windows starts from.
    ///   - isFAT: of each partition, by number.
    init(
        _ table: GPT, of disk: GuestDisk, active: Int, isFAT: (Int) -> Bool, signature: UInt32
    ) throws(Failure) {
        self.signature = signature
        guard !table.entries.contains(where: { Self.dynamic.contains($0.type) }) else {
            throw Failure(
                message: "disk \(disk.index) is a dynamic disk, which can't be given an MBR offline",
                hint: "make it a basic disk in the source, or \(Self.keepFirmware)")
        }
        var needed = table.entries.filter { $0.type != Self.reserved }
        dropped = table.entries.filter { $0.type == Self.reserved }
        // Its files are the way back, as long as there is a place for it.
        if needed.count > 4 {
            dropped += needed.filter { $0.type == GPT.efiSystem }
            needed.removeAll { $0.type == GPT.efiSystem }
        }
        guard needed.count <= 4 else {
            throw Failure(
                message: "disk \(disk.index) has \(needed.count) partitions that are needed; an MBR holds four",
                hint: "remove what isn't needed from the source, or \(Self.keepFirmware)")
        }
        needed.sort { $0.firstSector < $1.firstSector }
        for (index, old) in needed.enumerated() {
            guard let first = UInt32(exactly: old.firstSector), let count = UInt32(exactly: old.sectorCount),
                old.lastSector < 1 << 32
            else {
                throw Failure(
                    message: "partition \(old.number) of disk \(disk.index) reaches past 2 TiB, which an MBR can't say",
                    hint: "shrink it in the source, or \(Self.keepFirmware)")
            }
            guard let type = old.type == Self.basicData ? (isFAT(old.number) ? 0x0C : 0x07) : Self.types[old.type]
            else {
                throw Failure(
                    message:
                        "partition \(old.number) of disk \(disk.index) is of the type \(old.type), for which an MBR"
                        + " has none", hint: "remove it from the source, or \(Self.keepFirmware)")
            }
            partitions.append(
                Partition(
                    old: old, number: index + 1,
                    entry: MBR.Entry(
                        type: type, isActive: old.number == active, firstSector: first, sectorCount: count)))
        }
    }

    /// A disk signature that follows from the disk's GUID, and that no other disk has.
    static func signature(for table: GPT, kept: UInt32, others: Set<UInt32>) -> UInt32 {
        var signature = kept == 0 ? CRC32.checksum(table.diskID.bytes) : kept
        while signature == 0 || others.contains(signature) { signature &+= 1 }
        return signature
    }

    /// Sector 0 with the table in it; the boot code stays.
    func sector(keeping old: [UInt8]) -> [UInt8] {
        var sector = old
        sector.replaceSubrange(0x1B8..<0x1BC, with: LittleEndian.bytes(signature))
        sector.replaceSubrange(0x1BC..<0x1FE, with: [UInt8](repeating: 0, count: 0x42))
        sector.replaceSubrange(0x1FE..<0x200, with: [0x55, 0xAA])
        for partition in partitions { sector = MBR.adding(partition.entry, at: partition.number - 1, to: sector) }
        return sector
    }

    /// Where as many sectors are free: behind the table, or between two partitions.
    func room(for sectors: UInt64, upTo end: UInt64) -> UInt64? {
        var next: UInt64 = 1
        for partition in partitions {
            if partition.old.firstSector >= next + sectors { return next }
            next = partition.old.lastSector + 1
        }
        return next + sectors <= min(end, 1 << 32) ? next : nil
    }

    /// As Windows tells a partition from others on a disk with an MBR.
    func place(of partition: Partition) -> DriveLetters.Place {
        .mbr(signature: signature, offset: partition.old.firstSector * UInt64(SectorEdit.sectorSize))
    }
}
