internal import Guest

/// A transaction log: pages that a hive lacks.
struct HiveLog {
    /// Pages that belong together: all or none of them are written.
    struct Transaction {
        var sequence: UInt32
        /// Of the hive, once it is written.
        var binsSize: UInt32
        /// The lowest bit of the base block's flags; nil where the log doesn't say.
        var flags: UInt32?
        /// Offset behind the base block, and the bytes.
        var pages: [(offset: Int, bytes: ArraySlice<UInt8>)]
    }

    var header: HiveHeader
    /// The first sector, which mends a base block.
    var headerBytes: [UInt8]
    /// Without a gap in their numbers.
    var transactions: [Transaction]
    var isOldFormat: Bool

    /// nil: an empty file, or nothing that can be used.
    init?(_ bytes: [UInt8]) {
        guard let header = HiveHeader(bytes), header.hasValidChecksum,
            header.primarySequence == header.secondarySequence
        else { return nil }
        self.header = header
        headerBytes = Array(bytes.prefix(HiveHeader.sectorSize))
        switch header.fileType {
        case 1, 2:
            isOldFormat = true
            transactions = Self.dirtyPages(bytes, header).map { [$0] } ?? []
        case 6:
            isOldFormat = false
            transactions = Self.entries(bytes, from: header.primarySequence)
        default: return nil
        }
        if transactions.isEmpty { return nil }
    }

    // MARK: Entries, since Windows 8.1

    private static let entryHeader = 40

    private static func entries(_ bytes: [UInt8], from first: UInt32) -> [Transaction] {
        let number = LittleEndian(bytes)
        var found: [Transaction] = []
        var at = HiveHeader.sectorSize
        var expected = first
        while at + entryHeader <= bytes.count, bytes[at..<at + 4].elementsEqual("HvLE".utf8) {
            let size = Int(number.u32(at + 4))
            let binsSize = number.u32(at + 16)
            guard size >= entryHeader, size % HiveHeader.sectorSize == 0, size <= bytes.count - at,
                number.u32(at + 12) == expected, binsSize % 4096 == 0,
                Marvin32.hash(bytes[at..<at + 32]) == number.u64(at + 32),
                Marvin32.hash(bytes[at + entryHeader..<at + size]) == number.u64(at + 24),
                let pages = pages(bytes[at..<at + size], count: Int(number.u32(at + 20)), binsSize: Int(binsSize))
            else { break }
            found.append(
                Transaction(sequence: expected, binsSize: binsSize, flags: number.u32(at + 8) & 1, pages: pages))
            expected &+= 1
            at += size
        }
        return found
    }

    private static func pages(
        _ entry: ArraySlice<UInt8>, count: Int, binsSize: Int
    ) -> [(offset: Int, bytes: ArraySlice<UInt8>)]? {
        let references = Array(entry.dropFirst(entryHeader).prefix(8 * count))
        guard references.count == 8 * count else { return nil }
        let number = LittleEndian(references)
        var at = entry.startIndex + entryHeader + 8 * count
        var pages: [(offset: Int, bytes: ArraySlice<UInt8>)] = []
        for index in 0..<count {
            let offset = Int(number.u32(8 * index))
            let size = Int(number.u32(8 * index + 4))
            guard size <= entry.endIndex - at, offset + size <= binsSize else { return nil }
            pages.append((offset, entry[at..<at + size]))
            at += size
        }
        return pages
    }

    // MARK: One bitmap, before

    private static let pageSize = 512

    private static func dirtyPages(_ bytes: [UInt8], _ header: HiveHeader) -> Transaction? {
        let start = HiveHeader.sectorSize
        guard bytes.count > start + 4, bytes[start..<start + 4].elementsEqual("DIRT".utf8) else { return nil }
        let pageCount = Int(header.binsSize) / pageSize
        let bitmap = bytes.dropFirst(start + 4).prefix((pageCount + 7) / 8)
        guard bitmap.count == (pageCount + 7) / 8 else { return nil }
        // The pages start at the sector after the bitmap's last.
        var at = (bitmap.endIndex + pageSize - 1) / pageSize * pageSize
        var pages: [(offset: Int, bytes: ArraySlice<UInt8>)] = []
        for page in 0..<pageCount where bitmap[bitmap.startIndex + page / 8] >> (page % 8) & 1 == 1 {
            guard at + pageSize <= bytes.count else { return nil }
            pages.append((page * pageSize, bytes[at..<at + pageSize]))
            at += pageSize
        }
        guard !pages.isEmpty else { return nil }
        return Transaction(sequence: header.primarySequence, binsSize: header.binsSize, flags: nil, pages: pages)
    }
}
