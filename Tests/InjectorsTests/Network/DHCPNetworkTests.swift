import Guest
import GuestTesting
import Injectors
import Testing

struct DHCPNetworkTests {
    private static let netplan: [GuestPath: String] = [
        "/etc/netplan/01.yaml": "network:\n  ethernets:\n    ens192:\n      addresses: [10.0.0.5/24]\n"
    ]
    private static let resolved: [GuestPath: String] = [
        "/lib/systemd/systemd-resolved": "", "/etc/systemd/system/multi-user.target.wants/systemd-resolved.service": "",
    ]
    private static let file: GuestPath = "/etc/resolv.conf"

    @Test func formatsInUse() throws {
        let ifupdown: [GuestPath: String] = ["/etc/network/interfaces": "auto e0\niface e0 inet dhcp\n"]
        let keyfile: [GuestPath: String] = [
            "/etc/NetworkManager/system-connections/a": "[connection]\ntype=ethernet\n"
        ]
        let networkd: [GuestPath: String] = ["/etc/systemd/network/a.network": "[Match]\nName=e0\n"]
        func names(_ files: [GuestPath: String]) throws -> [String] { try DHCPNetwork.formatsInUse(MemoryGuest(files)) }
        #expect(try names([:]) == [])
        #expect(try names(["/etc/network/interfaces": "auto lo\niface lo inet loopback\n"]) == [])
        #expect(try names(ifupdown) == ["ifupdown"])
        #expect(
            try names(ifupdown + Self.netplan + keyfile + networkd) == [
                "netplan", "ifupdown", "networkmanager", "networkd",
            ])
        // What nothing reads any more doesn't count.
        #expect(try names(ifupdown + Self.netplan + ["/usr/sbin/netplan": ""]) == ["netplan"])
        #expect(try names(ifupdown + networkd + ["/sbin/ifup": ""]) == ["ifupdown"])
        #expect(try names(["/etc/netplan/a.yaml": "network: {version: 2, renderer: NetworkManager}\n"]) == [])
    }

    @Test func emptyGuest() throws {
        let guest = try ConvertedGuest([:])
        #expect(guest.plan == Plan())
    }

    @Test func resolverIsRewrittenByDHCPClients() throws {
        let guest = try ConvertedGuest(
            [
                "/etc/network/interfaces": "auto e0\niface e0 inet static\n address 10.0.0.5/24\n",
                Self.file: "search example.org\nnameserver 10.0.0.2\nnameserver 127.0.0.1\n",
            ] + dhclient)
        #expect(!guest.changed.contains("/etc/resolv.conf"))
        #expect(guest.former("resolver") == ["dns": ["10.0.0.2", "127.0.0.1"], "search": ["example.org"]])
        #expect(guest.warnings == [])
    }

    @Test func resolverBecomesResolved() throws {
        let guest = try ConvertedGuest(Self.netplan + Self.resolved + [Self.file: "nameserver 10.0.0.2\n"])
        let entry = try guest.guest.entry(at: Self.file)
        #expect(entry?.kind == .symlink(target: "../run/systemd/resolve/stub-resolv.conf"))
        #expect(guest.former("resolver") == ["dns": ["10.0.0.2"]])
    }

    @Test func resolverThatNobodyWritesWarns() throws {
        let guest = try ConvertedGuest(Self.netplan + [Self.file: "nameserver 10.0.0.2\n"])
        #expect(guest[Self.file] == "nameserver 10.0.0.2\n")
        #expect(guest.warnings.contains { $0.hasPrefix("'/etc/resolv.conf' names 10.0.0.2") })
    }

    @Test func resolverInTheGuestStays() throws {
        let guest = try ConvertedGuest(Self.netplan + Self.resolved + [Self.file: "nameserver 127.0.0.53\n"])
        #expect(!guest.changed.contains("/etc/resolv.conf"))
        let linked = try ConvertedGuest(
            Self.netplan, prepare: { $0.link(Self.file, to: "../run/systemd/resolve/stub-resolv.conf") })
        #expect(!linked.changed.contains("/etc/resolv.conf"))
        #expect(linked.warnings == [])
    }

    @Test func networkManagersRenderer() throws {
        let yaml = "network:\n  renderer: NetworkManager\n  ethernets:\n    e0:\n      addresses: [10.0.0.5/24]\n"
        let guest = try ConvertedGuest(["/etc/netplan/a.yaml": yaml, Self.file: "nameserver 10.0.0.2\n"])
        #expect(guest.warnings == [])
    }

    @Test func linksAndFoldersInTheWay() throws {
        let guest = try ConvertedGuest([:]) { guest in
            guest.link("/etc/network/interfaces", to: "/etc/missing")
            guest.folder("/etc/netplan/a.yaml")
            guest.folder("/etc/systemd/network/a.network")
            guest.link("/etc/NetworkManager/system-connections/x", to: "/dev/null")
        }
        #expect(guest.plan.isEmpty)
    }
}
