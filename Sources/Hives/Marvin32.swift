internal import Guest

/// The hash of log entries: Marvin32 (US patent 8,555,022) with the seed that the registry has.
enum Marvin32 {
    private static let seed: (low: UInt32, high: UInt32) = (0x7A4E_55C5, 0x82EF_4D88)

    static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var (low, high) = seed
        var at = bytes.startIndex
        while bytes.endIndex - at >= 4 {
            mix(
                UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
                    | UInt32(bytes[at + 3]) << 24, &low, &high)
            at += 4
        }
        var last: UInt32 = 0x80
        for byte in bytes[at...].reversed() { last = last << 8 | UInt32(byte) }
        mix(last, &low, &high)
        mix(0, &low, &high)
        return UInt64(high) << 32 | UInt64(low)
    }

    @inline(__always)
    private static func mix(_ word: UInt32, _ low: inout UInt32, _ high: inout UInt32) {
        low &+= word
        high ^= low
        low = rotated(low, 20) &+ high
        high = rotated(high, 9) ^ low
        low = rotated(low, 27) &+ high
        high = rotated(high, 19)
    }

    @inline(__always)
    private static func rotated(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
}
