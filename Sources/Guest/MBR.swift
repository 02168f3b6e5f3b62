/// A master boot record's four entries (extended partitions are not followed).
public struct MBR: Equatable, Sendable, Codable {
    public struct Entry: Equatable, Sendable, Codable {
        public var type: UInt8
        public var isActive: Bool
        public var firstSector: UInt32
        public var sectorCount: UInt32

        public init(type: UInt8, isActive: Bool = false, firstSector: UInt32, sectorCount: UInt32) {
            self.type = type
            self.isActive = isActive
            self.firstSector = firstSector
            self.sectorCount = sectorCount
        }
    }

    /// Four, empty ones with type 0.
    public var entries: [Entry]
    /// The disk signature at 0x1B8, the first half of PARTUUID.
    public var signature: UInt32

    /// The type of an EFI system partition (UEFI specification 2.10, section 5.2).
    public static let efiSystem: UInt8 = 0xEF

    /// nil where sector 0 has no 55AA signature or holds a file system's boot record instead of a table.
    public init?(sector: [UInt8]) {
        guard sector.count >= 512, sector[510] == 0x55, sector[511] == 0xAA else { return nil }
        let bytes = LittleEndian(sector)
        entries = (0..<4).map { index in
            let at = 446 + 16 * index
            return Entry(
                type: sector[at + 4], isActive: sector[at] == 0x80, firstSector: bytes.u32(at + 8),
                sectorCount: bytes.u32(at + 12))
        }
        signature = bytes.u32(0x1B8)
        // A FAT or NTFS boot record also ends in 55AA; a table's flags are 00 or 80.
        guard (0..<4).allSatisfy({ sector[446 + 16 * $0] & 0x7F == 0 }) else { return nil }
    }

    public var isProtective: Bool { entries.contains { $0.type == 0xEE } }
    public var isEmpty: Bool { entries.allSatisfy { $0.type == 0 } }

    /// The lowest place among the four that is empty, from 0; its partition has the next number.
    public var freePlace: Int? { entries.firstIndex { $0.type == 0 } }

    /// The free ranges between primary partitions, in order; an extended one counts as a whole.
    /// - Parameter diskSectors: of the disk; what lies past 2 TiB can't be named by such a table.
    public func gaps(diskSectors: UInt64) -> [ClosedRange<UInt64>] {
        // In front of the first partition lie boot loaders' cores: partitions start at 1 MiB.
        var next: UInt64 = 2048
        let end = min(diskSectors, 1 << 32)
        var gaps: [ClosedRange<UInt64>] = []
        let used = entries.filter { $0.type != 0 && $0.sectorCount > 0 }
        for entry in used.sorted(by: { $0.firstSector < $1.firstSector }) {
            let first = UInt64(entry.firstSector)
            if first > next { gaps.append(next...first - 1) }
            next = max(next, first + UInt64(entry.sectorCount))
        }
        if next < end { gaps.append(next...end - 1) }
        return gaps
    }

    /// Sector 0 with one more partition; boot code, signature and the other entries keep their bytes.
    /// - Precondition: 512 bytes; `place` is 0 to 3.
    public static func adding(_ entry: Entry, at place: Int, to sector: [UInt8]) -> [UInt8] {
        precondition(sector.count == 512 && (0..<4).contains(place), "no place of a table")
        var sector = sector
        let at = 446 + 16 * place
        // Cylinders, heads and sectors that mean "too far for them": the sector numbers hold.
        let far: [UInt8] = [0xFE, 0xFF, 0xFF]
        let bytes =
            [entry.isActive ? 0x80 : 0] + far + [entry.type] + far + LittleEndian.bytes(entry.firstSector)
            + LittleEndian.bytes(entry.sectorCount)
        sector.replaceSubrange(at..<at + 16, with: bytes)
        return sector
    }
}
