import Guest
import GuestTesting
import Injectors
import Testing

/// The neutral model, as each format fills it; and what `keep` does to ties in each.
struct NetworkModelTests {
    private static let new = "52:54:00:aa:bb:01"

    private func model(_ files: [GuestPath: String]) throws -> [String: NetworkInterface] {
        let all = try DHCPNetwork.interfaces(MemoryGuest(files))
        return Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    }

    @Test func ifupdown() throws {
        let model = try model([
            "/etc/network/interfaces": """
            auto lo eth0 bond0
            iface lo inet loopback
            iface eth0 inet static
                address 10.0.0.5
                netmask 255.255.255.0
                gateway 10.0.0.1
                dns-nameservers 10.0.0.53 10.0.0.54
                mtu 9000
                up ip route add 10.9.0.0/16 via 10.0.0.9
            iface eth0 inet6 auto
            iface eth0:1 inet static
                address 10.0.0.6/24
            iface bond0 inet dhcp
                bond-slaves eth1 eth2
                bond-mode 802.3ad
            iface bond0.7 inet manual

            """
        ])
        let card = try #require(model["eth0"])
        #expect(card.addresses == ["10.0.0.5/24", "10.0.0.6/24"])
        #expect(card.gateways == ["10.0.0.1"])
        #expect(card.nameServers == ["10.0.0.53", "10.0.0.54"])
        #expect(card.routes == ["ip route add 10.9.0.0/16 via 10.0.0.9"])
        #expect(card.mtu == 9000)
        #expect(card.ipv4 == .static)
        #expect(card.ipv6 == .slaac)
        #expect(model["bond0"]?.role == .bond)
        #expect(model["bond0"]?.ports == ["eth1", "eth2"])
        #expect(model["bond0"]?.bondMode == "802.3ad")
        #expect(model["bond0.7"]?.parent == "bond0")
        #expect(model["bond0.7"]?.vlan == 7)
        #expect(model["lo"] == nil)
    }

    @Test func netplan() throws {
        let model = try model([
            "/etc/netplan/a.yaml": """
            network:
              version: 2
              ethernets:
                lan:
                  match: {macaddress: "00:50:56:00:00:01"}
                  set-name: lan0
                  addresses: [10.0.0.5/24, "2001:db8::5/64"]
                  routes: [{to: default, via: 10.0.0.1}, {to: 10.9.0.0/16, via: 10.0.0.9}]
                  nameservers: {addresses: [10.0.0.53], search: [example.org]}
                ens224: {dhcp4: true}
              bonds:
                bond0: {interfaces: [ens224], parameters: {mode: active-backup}}
              vlans:
                v7: {id: 7, link: bond0}

            """
        ])
        let card = try #require(model["lan0"])
        #expect(card.profile == "lan")
        #expect(card.mac == "00:50:56:00:00:01")
        #expect(card.gateways == ["10.0.0.1"])
        #expect(card.routes == ["{to: 10.9.0.0/16, via: 10.0.0.9}"])
        #expect(card.searchDomains == ["example.org"])
        #expect(card.ipv6 == .static)
        #expect(model["ens224"]?.controller == "bond0")
        #expect(model["v7"]?.parent == "bond0")
    }

    @Test func keyfilesOfPackagesToo() throws {
        let vendor: GuestPath = "/usr/lib/NetworkManager/system-connections/lan.nmconnection"
        let text =
            "[connection]\nid=lan\nuuid=u-1\ntype=ethernet\ninterface-name=ens192\n"
            + "[ipv4]\nmethod=manual\naddress1=10.0.0.5/24,10.0.0.1\ndns=10.0.0.53;\n[ipv6]\nmethod=auto\n"
        let card = try #require(try model([vendor: text])["ens192"])
        #expect(card.addresses == ["10.0.0.5/24"])
        #expect(card.gateways == ["10.0.0.1"])
        #expect(card.ipv6 == .slaac)
        #expect(card.files == [vendor])
        // The package's own file stays; one below /etc comes before it.
        let guest = try ConvertedGuest([vendor: text])
        #expect(guest[vendor] == text)
        let copy: GuestPath = "/etc/NetworkManager/system-connections/lan.nmconnection"
        #expect(guest[copy]?.contains("method=manual") == false)
        #expect(try guest.guest.entry(at: copy)?.permissions == 0o600)
    }

    @Test func networkd() throws {
        let model = try model([
            "/etc/systemd/network/10.network":
                "[Match]\nName=ens192\n[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\nVLAN=v7\nBond=bond0\n",
            "/etc/systemd/network/20.network": "[Match]\nName=v7\n[Network]\nDHCP=ipv4\n",
            "/etc/systemd/network/20.netdev": "[NetDev]\nName=v7\nKind=vlan\n[VLAN]\nId=7\n",
            "/etc/systemd/network/30.network": "[Match]\nName=bond0\n[Network]\nDHCP=yes\n",
            "/etc/systemd/network/30.netdev": "[NetDev]\nName=bond0\nKind=bond\n[Bond]\nMode=802.3ad\n",
        ])
        #expect(model["ens192"]?.controller == "bond0")
        #expect(model["v7"]?.parent == "ens192")
        #expect(model["v7"]?.vlan == 7)
        #expect(model["v7"]?.ipv4 == .dhcp)
        #expect(model["bond0"]?.ports == ["ens192"])
        #expect(model["bond0"]?.bondMode == "802.3ad")
    }

    @Test func networkdFollowsTheNewCard() throws {
        let path: GuestPath = "/etc/systemd/network/10.network"
        let text = "[Match]\nMACAddress=00:50:56:00:00:01\n\n[Network]\nAddress=10.0.0.5/24\n"
        let guest = try ConvertedGuest([path: text], .keep, cards: ["\(Self.new)=10.0.0.5"])
        #expect(guest[path] == text.replacing("00:50:56:00:00:01", with: Self.new))
    }

    @Test func cloudInitFollowsTheNewCard() throws {
        let path: GuestPath = "/etc/cloud/cloud.cfg.d/50.cfg"
        let text = """
            network:
              version: 1
              config:
              - type: physical
                name: eth0
                mac_address: "00:50:56:00:00:01"
                subnets:
                - {type: static, address: 10.0.0.5/24}

            """
        let guest = try ConvertedGuest([path: text], .keep, cards: ["\(Self.new)=10.0.0.5"])
        #expect(guest[path] == text.replacing("00:50:56:00:00:01", with: Self.new))
        #expect(guest.fixedCards == ["eth0 \(Self.new)"])
    }
}
