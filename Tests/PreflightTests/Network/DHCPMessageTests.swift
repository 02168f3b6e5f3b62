import Testing

@testable import Preflight

@Suite struct DHCPMessageTests {
    private func parsed(_ bytes: [UInt8]) -> DHCPMessage? { DHCPMessage(PacketBytes(bytes)) }

    @Test func readsOptions() throws {
        let options =
            Packets.option(50, [10, 0, 2, 15]) + [0, 0] + Packets.option(54, [10, 0, 2, 2])
            + Packets.option(12, "web01".utf8) + Packets.option(60, "MSFT 5.0".utf8)
        let message = try #require(parsed(Packets.dhcp(3, options)))
        #expect(message.kind == .request && !message.isReply && !message.isFirmware)
        #expect(message.requested?.description == "10.0.2.15" && message.server?.description == "10.0.2.2")
        #expect(message.hostName == "web01" && message.mac == "52:54:00:12:34:56")
    }

    @Test func readsOverloadedFields() throws {
        let part = Packets.dhcp(
            5, Packets.option(52, [3]) + Packets.option(12, "we".utf8), given: [10, 0, 2, 15],
            serverName: Packets.option(60, "PXEClient:Arch".utf8) + [255], file: Packets.option(12, "b01".utf8) + [255])
        let message = try #require(parsed(part))
        #expect(message.hostName == "web01" && message.isFirmware && message.given?.description == "10.0.2.15")
    }

    @Test func readsFullyQualifiedNames() {
        let labels: [UInt8] = [5] + Array("web01".utf8) + [2] + Array("de".utf8) + [0]
        for (option, name) in [
            ([UInt8]([0, 0, 0]) + Array("web01.example.org".utf8), "web01"), ([4, 0, 0] + labels, "web01"),
            ([4, 0, 0, 63, 65], nil), ([4, 0, 0], nil), ([], nil), ([4, 0, 0, 0xC0, 12], nil), ([0, 0, 0, 46], nil),
        ] {
            #expect(parsed(Packets.dhcp(1, Packets.option(81, option)))?.hostName == name)
        }
    }

    @Test func namesAreHarmless() {
        #expect(HarmlessText.name(Array("\u{1B}[31mred\u{7}\u{202E}\u{85}ü\u{2028}".utf8)) == "[31mredü")
        #expect(HarmlessText.name([0xFF, 0xFE, 0, 32, 9]) == nil)
        #expect(HarmlessText.name([UInt8](repeating: 65, count: 400))?.count == 255)
    }

    @Test func anyLengthIsSafe() {
        let whole = Packets.dhcp(
            3, Packets.option(52, [3]) + Packets.option(81, [4, 0, 0, 3, 65, 66, 67]) + [50, 200])
        for length in 0...whole.count { _ = parsed(Array(whole.prefix(length))) }
        for value: UInt8 in [0, 1, 3, 127, 255] {
            for offset in whole.indices {
                var copy = whole
                copy[offset] = value
                _ = parsed(copy)
            }
        }
        // BOOTP has no kind.
        #expect(parsed(Array(whole.prefix(240)) + [255]) == nil)
    }
}
