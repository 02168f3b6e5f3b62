extension GPT {
    /// The table as it is on a disk that has become larger: usable up to the new end, where its copy goes.
    /// - Returns: nil where the table reaches to the disk's end already.
    public func grown(toSectors total: UInt64) -> GPT? {
        guard total > reservedSectors, alternateSector < total - 1 else { return nil }
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
}
