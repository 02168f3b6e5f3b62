extension GPT {
    /// The table on a disk that has become larger: its copy at the disk's new end, the room up to there usable.
    /// - Returns: nil where the table reaches to the disk's end already.
    public func grown(toSectors total: UInt64) -> GPT? {
        guard total > reservedSectors, total > alternateSector &+ 1, total < 1 << 53 else { return nil }
        var grown = self
        grown.alternateSector = total - 1
        grown.lastUsableSector = total - reservedSectors
        return grown
    }

    /// A GUID for a new partition that follows from the disk's own, so that the same disk gives the same plan: random
    /// bits of the disk's GUID with another last half.
    public var derivedID: GUID {
        var bytes = diskID.bytes
        for index in 10..<16 { bytes[index] ^= Array("rehost".utf8)[index - 10] }
        // At most as often as there are partitions.
        while entries.contains(where: { $0.id.bytes == bytes }) { bytes[15] &+= 1 }
        return GUID(bytes: bytes)
    }

    /// What is written onto a disk that has become larger, so that its table fits it: the GPT, the copy at the new end, and
    /// the protective partition's length. None where it has no GPT, one that can't be trusted, or one that fits.
    /// - Parameters:
    ///   - start: the disk's first sectors; 34 hold a usual table.
    ///   - total: the disk's new size in sectors.
    public static func edits(growing start: [UInt8], disk: Int, toSectors total: UInt64) -> [SectorEdit] {
        guard let grown = try? GPT(sectors: start).grown(toSectors: total) else { return [] }
        return protectiveEdit(start, disk: disk, total: total) + grown.edits(disk: disk)
    }

    /// The one entry of type EE covers the disk from sector 1, or as much as 32 bits can say (UEFI 2.10, 5.2.3). Tools that
    /// always write the latter are taken at their word by Linux and firmware.
    private static func protectiveEdit(_ start: [UInt8], disk: Int, total: UInt64) -> [SectorEdit] {
        let size = SectorEdit.sectorSize
        guard start.count >= size, let record = MBR(sector: start),
            let index = record.entries.firstIndex(where: {
                $0.type == 0xEE && $0.firstSector == 1 && $0.sectorCount != .max
            })
        else { return [] }
        var sector = Array(start[..<size])
        let at = 446 + 16 * index + 12
        sector.replaceSubrange(at..<at + 4, with: LittleEndian.bytes(UInt32(clamping: total - 1)))
        return [SectorEdit(disk: disk, firstSector: 0, bytes: sector, what: "protective MBR")]
    }
}
