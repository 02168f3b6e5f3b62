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

    @Test func aMatchByMACIsWarnedAbout() throws {
        let (_, plan) = try keep([
            "/usr/sbin/netplan": "",
            "/etc/netplan/a.yaml": """
            network:
              version: 2
              ethernets:
                lan0:
                  match: {macaddress: "00:50:56:01:02:03"}
                  set-name: lan0
                  addresses: [10.0.0.5/24]

            """,
        ])
        #expect(plan.warnings.contains { $0.message.contains("00:50:56:01:02:03") })
    }
}
