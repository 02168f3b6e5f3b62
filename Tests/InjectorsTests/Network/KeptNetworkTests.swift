import Guest
import GuestTesting
import Injectors
import Testing

/// `--network keep`: addresses stay, names are held.
struct KeptNetworkTests {
    private func keep(_ files: [GuestPath: String]) throws -> (MemoryGuest, Plan) {
        let guest = MemoryGuest(files)
        func plan() throws -> Plan {
            var draft = Draft(over: guest, disks: guest)
            try DHCPNetwork(.keep).inject(into: &draft, guest: ConvertedGuest.inspection)
            return try draft.plan()
        }
        let first = try plan()
        try guest.apply(first) { _ in }
        #expect(try plan().items == [], "the second plan isn't empty")
        return (guest, first)
    }

    private static let interfaces = """
        auto ens192
        iface ens192 inet static
            address 192.168.77.10/24
            gateway 192.168.77.1

        """

    @Test func theAddressStaysAndTheNameIsHeld() throws {
        let (guest, plan) = try keep(
            dhclient.merging(["/etc/network/interfaces": Self.interfaces]) { $1 })
        #expect(try guest.text("/etc/network/interfaces") == Self.interfaces)
        #expect(try guest.text("/etc/rehost/net-names")?.hasSuffix("\nens192\n") == true)
        #expect(plan.warnings == [])
        #expect(plan.formerSettings.allSatisfy { $0.kind != "static-network" })
    }

    private static let netplan = """
        network:
          version: 2
          ethernets:
            lan0:
              match: {macaddress: "00:50:56:01:02:03"}
              set-name: lan0
              addresses: [10.0.0.5/24]

        """

    @Test func aTieToTheOldCardGoes() throws {
        let (guest, plan) = try keep(["/usr/sbin/netplan": "", "/etc/netplan/a.yaml": Self.netplan])
        let text = try guest.text("/etc/netplan/a.yaml") ?? ""
        #expect(text.contains("addresses: [10.0.0.5/24]"))
        #expect(!text.contains("00:50:56"))
        #expect(try guest.text("/etc/rehost/net-names")?.hasSuffix("\nlan0 00:50:56:01:02:03\n") == true)
        #expect(plan.formerSettings.map(\.values) == [["mac": ["00:50:56:01:02:03"]]])
        #expect(plan.warnings == [])
    }

    @Test func aTieFollowsTheNewCard() throws {
        let guest = try ConvertedGuest(
            ["/usr/sbin/netplan": "", "/etc/netplan/a.yaml": Self.netplan], .keep,
            cards: ["52:54:00:AA:BB:CC=10.0.0.5"])
        #expect(
            guest["/etc/netplan/a.yaml"]
                == Self.netplan.replacing("00:50:56:01:02:03", with: "52:54:00:aa:bb:cc"))
        #expect(guest.fixedCards == ["lan0 52:54:00:aa:bb:cc"])
    }
}
