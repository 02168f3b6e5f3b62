import Guest
import GuestTesting
import Injectors
import Testing

/// A guest's files may hold anything: no trap, no hang, and nothing half done.
struct HostileNetworkTests {
    /// A small generator with a seed, so that a failure can be had again.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 31)
        }
    }

    static let samples: [(path: GuestPath, text: String)] = [
        (
            "/etc/sysconfig/network-scripts/ifcfg-eth0",
            "DEVICE=\"eth0\"\nHWADDR='00:50:56:00:00:01'\nIPADDR0=10.0.0.5\nPREFIX0=24\nBONDING_OPTS=\"mode=1 arp_ip_target=1\"\nVLAN=yes\nIPV6ADDR=2001:db8::1/64\nGATEWAY=10.0.0.1; DNS1=1.1.1.1\n"
        ),
        ("/etc/sysconfig/network-scripts/route-eth0", "10.0.0.0/8 via 10.0.0.9\nADDRESS0=1.2.3.4\n"),
        (
            "/etc/sysconfig/network/ifcfg-bond0",
            "BOOTPROTO='static'\nIPADDR_1='10.0.0.5/24'\nBONDING_MASTER=yes\nBONDING_SLAVE_0='eth0'\nETHERDEVICE=eth1\n"
        ),
        ("/etc/sysconfig/network/routes", "default 10.0.0.1 - -\n10.9.0.0/16 - - eth0\n"),
        (
            "/etc/sysconfig/network/config",
            "NETCONFIG_DNS_POLICY=\"STATIC\"\nNETCONFIG_DNS_STATIC_SERVERS=\"10.0.0.53\"\n"
        ),
        (
            "/etc/wicked/ifconfig/a.xml",
            "<interface>\n <name>eth0</name>\n <ipv4:static><address><local>10.0.0.5/24</local></address></ipv4:static>\n <!-- x --></interface>\n"
        ),
        ("/var/lib/connman/a.config", "[service_a]\nType=ethernet\nIPv4=10.0.0.5/24/10.0.0.1\nMAC=00:50:56:00:00:01\n"),
        (
            "/etc/NetworkManager/system-connections/a.nmconnection",
            "[connection]\nid=a\ntype=ethernet\n[ethernet]\nmac-address=00:50:56:00:00:01\n[match]\ninterface-name=e*;eth0;\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24,10.0.0.1\n[ipv6]\nmethod=manual\naddresses=2001:db8::1/64;\n"
        ),
        (
            "/etc/systemd/network/a.network",
            "[Match]\nMACAddress=00:50:56:00:00:01\nName=e* eth0\n[Network]\nAddress=10.0.0.5/24\nVLAN=v7\nBridge=br0\n[Route]\nGateway=10.0.0.1\n"
        ),
        ("/etc/systemd/network/b.link", "[Match]\nMACAddress=00:50:56:00:00:02\n[Link]\nName=lan0\n"),
        (
            "/etc/network/interfaces",
            "auto eth0\niface eth0 inet static\n address 10.0.0.5\n netmask 255.255.255.0\n up ip route add 10/8 via 10.0.0.1\nsource interfaces.d/*\niface br0 inet6 static\n bridge_ports eth0\n"
        ),
        (
            "/etc/netplan/a.yaml",
            "network:\n  version: 2\n  ethernets:\n    eth0:\n      match: {macaddress: \"00:50:56:00:00:01\"}\n      set-name: eth0\n      addresses: [10.0.0.5/24, \"2001:db8::1/64\"]\n  bonds: {bond0: {interfaces: [eth0]}}\n"
        ),
        (
            "/etc/cloud/cloud.cfg.d/50.cfg",
            "network:\n  version: 1\n  config:\n  - type: physical\n    name: eth0\n    mac_address: '00:50:56:00:00:01'\n    subnets:\n    - {type: static, address: 10.0.0.5/24}\n"
        ),
        (
            "/etc/udev/rules.d/70-persistent-net.rules",
            "SUBSYSTEM==\"net\", ATTR{address}==\"00:50:56:00:00:01\", \\\n KERNEL==\"eth*\", NAME=\"eth0\"\n"
        ),
        ("/etc/rehost/net-names", "# x\neth0 52:54:00:00:00:01 fixed\nlan0\n"),
        (
            "/var/lib/dhclient/a-eth0.lease",
            "lease {\n interface \"eth0\";\n fixed-address 10.0.0.99;\n expire epoch 99;\n}\n"
        ),
        ("/var/lib/wicked/lease-eth0-dhcp-ipv4.xml", "<lease><address>10.0.0.99</address></lease>"),
    ]

    private func mutated(_ text: String, _ dice: inout Dice) -> [UInt8] {
        var bytes = Array(text.utf8)
        let spices: [[UInt8]] = [
            Array("\"".utf8), Array("'".utf8), Array("\\\n".utf8), [0], [0xFF, 0xFE], Array("[".utf8), Array("]".utf8),
            Array("{".utf8), Array("<!--".utf8), Array("</".utf8), Array("=".utf8), Array("\n".utf8), Array("\t".utf8),
            Array(":".utf8), Array("99999999999999999999".utf8), Array("::/200".utf8), Array("é".utf8),
            Array("- ".utf8),
        ]
        for _ in 0..<Int.random(in: 1...6, using: &dice) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &dice)
            switch Int.random(in: 0..<5, using: &dice) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &dice)
            case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...12, using: &dice)))
            case 2: bytes.insert(contentsOf: spices[Int.random(in: 0..<spices.count, using: &dice)], at: at)
            case 3: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 30)], at: at)
            default: bytes.removeLast(bytes.count - at)
            }
        }
        return bytes
    }

    /// Every sample is spoiled in many ways; whatever is planned is applied, and then there is nothing left to do.
    @Test(arguments: samples.indices) func mutations(_ index: Int) throws {
        let sample = Self.samples[index]
        var dice = Dice(state: UInt64(index) &* 977 &+ 5)
        for round in 0..<60 {
            let guest = MemoryGuest(["/sbin/ifup": "", "/sbin/dhclient": ""])
            for other in Self.samples where round % 3 == 0 { guest.put(other.path, other.text) }
            let bytes = mutated(sample.text, &dice)
            guest.put(sample.path, bytes)
            let way: DHCPNetwork.Addresses = round % 2 == 0 ? .dhcp : .keep
            let cards = round % 5 == 0 ? ["52:54:00:00:00:77=10.0.0.5"] : []
            let plan = try ConvertedGuest.plan(guest, way, cards)
            guard plan.blockers.isEmpty else { continue }
            try guest.apply(plan) { _ in }
            let second = try ConvertedGuest.plan(guest, way, cards)
            #expect(
                second.items == [] || !second.blockers.isEmpty,
                "round \(round): \(String(decoding: bytes, as: UTF8.self))\n\(second.items)")
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["ifcfg", "keyfiles", "interfaces", "netplan"])
    func tenThousandInterfaces(_ format: String) throws {
        let guest = MemoryGuest()
        let names = (0..<10_000).map { "eth\($0)" }
        switch format {
        case "ifcfg":
            for name in names {
                guest.put(
                    GuestPath("/etc/sysconfig/network-scripts/ifcfg-\(name)"), "DEVICE=\(name)\nIPADDR=10.0.0.5\n")
            }
        case "keyfiles":
            for name in names {
                guest.put(
                    GuestPath("/etc/NetworkManager/system-connections/\(name)"),
                    "[connection]\nid=\(name)\ninterface-name=\(name)\ntype=ethernet\n")
            }
        case "interfaces":
            let stanzas = names.map { "auto \($0)\niface \($0) inet static\n address 10.0.0.5/24\n" }
            guest.put("/etc/network/interfaces", stanzas.joined())
        default:
            let devices = names.map { "    \($0):\n      addresses: [10.0.0.5/24]\n" }
            guest.put("/etc/netplan/a.yaml", "network:\n  version: 2\n  ethernets:\n" + devices.joined())
        }
        let plan = try ConvertedGuest.plan(guest)
        #expect(plan.isEmpty)
        #expect(plan.blockers.map(\.message) == ["the guest configures 10000 network interfaces; 2048 are the most"])
    }

    @Test(.timeLimit(.minutes(1))) func aFileThatIsTooLarge() throws {
        let guest = MemoryGuest()
        let text = String(repeating: "A=\"1\n", count: 200_000)
        guest.put("/etc/sysconfig/network-scripts/ifcfg-eth0", text)
        guest.put("/etc/sysconfig/network/ifcfg-eth0", text)
        guest.put("/etc/wicked/ifconfig/a.xml", String(repeating: "<a>", count: 300_000))
        guest.put("/etc/network/interfaces", String(repeating: "iface eth0 inet static\n", count: 400_000))
        #expect(try ConvertedGuest.plan(guest).formerSettings == [])
    }

    @Test func includesWithoutEnd() throws {
        let guest = MemoryGuest(["/etc/network/interfaces": "source /etc/network/*\nsource-directory /etc/network\n"])
        for number in 0..<400 {
            guest.put(GuestPath("/etc/network/f\(number)"), "source /etc/network/f*\niface e\(number) inet dhcp\n")
        }
        _ = try ConvertedGuest.plan(guest)
    }
}
