import Testing

@testable import Preflight

@Suite struct NetworkWatchTests {
    private let lease: [UInt8] = [10, 0, 2, 15]
    private let own: [UInt8] = [192, 168, 77, 10]
    private let other: [UInt8] = [192, 168, 77, 1]

    /// A frame a second.
    private func watch(_ frames: [[UInt8]], macs: Set<String>? = nil, gateway: String? = nil) -> NetworkWatch {
        var watch = NetworkWatch(guestMACs: macs, gateway: gateway)
        for (index, frame) in frames.enumerated() { watch.add(.init(time: Double(index + 1), bytes: frame)) }
        return watch
    }

    @Test(arguments: [nil, ["52:54:00:12:34:56"], ["52:54:00:AA:BB:CC"]] as [Set<String>?])
    func aLeaseThatIsUsed(macs: Set<String>?) {
        let quiet = watch(Packets.exchange(), macs: macs)
        #expect(quiet.facts.dhcp.map(\.kind) == ["discover", "offer", "request", "ack"])
        #expect(quiet.facts.lease == "10.0.2.15" && quiet.facts.hostName == "web01")
        #expect(quiet.leased == .init(time: 4, text: "DHCP lease 10.0.2.15 for 'web01'"))
        #expect(quiet.reached == nil)
        #expect(quiet.explanation?.message == "the guest was given 10.0.2.15 by DHCP and sent nothing from it so far")
        let asked = Packets.arp(1, [10, 0, 2, 2], lease, from: Packets.gateway)
        let used = watch(
            Packets.exchange() + [asked, Packets.arp(2, lease, [10, 0, 2, 2], to: Packets.gateway)], macs: macs)
        #expect(
            used.reached == .init(time: 6, text: "DHCP lease 10.0.2.15 for 'web01', used by 52:54:00:12:34:56"))
        #expect(used.explanation == nil)
        #expect(used.facts.macs == ["52:54:00:12:34:56"])
        #expect(used.facts.sent == 3 && used.facts.received == 3 && used.facts.firstFrame == 1)
    }

    @Test func aStaticAddress() {
        let ask = Packets.arp(1, own, other)
        let answer = Packets.arp(2, other, own, from: [0x52, 0x55, 192, 168, 77, 1], to: Packets.guest)
        let done = watch([ask, ask, answer])
        #expect(done.reached == .init(time: 3, text: "static 192.168.77.10: gateway 192.168.77.1 answered"))
        #expect(done.facts.arp == [.init(time: 1, from: "192.168.77.10", target: "192.168.77.1", isAnswered: true)])
        #expect(watch([ask, answer], gateway: "10.0.2.2").reached?.text.contains("neighbor") == true)
        #expect(watch([answer]).reached == nil)
        let reply = watch([Packets.arp(2, own, other, to: Packets.gateway)])
        #expect(reply.reached?.text == "static 192.168.77.10: answers gateway 192.168.77.1")
        let lost = watch([ask, ask])
        #expect(
            lost.explanation
                == .init(
                    message: "the guest uses 192.168.77.10 and looks for 192.168.77.1, which isn't on this network",
                    remedy: "convert with --network dhcp, or test with --network-cidr 192.168.77.0/24"))
    }

    @Test func probesAndAnnouncementsAreNoSearch() {
        let probe = Packets.arp(1, Packets.none, own)
        #expect(watch([probe]).facts.sourceAddresses == [])
        #expect(watch([probe]).explanation?.message.contains("asked whether 192.168.77.10 is free") == true)
        let announced = watch([probe, Packets.arp(1, own, own)])
        #expect(announced.facts.sourceAddresses == ["192.168.77.10"] && announced.reached == nil)
        #expect(announced.facts.arp.map(\.from) == ["0.0.0.0"])
        #expect(announced.explanation?.message == "the guest uses 192.168.77.10, and looked for nobody so far")
        let taken = watch([probe, Packets.arp(2, own, Packets.none, from: Packets.gateway, to: Packets.guest)])
        #expect(taken.explanation?.message.contains("is taken by another machine") == true)
    }

    @Test func firmwareIsNotTheGuest() {
        let options = Packets.option(60, "PXEClient:Arch:00000:UNDI:002001".utf8)
        let announced = Packets.arp(1, lease, lease)
        let firmware = Packets.exchange(options, transaction: 1) + [announced]
        #expect(watch([Packets.ip6()] + firmware).facts == watch([Packets.ip6()] + firmware + [Packets.ip6()]).facts)
        #expect(watch([Packets.ip6()] + firmware).facts.firstFrame == nil)
        let pxe = watch(firmware)
        #expect(pxe.facts.dhcp.map(\.kind) == ["pxe-discover", "pxe-offer", "pxe-request", "pxe-ack"])
        #expect(pxe.facts.lease == nil && pxe.reached == nil && pxe.leased == nil)
        #expect(pxe.facts.sent == 0 && pxe.facts.received == 0 && pxe.facts.macs == [])
        #expect(pxe.explanation?.message.hasPrefix("only the firmware used the network") == true)
        let both = watch(firmware + Packets.exchange() + [announced])
        #expect(both.facts.lease == "10.0.2.15" && both.reached?.time == 10 && both.facts.firstFrame == 6)
        let fixed = watch(firmware + [Packets.arp(1, own, other)])
        #expect(fixed.facts.sourceAddresses == ["192.168.77.10"])
    }

    @Test func explainsDHCP() {
        let all = Packets.exchange()
        func message(_ frames: [[UInt8]]) -> String { watch(frames).explanation?.message ?? "" }
        #expect(message([]).hasPrefix("the guest sent no frame"))
        #expect(message(Array(all.prefix(1))).hasSuffix("no server answers"))
        #expect(message(Array(all.prefix(2))) == "the guest was offered 10.0.2.15 by DHCP and didn't take it")
        #expect(message(Array(all.prefix(3))) == "the guest's DHCP request for 10.0.2.15 wasn't answered")
        #expect(message([all[2], Packets.server(Packets.dhcp(6, isReply: true))]).hasPrefix("the DHCP server refused"))
        #expect(
            message(all + [Packets.client(Packets.dhcp(4, Packets.option(50, lease)))]).contains("10.0.2.15 is taken"))
        #expect(message(all + [Packets.arp(1, own, own)]).hasSuffix("uses 192.168.77.10 instead"))
        #expect(
            message([Packets.arp(1, [169, 254, 3, 4], [169, 254, 3, 4])]).hasPrefix("the guest gave itself 169.254.3.4")
        )
        // A static card beside one that asks in vain.
        #expect(message([Packets.arp(1, own, other), all[0]]).contains("192.168.77.1, which isn't on this network"))
    }

    @Test func explainsTheRest() {
        let address: [UInt8] = [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1]
        let six = watch([Packets.ip6(), Packets.ip6(address)])
        #expect(six.facts.sourceAddresses6 == ["fe80::1"])
        #expect(six.explanation?.message.hasPrefix("the guest was heard by IPv6 only") == true)
        #expect(watch([Packets.ip6()]).explanation?.message.hasPrefix("the guest sent no frame") == true)
        var started = watch([Packets.ip6(address)])
        started.systemStarts()
        #expect(started.facts == NetworkFacts() && started.explanation == watch([]).explanation)
        let tagged = watch([Packets.arp(1, own, other, vlan: 20)])
        #expect(tagged.facts.sourceAddresses == ["192.168.77.10"])
        #expect(tagged.explanation?.message == "the guest sends for VLAN 20 only, which this network doesn't carry")
        #expect(
            watch([Packets.frame(0x88CC, [])]).explanation?.message.hasPrefix("the guest sent frames, but none") == true
        )
    }

    @Test func memoryIsBounded() {
        var watch = NetworkWatch()
        for number in 0..<2000 {
            let pair = Packets.big(number, 2)
            let mac: [UInt8] = [0x02, 0, 0, 0] + pair
            watch.add(.init(time: 1, bytes: Packets.arp(1, [10, 1] + pair, [10, 2] + pair, from: mac)))
            watch.add(.init(time: 1, bytes: Packets.client(Packets.dhcp(1, transaction: number))))
            watch.add(.init(time: 1, bytes: Packets.ip6([0x20] + [UInt8](repeating: 0, count: 13) + pair)))
        }
        #expect(watch.facts.dhcp.count == 200 && watch.facts.arp.count == 200 && watch.facts.macs.count == 16)
        #expect(watch.facts.sourceAddresses.count == 64 && watch.facts.sourceAddresses6.count == 64)
    }

    @Test func anyBytesAreSafe() {
        let frames = Packets.exchange() + [Packets.arp(1, own, other, vlan: 5), Packets.ip6()]
        var watch = NetworkWatch()
        for frame in frames {
            for length in 0...frame.count { watch.add(.init(time: 1, bytes: Array(frame.prefix(length)))) }
            for offset in frame.indices {
                for value: UInt8 in [0, 1, 0x45, 0x4F, 0x7F, 0xFF] {
                    var copy = frame
                    copy[offset] = value
                    watch.add(.init(time: 1, bytes: copy))
                }
            }
        }
    }

    @Test func writesAddresses() {
        for (bytes, text) in [
            ([0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 12), "2001:db8::"),
            ([UInt8](repeating: 0, count: 16), "::"),
            ([0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0], "1:0:2::3:0:0"),
            ([0xFE, 0xC0, 0, 1, 0, 2, 0, 3, 0, 0, 0, 5, 0, 6, 0, 7], "fec0:1:2:3:0:5:6:7"),
        ] as [([UInt8], String)] {
            #expect(IPv6Address(bytes)?.description == text)
        }
        #expect(IPv4Address("10.1.2.3").flatMap { IPv4Address("10.1.0.1").map($0.network) } == "10.1.0.0/22")
        #expect(IPv4Address("10.0.0.1")?.network(with: IPv4Address(0xC0A8_0001)) == nil)
        #expect(IPv4Address("10.0.2") == nil && IPv4Address("10.0.2.256") == nil)
    }
}
