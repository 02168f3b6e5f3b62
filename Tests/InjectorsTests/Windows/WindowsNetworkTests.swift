import Guest
import GuestTesting
import Testing

@testable import Injectors

struct WindowsNetworkTests {
    private func sample() -> WindowsGuest {
        let sample = WindowsGuest()
        sample.addCard(WindowsGuest.staticSettings("192.168.77.10", gateway: "192.168.77.1"))
        return sample
    }

    @Test func aStaticAddressBecomesDHCP() throws {
        let sample = sample()
        let routes = sample.control(#"Services\Tcpip\Parameters\PersistentRoutes"#)
        sample.registry.put(
            routes,
            ["10.0.0.0,255.0.0.0,192.168.77.254,1": .string(""), "172.16.0.0,255.240.0.0,10.9.9.9,1": .string("")])
        let (plan, second) = try sample.apply(WindowsNetwork())
        #expect(second.isEmpty)
        let setting = try #require(plan.formerSettings.first)
        #expect(setting.subject == "Ethernet0")
        #expect(
            setting.values == [
                "address": ["192.168.77.10/24"], "gateway": ["192.168.77.1"],
                "dns": ["192.168.77.2", "192.168.77.3"], "route": ["10.0.0.0/8 via 192.168.77.254"],
            ])
        let key = sample.control(WindowsGuest.interfaces + WindowsGuest.card)
        #expect(
            try sample.guest.values(of: key)?.map(\.name).sorted() == ["EnableDHCP", "NameServer"])
        #expect(try sample.guest.value("EnableDHCP", of: key) == .dword(1))
        // The one whose gateway is somewhere else has nothing to do with the card.
        #expect(try sample.guest.values(of: routes)?.map(\.name) == ["172.16.0.0,255.240.0.0,10.9.9.9,1"])
    }

    @Test func theStackOwnStoreForgetsItToo() throws {
        let sample = sample()
        let ipv4 = sample.control(#"Control\Nsi\{eb004a00-9b1a-11d4-9123-0050047759bc}"#)
        let ipv6 = sample.control(#"Control\Nsi\{eb004a01-9b1a-11d4-9123-0050047759bc}"#)
        let luid = "0000000180000600"
        let other = "0000000280000600"
        sample.registry.put(
            ipv4.child("10"),
            [
                luid + "c0a84d0a00000000": .binary([1]), other + "0a00000100000000": .binary([1]),
                // Of a card whose key is gone, with the same address.
                other + "C0A84D0A00000000": .binary([1]),
            ])
        sample.registry.put(
            ipv4.child("16"),
            [
                String(repeating: "0", count: 48) + luid + luid + "c0a84d0100000000": .binary([1]),
                String(repeating: "0", count: 48) + other + other + "0a0000fe00000000": .binary([1]),
            ])
        sample.registry.put(
            ipv6.child("10"),
            [luid + "20010db8000000000000000000000010": .binary([UInt8](repeating: 0xFF, count: 16) + [48, 0, 0, 0])])
        let found = try WindowsNetwork.interfaces(sample.windows, sample.guest)
        #expect(found.first?.addresses == ["192.168.77.10/24", "2001:db8:0:0:0:0:0:10/48"])
        let (_, second) = try sample.apply(WindowsNetwork())
        #expect(second.isEmpty)
        #expect(try sample.guest.values(of: ipv4.child("10"))?.map(\.name) == [other + "0a00000100000000"])
        #expect(try sample.guest.values(of: ipv4.child("16"))?.count == 1)
        #expect(try sample.guest.values(of: ipv6.child("10")) == [])
    }

    @Test func leftoversOfOlderCardsAreFreedToo() throws {
        let sample = WindowsGuest()
        sample.registry.put(
            sample.control(WindowsGuest.interfaces + "{00000000-0000-0000-0000-000000000001}"),
            WindowsGuest.staticSettings("192.168.77.10"))
        let (plan, _) = try sample.apply(WindowsNetwork())
        #expect(plan.formerSettings.map(\.values["address"]) == [["192.168.77.10/24"]])
    }

    @Test func whatProgramsMadeStays() throws {
        let sample = WindowsGuest()
        sample.addCard(
            WindowsGuest.staticSettings("10.1.1.1"), "{00000000-0000-0000-0000-000000000001}", name: "Loopback",
            component: "*msloop")
        sample.addCard(
            WindowsGuest.staticSettings("10.1.1.2"), "{00000000-0000-0000-0000-000000000002}", name: "Team1",
            component: #"compositebus\ms_implat_mp"#, number: 2)
        let plan = try sample.plan(WindowsNetwork())
        #expect(plan.isEmpty)
        #expect(plan.findings.contains { $0.level == .note && $0.message.contains("Loopback") })
        #expect(plan.warnings.contains { $0.message.contains("Team1") })
    }

    @Test func aCardThatAsksForItsAddressIsLeftAlone() throws {
        let sample = WindowsGuest()
        sample.addCard(["EnableDHCP": .dword(1), "IPAddress": .multiString(["0.0.0.0"])])
        #expect(try sample.plan(WindowsNetwork()).isEmpty)
    }

    @Test func keptAddressesAreGivenToTheNewCardsAtTheFirstStart() throws {
        let sample = sample()
        sample.registry.put(
            sample.control(#"Services\Tcpip\Parameters\PersistentRoutes"#),
            [
                "10.0.0.0,255.0.0.0,192.168.77.254,1": .string(""), "0.0.0.0,0.0.0.0,192.168.77.1,-1": .string(""),
            ])
        let match = try #require(CardMatch("52:54:00:12:34:56=192.168.77.10"))
        let (plan, second) = try sample.apply(WindowsNetwork(.keep, matches: [match]), FirstBoot())
        // What the first plan took away is in the script, which the second one leaves there.
        #expect(second.isEmpty && second.blockers.isEmpty)
        #expect(plan.blockers.isEmpty && plan.formerSettings.count == 1)
        let script = try #require(try sample.guest.text("/Windows/rehost/network.ps1"))
        for line in [
            "$card = Find-Card '52:54:00:12:34:56'",
            "interface ipv4 set address \"name=$card\" source=static address=192.168.77.10 mask=255.255.255.0"
                + " gateway=192.168.77.1",
            "interface ipv4 add dnsservers \"name=$card\" address=192.168.77.3 index=2 validate=no",
            "interface ipv4 add route prefix=10.0.0.0/8 \"interface=$card\" nexthop=192.168.77.254",
        ] { #expect(script.contains(line), "\(line)") }
        #expect(!script.contains("prefix=0.0.0.0/0"))
        // The old card lets go of it all the same.
        let key = sample.control(WindowsGuest.interfaces + WindowsGuest.card)
        #expect(try sample.guest.value("EnableDHCP", of: key) == .dword(1))
    }

    @Test func whichCardMustBeToldWhereThereAreSeveral() throws {
        let sample = sample()
        sample.addCard(
            WindowsGuest.staticSettings("10.1.1.2"), "{00000000-0000-0000-0000-000000000002}", name: "Ethernet1",
            number: 2)
        let plan = try sample.plan(WindowsNetwork(.keep))
        #expect(plan.warnings.count == 2)
        #expect(plan.warnings.first?.hint?.contains("--mac MAC=192.168.77.10") == true)
        let wrong = try #require(CardMatch("52:54:00:12:34:56=10.9.9.9"))
        #expect(try sample.plan(WindowsNetwork(.keep, matches: [wrong])).blockers.count == 1)
    }

    @Test func aLeftoverIsNoCardOfTheOldMachine() throws {
        let sample = sample()
        sample.registry.put(
            sample.control(WindowsGuest.interfaces + "{00000000-0000-0000-0000-000000000001}"),
            WindowsGuest.staticSettings("192.168.88.10"))
        let plan = try sample.plan(WindowsNetwork(.keep), FirstBoot())
        #expect(plan.warnings.isEmpty)
        #expect(plan.findings.contains { $0.message.contains("the only card") })
    }

    @Test func hostileTextsStayOutOfTheScript() throws {
        let sample = WindowsGuest()
        var settings = WindowsGuest.staticSettings("192.168.77.10'; calc; '", gateway: "1.2.3.4; calc")
        settings["NameServer"] = .string("calc,$(calc),8.8.8.8/;calc,9.9.9.9%calc")
        sample.registry.put(
            sample.control(#"Services\Tcpip\Parameters\PersistentRoutes"#),
            ["10.0.0.0/;calc,255.0.0.0,192.168.77.254/;calc,1": .string("")])
        sample.addCard(settings, name: "'; calc #")
        _ = try sample.apply(WindowsNetwork(.keep), FirstBoot())
        let script = try sample.guest.text("/Windows/rehost/network.ps1") ?? ""
        #expect(script.contains("8.8.8.8") && !script.contains("calc"))
    }
}
