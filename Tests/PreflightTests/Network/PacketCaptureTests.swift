import Testing

@testable import Preflight

@Suite struct PacketCaptureTests {
    static func little(_ number: Int) -> [UInt8] { Packets.big(number, 4).reversed() }

    static func header(magic: Int = 0xA1B2_C3D4, snap: Int = 65536, link: Int = 1) -> [UInt8] {
        little(magic) + [2, 0, 4, 0] + little(0) + little(0) + little(snap) + little(link)
    }

    static func record(_ second: Int, _ micro: Int, _ bytes: [UInt8]) -> [UInt8] {
        little(second) + little(micro) + little(bytes.count) + little(bytes.count) + bytes
    }

    @Test func readsPacketsByteForByte() throws {
        let file = Self.header() + Self.record(1000, 500_000, [1, 2, 3]) + Self.record(1001, 250_000, [])
        var capture = PacketCapture()
        var found: [PacketCapture.Packet] = []
        for byte in file { found += try capture.feed([byte], now: 1.5) }
        #expect(found.map(\.bytes) == [[1, 2, 3], []])
        var whole = PacketCapture()
        #expect(try whole.feed(file, now: 1.5).map(\.time) == [0.5, 1.25])
        #expect(try whole.feed([], now: 9) == [])
    }

    @Test func readsBothOrdersAndNanoseconds() throws {
        let big =
            Packets.big(0xA1B2_3C4D, 4) + [0, 2, 0, 4] + Packets.big(0, 8) + Packets.big(100, 4) + Packets.big(1, 4)
        var capture = PacketCapture()
        let record = Packets.big(7, 4) + Packets.big(250_000_000, 4) + Packets.big(1, 4) + Packets.big(1, 4) + [9]
        #expect(try capture.feed(big + record, now: 3.3) == [.init(time: 3.25, bytes: [9])])
    }

    @Test func refusesWhatCannotBe() throws {
        for file in [
            [UInt8](repeating: 0, count: 24), Self.header(link: 113),
            Self.header(snap: 4) + Self.record(0, 0, [1, 2, 3, 4, 5]),
            Self.header(snap: 0) + Self.little(0) + Self.little(0) + Self.little(0x7FFF_FFFF) + Self.little(0),
        ] {
            var capture = PacketCapture()
            #expect(throws: PacketCapture.Failure.self) { try capture.feed(file, now: 0) }
            #expect(try capture.feed(Self.header(), now: 0) == [])
        }
    }

    @Test func timesDoNotDependOnTheStampsStart() throws {
        for start in [0, 1_795_377_270, 1_577_836_800, 0xFFFF_FFF0] {
            var capture = PacketCapture()
            _ = try capture.feed(Self.header(), now: 0)
            let late = try capture.feed(Self.record(start + 2, 100_000, []), now: 3.9)
            #expect(late.map(\.time) == [3.1])
            // A read soon after the packet corrects it.
            let soon = try capture.feed(Self.record(start + 5, 100_000, []), now: 5.2)
            #expect(soon.map(\.time) == [5.1])
            #expect(try capture.feed(Self.record(start + 6, 0, []), now: 9).map(\.time) == [6])
        }
    }

    @Test func anyClockWillDo() throws {
        for now in [Double.nan, .infinity, -.infinity, -5, 1e300] {
            var capture = PacketCapture()
            let found = try capture.feed(Self.header() + Self.record(5, 0xFFFF_FFFF, [1]), now: now)
            #expect(found.count == 1 && found[0].time >= 0 && found[0].time.isFinite)
        }
    }
}
