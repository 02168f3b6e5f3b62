/// How a disk is divided.
public enum PartitionTable: Equatable, Sendable {
    case gpt(GPT)
    case mbr(MBR)
    /// No table: a bare file system, an LVM volume, or empty.
    case none
}

/// As JSON: a "type" and, under its name, the table.
extension PartitionTable: Codable {
    private enum CodingKeys: String, CodingKey {
        case type
        case gpt
        case mbr
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .type) {
        case "gpt": self = .gpt(try container.decode(GPT.self, forKey: .gpt))
        case "mbr": self = .mbr(try container.decode(MBR.self, forKey: .mbr))
        default: self = .none
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .gpt(let table):
            try container.encode("gpt", forKey: .type)
            try container.encode(table, forKey: .gpt)
        case .mbr(let table):
            try container.encode("mbr", forKey: .type)
            try container.encode(table, forKey: .mbr)
        case .none: try container.encode("none", forKey: .type)
        }
    }
}

/// A GUID partition table: UEFI specification 2.10, section 5.3.
public struct GPT: Equatable, Sendable, Codable {
    public struct Entry: Equatable, Sendable, Codable {
        /// From 1, as Linux numbers partitions.
        public var number: Int
        public var type: GUID
        public var id: GUID
        public var firstSector: UInt64
        /// Inclusive.
        public var lastSector: UInt64
        public var attributes: UInt64
        public var name: String

        public init(
            number: Int, type: GUID, id: GUID, firstSector: UInt64, lastSector: UInt64, attributes: UInt64 = 0,
            name: String
        ) {
            self.number = number
            self.type = type
            self.id = id
            self.firstSector = firstSector
            self.lastSector = lastSector
            self.attributes = attributes
            self.name = name
        }

        public var sectorCount: UInt64 { lastSector - firstSector + 1 }
    }

    public var diskID: GUID
    public var firstUsableSector: UInt64
    public var lastUsableSector: UInt64
    /// How many entries the table has room for; 128 nearly always.
    public var capacity: Int
    public var alternateSector: UInt64
    /// Sorted by number; empty entries are left out.
    public var entries: [Entry]

    static let entrySize = 128
    static let headerSize = 92

    public static let efiSystem = GUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
    public static let biosBoot = GUID("21686148-6449-6e6f-744e-656564454649")

    public enum ParseError: Error, Equatable {
        case notGPT
        /// It says GPT, but can't be trusted: what is wrong with it.
        case damaged(String)
    }

    /// - Parameter sectors: the disk's first sectors, from LBA 0; 34 hold a usual table.
    public init(sectors: [UInt8]) throws(ParseError) {
        let size = SectorEdit.sectorSize
        guard sectors.count >= 2 * size, sectors[size..<size + 8].elementsEqual("EFI PART".utf8) else {
            throw .notGPT
        }
        let header = LittleEndian(Array(sectors[size..<2 * size]))
        guard header.u32(12) == Self.headerSize else { throw .damaged("its header has an unusual size") }
        var bare = Array(sectors[size..<size + Self.headerSize])
        bare.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        guard CRC32.checksum(bare) == header.u32(16) else { throw .damaged("its header's checksum is wrong") }
        guard header.u64(72) == 2, header.u32(84) == Self.entrySize else {
            throw .damaged("its entries have an unusual place or size")
        }
        let count = Int(header.u32(80))
        let length = count * Self.entrySize
        guard count > 0, count <= 1024, sectors.count >= 2 * size + length else {
            throw .damaged("it has room for \(count) partitions")
        }
        let table = Array(sectors[2 * size..<2 * size + length])
        guard CRC32.checksum(table) == header.u32(88) else { throw .damaged("its entries' checksum is wrong") }
        capacity = count
        alternateSector = header.u64(32)
        firstUsableSector = header.u64(40)
        lastUsableSector = header.u64(48)
        diskID = GUID(bytes: Array(sectors[size + 56..<size + 72]))
        // 2^53 sectors are 4 EiB: past any disk, and far from where sums overflow.
        let tableSectors = UInt64((length + size - 1) / size)
        guard alternateSector < 1 << 53, alternateSector > 2 * tableSectors + 2, lastUsableSector < alternateSector,
            firstUsableSector <= lastUsableSector
        else { throw .damaged("its usable range lies outside the disk") }
        let bytes = LittleEndian(table)
        var found: [Entry] = []
        for index in 0..<count {
            let at = index * Self.entrySize
            let type = GUID(bytes: Array(table[at..<at + 16]))
            if type.isZero { continue }
            let name = (0..<36).map { bytes.u16(at + 56 + 2 * $0) }.prefix { $0 != 0 }
            let first = bytes.u64(at + 32)
            let last = bytes.u64(at + 40)
            guard first <= last else { throw .damaged("partition \(index + 1) ends before it starts") }
            guard last < alternateSector else { throw .damaged("partition \(index + 1) ends past the disk") }
            found.append(
                Entry(
                    number: index + 1, type: type, id: GUID(bytes: Array(table[at + 16..<at + 32])),
                    firstSector: first, lastSector: last,
                    attributes: bytes.u64(at + 48), name: String(decoding: name, as: UTF16.self)))
        }
        entries = found
    }

    /// Sectors that the table itself takes before the first usable one: 34 for 128 entries.
    public var reservedSectors: UInt64 {
        2 + UInt64((capacity * Self.entrySize + SectorEdit.sectorSize - 1) / SectorEdit.sectorSize)
    }

    /// The free ranges between partitions, in order, inside what the table could use.
    public var gaps: [ClosedRange<UInt64>] {
        var next = reservedSectors
        let end = min(lastUsableSector, 1 << 53)
        var gaps: [ClosedRange<UInt64>] = []
        for entry in entries.sorted(by: { $0.firstSector < $1.firstSector }) {
            if entry.firstSector > next { gaps.append(next...entry.firstSector - 1) }
            next = max(next, entry.lastSector + 1)
        }
        if next <= end { gaps.append(next...end) }
        return gaps
    }

    /// The lowest number that no partition has; nil where the table is full.
    public var freeNumber: Int? {
        let used = Set(entries.map(\.number))
        return (1...capacity).first { !used.contains($0) }
    }

    /// The table as sectors: LBA 1 on, and the copy at the disk's end.
    public func edits(disk: Int) -> [SectorEdit] {
        let size = SectorEdit.sectorSize
        var table = [UInt8](repeating: 0, count: capacity * Self.entrySize)
        for entry in entries {
            var bytes = entry.type.bytes + entry.id.bytes
            bytes += LittleEndian.bytes(entry.firstSector) + LittleEndian.bytes(entry.lastSector)
            bytes += LittleEndian.bytes(entry.attributes)
            for unit in Array(entry.name.utf16.prefix(36)) { bytes += LittleEndian.bytes(unit) }
            table.replaceSubrange(
                (entry.number - 1) * Self.entrySize..<(entry.number - 1) * Self.entrySize + bytes.count, with: bytes)
        }
        let tableCRC = CRC32.checksum(table)
        table += [UInt8](repeating: 0, count: (size - table.count % size) % size)
        let tableSectors = UInt64(table.count / size)
        func header(own: UInt64, other: UInt64, entriesAt: UInt64) -> [UInt8] {
            var bytes = Array("EFI PART".utf8) + [0, 0, 1, 0] + LittleEndian.bytes(UInt32(Self.headerSize))
            bytes += [0, 0, 0, 0, 0, 0, 0, 0]
            bytes += LittleEndian.bytes(own) + LittleEndian.bytes(other)
            bytes += LittleEndian.bytes(firstUsableSector) + LittleEndian.bytes(lastUsableSector)
            bytes += diskID.bytes + LittleEndian.bytes(entriesAt)
            bytes += LittleEndian.bytes(UInt32(capacity)) + LittleEndian.bytes(UInt32(Self.entrySize))
            bytes += LittleEndian.bytes(tableCRC)
            bytes.replaceSubrange(16..<20, with: LittleEndian.bytes(CRC32.checksum(bytes)))
            return bytes + [UInt8](repeating: 0, count: size - bytes.count)
        }
        return [
            SectorEdit(
                disk: disk, firstSector: 1,
                bytes: header(own: 1, other: alternateSector, entriesAt: 2) + table, what: "GPT"),
            SectorEdit(
                disk: disk, firstSector: alternateSector &- tableSectors,
                bytes: table
                    + header(own: alternateSector, other: 1, entriesAt: alternateSector &- tableSectors),
                what: "GPT, the copy at the end"),
        ]
    }
}

/// A GUID in its on-disk byte order (the first three fields little-endian).
public struct GUID: Hashable, Sendable {
    public let bytes: [UInt8]

    /// - Precondition: 16 bytes.
    public init(bytes: [UInt8]) {
        precondition(bytes.count == 16, "a GUID has 16 bytes")
        self.bytes = bytes
    }

    /// From the usual text form, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b".
    /// - Precondition: 32 hexadecimal digits.
    public init(_ text: String) {
        let digits = Array(text.filter { $0 != "-" })
        precondition(digits.count == 32, "a GUID has 32 digits")
        let raw = stride(from: 0, to: 32, by: 2).map { UInt8(String(digits[$0..<$0 + 2]), radix: 16) ?? 0 }
        self.init(bytes: raw[0..<4].reversed() + raw[4..<6].reversed() + raw[6..<8].reversed() + raw[8...])
    }

    /// nil where a text isn't one; braces around it don't matter.
    public init?(validating text: some StringProtocol) {
        let bare = text.filter { $0 != "-" && $0 != "{" && $0 != "}" }
        guard bare.count == 32, bare.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        self.init(String(bare))
    }

    public var isZero: Bool { bytes.allSatisfy { $0 == 0 } }
}

extension GUID: CustomStringConvertible, Codable {
    public var description: String {
        let order = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15]
        return order.map { $0 < 0 ? "-" : Hex.text(bytes[$0]) }.joined()
    }

    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard text.filter({ $0 != "-" }).count == 32 else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not a GUID"))
        }
        self.init(text)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
