/// A look at bytes that a guest wrote: numbers in network order, and nil past the end.
struct PacketBytes: Sendable {
    private let slice: ArraySlice<UInt8>

    init(_ slice: ArraySlice<UInt8>) { self.slice = slice }
    init(_ bytes: [UInt8]) { slice = bytes[...] }

    var count: Int { slice.count }
    var array: [UInt8] { Array(slice) }

    /// `length` bytes from `offset`; nil unless all of them are there.
    func bytes(_ offset: Int, _ length: Int) -> PacketBytes? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        let start = slice.startIndex + offset
        return PacketBytes(slice[start..<start + length])
    }

    /// The rest from `offset`; nil past the end.
    func from(_ offset: Int) -> PacketBytes? { bytes(offset, count - offset) }

    func u8(_ offset: Int) -> UInt8? {
        guard offset >= 0, offset < count else { return nil }
        return slice[slice.startIndex + offset]
    }

    func u16(_ offset: Int) -> UInt16? {
        guard let high = u8(offset), let low = u8(offset + 1) else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    func u32(_ offset: Int) -> UInt32? {
        guard let high = u16(offset), let low = u16(offset + 2) else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    /// "52:54:00:12:34:56".
    func mac(_ offset: Int) -> String? {
        bytes(offset, 6)?.array.map { Self.hex($0, width: 2) }.joined(separator: ":")
    }

    func address4(_ offset: Int) -> IPv4Address? { u32(offset).map(IPv4Address.init) }

    func address6(_ offset: Int) -> IPv6Address? { bytes(offset, 16).flatMap { IPv6Address($0.array) } }

    /// Lower-case digits.
    static func hex(_ number: some BinaryInteger, width: Int = 1) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
