internal import Guest

/// The base block of a hive or of one of its logs. The format is that of "Windows registry file format specification"
/// (github.com/msuhanov/regf); offsets in bytes.
public struct HiveHeader: Sendable {
    /// Of a hive; a log keeps the first 512 bytes of it.
    public static let size = 4096
    static let sectorSize = 512

    public var primarySequence: UInt32
    public var secondarySequence: UInt32
    public var lastWritten: UInt64
    /// 0 a hive; 1 and 2 logs of one bitmap and its pages; 6 a log of entries (since Windows 8.1).
    public var fileType: UInt32
    /// In bytes, of all that follows the base block.
    public var binsSize: UInt32
    public var hasValidChecksum: Bool

    /// nil: these bytes aren't a base block.
    /// - Parameter bytes: 512 at least.
    public init?(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes.prefix(Self.sectorSize))
        guard bytes.count == Self.sectorSize, bytes.starts(with: Array("regf".utf8)) else { return nil }
        let number = LittleEndian(bytes)
        primarySequence = number.u32(4)
        secondarySequence = number.u32(8)
        lastWritten = number.u64(12)
        fileType = number.u32(28)
        binsSize = number.u32(40)
        hasValidChecksum = number.u32(508) == Self.checksum(bytes)
    }

    /// Whether the hive was closed, or all that was written is in it.
    public var isClean: Bool { hasValidChecksum && primarySequence == secondarySequence }

    /// The exclusive or of the first 127 words; 0 and all ones are avoided.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        let number = LittleEndian(bytes)
        let sum = (0..<127).reduce(UInt32(0)) { $0 ^ number.u32(4 * $1) }
        return sum == 0 ? 1 : sum == .max ? .max - 1 : sum
    }
}
