/// Reads a pcap file that still grows, such as that of QEMU's filter-dump.
///
/// Feed it new bytes as they come, at least once a second: see ``CaptureClock`` for why.
struct PacketCapture: Sendable {
    struct Packet: Sendable, Equatable {
        /// Seconds since power on.
        var time: Double
        /// From the Ethernet header on, without the checksum; cut at the file's snap length.
        var bytes: [UInt8]
    }

    struct Failure: Error, Equatable, CustomStringConvertible {
        var reason: String

        var description: String {
            "could not read the packets that QEMU wrote: \(reason)\nhint: the pcap file of a filter-dump is expected"
        }
    }

    /// What the file's first bytes say.
    private struct Format: Sendable {
        var isLittleEndian: Bool
        var isNanoseconds: Bool
        var snapLength: Int
    }

    /// libpcap's MAXIMUM_SNAPLEN; more in a record is a broken file.
    private static let largestPacket = 262_144
    private static let headerSize = 24
    private static let recordHeaderSize = 16
    /// LINKTYPE_ETHERNET.
    private static let ethernet: UInt32 = 1

    private var format: Format?
    private var clock = CaptureClock()
    /// The start of a record whose end isn't there yet.
    private var rest: [UInt8] = []
    private var isBroken = false

    init() {}

    /// The packets that are complete with these bytes. `now` is in seconds since power on.
    ///
    /// Throws ``Failure`` once where the file is no pcap or a record's length can't be; what comes later is ignored.
    mutating func feed(_ bytes: [UInt8], now: Double) throws -> [Packet] {
        guard !isBroken else { return [] }
        rest += bytes
        do {
            return try take(now: now)
        } catch {
            isBroken = true
            rest = []
            throw error
        }
    }

    private mutating func take(now: Double) throws -> [Packet] {
        guard let format = try format ?? readFormat() else { return [] }
        var found: [(second: Int, fraction: Double, bytes: [UInt8])] = []
        var position = 0
        while rest.count - position >= Self.recordHeaderSize {
            let second = Int(number(position, format.isLittleEndian))
            let part = Double(number(position + 4, format.isLittleEndian))
            let length = Int(number(position + 8, format.isLittleEndian))
            guard length <= format.snapLength else {
                throw Failure(reason: "a packet of \(length) bytes, where at most \(format.snapLength) are expected")
            }
            let start = position + Self.recordHeaderSize
            guard rest.count - start >= length else { break }
            let fraction = min(part / (format.isNanoseconds ? 1e9 : 1e6), 1)
            found.append((second, fraction, Array(rest[start..<start + length])))
            position = start + length
        }
        rest.removeFirst(position)
        if let last = found.last { clock.learn(second: last.second, fraction: last.fraction, now: now) }
        return found.map { Packet(time: clock.time(second: $0.second, fraction: $0.fraction), bytes: $0.bytes) }
    }

    private mutating func readFormat() throws -> Format? {
        guard rest.count >= Self.headerSize else { return nil }
        let isLittleEndian = rest[0] != 0xA1
        let magic = number(0, isLittleEndian)
        guard magic == 0xA1B2_C3D4 || magic == 0xA1B2_3C4D else { throw Failure(reason: "no pcap file") }
        // The upper half of the link type tells of checksums.
        let link = number(20, isLittleEndian) & 0xFFFF
        guard link == Self.ethernet else { throw Failure(reason: "link type \(link) instead of Ethernet") }
        let snapLength = Int(number(16, isLittleEndian))
        let new = Format(
            isLittleEndian: isLittleEndian, isNanoseconds: magic == 0xA1B2_3C4D,
            snapLength: snapLength == 0 ? Self.largestPacket : min(snapLength, Self.largestPacket))
        rest.removeFirst(Self.headerSize)
        format = new
        return new
    }

    /// Four bytes of `rest`, which the caller knows to be there.
    private func number(_ offset: Int, _ isLittleEndian: Bool) -> UInt32 {
        let four = rest[offset..<offset + 4]
        return isLittleEndian
            ? four.reversed().reduce(0) { $0 << 8 | UInt32($1) } : four.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
