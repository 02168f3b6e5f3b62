/// Little-endian numbers in a byte array. Reads past the end give zeros, so a short structure can't trap.
public struct LittleEndian {
    private let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func number(_ at: Int, _ width: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (0..<width).reversed() {
            let position = at + index
            value = value << 8 | UInt64(bytes.indices.contains(position) ? bytes[position] : 0)
        }
        return value
    }

    public func u16(_ at: Int) -> UInt16 { UInt16(number(at, 2)) }
    public func u32(_ at: Int) -> UInt32 { UInt32(number(at, 4)) }
    public func u64(_ at: Int) -> UInt64 { number(at, 8) }

    public static func bytes<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}

/// CRC-32 as GPT, zlib and Ethernet use it (polynomial 0xEDB88320, reflected).
public enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    public static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}

/// Two lower-case digits a byte.
public enum Hex {
    private static let digits = Array("0123456789abcdef")

    public static func text(_ byte: UInt8) -> String { String([digits[Int(byte >> 4)], digits[Int(byte & 15)]]) }
    public static func text(_ bytes: some Sequence<UInt8>) -> String { bytes.map { text($0) }.joined() }
}
