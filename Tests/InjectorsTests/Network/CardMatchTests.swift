import Guest
import GuestTesting
import Injectors
import Testing

/// `--network keep --mac`: which interface gets which card.
struct CardMatchTests {
    private static let mac = "52:54:00:aa:bb:01"
    private static let other = "52:54:00:aa:bb:02"
    private static let scripts = "/etc/sysconfig/network-scripts/"
    private static let keyfiles = "/etc/NetworkManager/system-connections/"

    private func ifcfg(_ files: [String: String]) -> [GuestPath: String] {
        Dictionary(uniqueKeysWithValues: files.map { (GuestPath(Self.scripts + $0.key), $0.value) })
    }

    private func keyfile(_ files: [String: String]) -> [GuestPath: String] {
        Dictionary(uniqueKeysWithValues: files.map { (GuestPath(Self.keyfiles + $0.key), $0.value) })
    }

    private func fixed(_ files: [GuestPath: String], _ cards: String...) throws -> [String] {
        let guest = try ConvertedGuest(files, .keep, cards: cards)
        #expect(guest.blockers == [])
        return guest.fixedCards
    }

    @Test(arguments: ["nothing", "52:54:00=eth0", "52:54:00:aa:bb:01=", "52:54:00:aa:bb:zz=eth0", "=eth0"])
    func whatIsNoMatch(_ text: String) { #expect(CardMatch(text) == nil) }

    @Test func forms() {
        #expect(CardMatch("52-54-00-AA-BB-01= eth0")?.mac == Self.mac)
        #expect(CardMatch("52:54:00:AA:BB:01=2001:db8::1")?.target == "2001:db8::1")
    }

    // MARK: ifcfg

    @Test func quotesOfBothKinds() throws {
        for quote in ["\"", "'", ""] {
            let text = "DEVICE=\(quote)eth3\(quote)\nIPADDR=\(quote)10.0.0.5\(quote)\n"
            #expect(try fixed(ifcfg(["ifcfg-eth3": text]), "\(Self.mac)=10.0.0.5") == ["eth3 \(Self.mac)"])
        }
    }

    @Test func addressesMatchExactly() throws {
        let files = ifcfg([
            "ifcfg-eth0": "DEVICE=eth0\nIPADDR=10.0.0.11\n", "ifcfg-eth1": "DEVICE=eth1\nIPADDR=10.0.0.1\n",
        ])
        #expect(try fixed(files, "\(Self.mac)=10.0.0.1") == ["eth1 \(Self.mac)"])
        #expect(
            try fixed(files, "\(Self.other)=10.0.0.11", "\(Self.mac)=10.0.0.1") == [
                "eth0 \(Self.other)", "eth1 \(Self.mac)",
            ])
    }

    @Test func byHWADDR() throws {
        let files = ifcfg(["ifcfg-ens224": "HWADDR=\"00:50:56:00:00:01\"\nNAME=\"ens224\"\nIPADDR=\"10.0.0.5\"\n"])
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=10.0.0.5"])
        #expect(guest.fixedCards == ["ens224 \(Self.mac)"])
        #expect(guest[GuestPath(Self.scripts + "ifcfg-ens224")]?.contains("HWADDR=\"\(Self.mac)\"") == true)
    }

    @Test func aProfileBesideTheOnlyCard() throws {
        let files = ifcfg([
            "ifcfg-Office_LAN":
                "TYPE=Ethernet\nBOOTPROTO=none\nIPADDR=192.0.2.72\nPREFIX=32\nNAME=\"Office LAN\"\nUUID=u-1\n",
            "ifcfg-eno16777736": "TYPE=Ethernet\nBOOTPROTO=dhcp\nDEVICE=eno16777736\nUUID=u-2\n",
        ])
        #expect(try fixed(files, "\(Self.mac)=192.0.2.72") == ["eno16777736 \(Self.mac)"])
        #expect(try fixed(files, "\(Self.mac)=Office LAN") == ["eno16777736 \(Self.mac)"])
    }

    @Test func aProfileAndTheCardThatHadTheMAC() throws {
        let files = ifcfg([
            "ifcfg-Static": "TYPE=Ethernet\nBOOTPROTO=none\nIPADDR=192.0.2.50\nPREFIX=24\nNAME=Static\n",
            "ifcfg-ens192": "DEVICE=ens192\nBOOTPROTO=dhcp\nHWADDR=\(Self.mac.uppercased())\n",
            "ifcfg-ens224": "DEVICE=ens224\nBOOTPROTO=dhcp\n",
        ])
        #expect(try fixed(files, "\(Self.mac)=192.0.2.50") == ["ens192 \(Self.mac)"])
    }

    @Test func aProfileThatNothingTies() throws {
        let files = ifcfg([
            "ifcfg-Static": "TYPE=Ethernet\nBOOTPROTO=none\nIPADDR=192.0.2.50\nPREFIX=24\nNAME=Static\n"
        ])
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=192.0.2.50"])
        #expect(guest[GuestPath(Self.scripts + "ifcfg-Static")]?.contains("HWADDR=\(Self.mac)\n") == true)
        #expect(guest.fixedCards == [])
    }

    @Test func anAddressOfIPv6() throws {
        let files = ifcfg(["ifcfg-eth0": "DEVICE=eth0\nIPV6INIT=yes\nIPV6ADDR=2001:db8::100/64\n"])
        #expect(
            try fixed(files, "\(Self.mac)=2001:0DB8:0:0:0:0:0:0100") == ["eth0 \(Self.mac)"])
    }

    @Test func filesOfSUSE() throws {
        let files: [GuestPath: String] = [
            "/etc/sysconfig/network/ifcfg-eth0": "BOOTPROTO='static'\nIPADDR='10.0.0.5/24'\n",
            "/etc/sysconfig/network/ifcfg-eth1": "BOOTPROTO='static'\nIPADDR='10.0.0.55'\nIPADDR_1='10.0.0.6'\n",
        ]
        #expect(
            try fixed(files, "\(Self.mac)=10.0.0.6", "\(Self.other)=10.0.0.5", "\(Self.mac)=10.0.0.55") == [
                "eth0 \(Self.other)", "eth1 \(Self.mac)",
            ])
    }

    // MARK: udev rules that are there

    @Test(arguments: [
        #"SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="52:54:00:aa:bb:01", NAME="ens160""#,
        #"SUBSYSTEM=="net", ACTION=="add", ATTR{address}=="00:50:56:00:00:09", NAME="eth0""#,
        "# old\n"
            + #"SUBSYSTEM=="net", ATTR{address}=="00:50:56:00:00:09", ATTR{dev_id}=="0x0", KERNEL=="eth*", NAME="eth7""#,
    ])
    func oneRuleForACard(_ rule: String) throws {
        let guest = try ConvertedGuest(
            ifcfg(["ifcfg-eth0": "DEVICE=eth0\nIPADDR=10.0.0.5\n"])
                + ["/etc/udev/rules.d/70-persistent-net.rules": rule], .keep, cards: ["\(Self.mac)=10.0.0.5"])
        #expect(guest.fixedCards == ["eth0 \(Self.mac)"])
        #expect(guest["/etc/udev/rules.d/70-persistent-net.rules"]?.contains("NAME=") == false)
    }

    @Test func rulesForOtherThingsStay() throws {
        let text = """
            KERNEL=="sd*", KERNELS=="2:0:0:0", NAME="backup"
            SUBSYSTEM=="net", ATTR{address}=="00:50:56:00:00:01", NAME="wlan0"
            SUBSYSTEM=="net", KERNEL=="eth0", NAME="lan"
            """
        let guest = try ConvertedGuest(["/etc/udev/rules.d/10-local.rules": text])
        #expect(guest["/etc/udev/rules.d/10-local.rules"] == text)
    }

    // MARK: Keyfiles

    @Test func keyfilesWithOldMACs() throws {
        let files = keyfile([
            "ens192.nmconnection":
                "[connection]\nid=ens192\ntype=ethernet\ninterface-name=ens192\n[ethernet]\nmac-address=00:50:56:00:00:01\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24,10.0.0.1\n",
            "ens224.nmconnection":
                "[connection]\nid=ens224\ntype=802-3-ethernet\ninterface-name=ens224\n[802-3-ethernet]\nmac-address=00:50:56:00:00:02\n[ipv4]\nmethod=manual\naddress1=10.0.1.5/24\naddress2=10.0.1.6/24\n",
        ])
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=10.0.1.6", "\(Self.other)=ens192"])
        #expect(guest.fixedCards == ["ens192 \(Self.other)", "ens224 \(Self.mac)"])
        #expect(guest[GuestPath(Self.keyfiles + "ens224.nmconnection")]?.contains("mac-address=\(Self.mac)") == true)
        #expect(guest[GuestPath(Self.keyfiles + "ens192.nmconnection")]?.contains("mac-address=\(Self.other)") == true)
        #expect(guest.changed.filter { $0.hasSuffix(".link") } == [])
    }

    @Test func namesWithSpacesAndOddSections() throws {
        let files = keyfile([
            "Office net 1.nmconnection": "[connection]\ninterface-name=eth3\naddress1=10.0.0.11/24\n"
        ])
        #expect(try fixed(files, "\(Self.mac)=10.0.0.11") == ["eth3 \(Self.mac)"])
    }

    @Test func theMatchSection() throws {
        let files = keyfile([
            "ens34.nmconnection":
                "[connection]\nid=ens34\ntype=ethernet\n[match]\ninterface-name=enp*;ens34;\n[ipv4]\nmethod=manual\naddress1=10.0.0.20/24\n"
        ])
        #expect(try fixed(files, "\(Self.mac)=10.0.0.20") == ["ens34 \(Self.mac)"])
    }

    @Test func linkFilesWhereUdevReadsThem() throws {
        let files =
            keyfile([
                "eth0.nmconnection":
                    "[connection]\nid=eth0\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24\n"
            ]) + [
                "/usr/lib/udev/rules.d/80-net-setup-link.rules": "",
                "/etc/systemd/network/70-lan.link": "[Match]\nMACAddress=\(Self.mac)\n[Link]\nName=lan9\n",
            ]
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=10.0.0.5"])
        let link = try #require(guest["/etc/systemd/network/10-rehost-eth0.link"])
        #expect(link.contains("MACAddress=\(Self.mac)\n"))
        #expect(link.contains("Name=eth0\n"))
        #expect(guest["/etc/systemd/network/70-lan.link"] == nil)
    }

    // MARK: Others

    @Test func ifupdownWithSourcesAndDuplicateLists() throws {
        let files: [GuestPath: String] = [
            "/etc/network/interfaces":
                "source /etc/network/interfaces.d/*\nauto lo ens192\nallow-hotplug ens192\niface lo inet loopback\n",
            "/etc/network/interfaces.d/ens192":
                "iface ens192 inet static\n\taddress 192.0.2.11/24\n\tgateway 192.0.2.1\n",
        ]
        #expect(try fixed(files, "\(Self.mac)=192.0.2.11") == ["ens192 \(Self.mac)"])
        #expect(try fixed(files, "\(Self.mac)=ens192") == ["ens192 \(Self.mac)"])
    }

    @Test func netplansGeneratedFiles() throws {
        let files: [GuestPath: String] = [
            "/run/systemd/network/netplan-enp3s0.network": "[Match]\nName=enp3s0\n\n[Network]\nAddress=192.0.2.12/24\n"
        ]
        #expect(try fixed(files, "\(Self.mac)=192.0.2.12") == ["enp3s0 \(Self.mac)"])
    }

    @Test func aBridgeAndAVLANStandForTheirCard() throws {
        let yaml = """
            network:
              version: 2
              ethernets: {ens192: {}, ens224: {}, ens256: {}}
              bridges:
                br0: {interfaces: [ens192], addresses: [10.0.0.5/24]}
              vlans:
                v7: {id: 7, link: br0, addresses: [10.7.0.5/24]}
              bonds:
                bond0: {interfaces: [ens224, ens256], addresses: [10.1.0.5/24]}

            """
        let files: [GuestPath: String] = ["/etc/netplan/a.yaml": yaml]
        #expect(try fixed(files, "\(Self.mac)=10.0.0.5", "\(Self.mac)=10.7.0.5") == ["ens192 \(Self.mac)"])
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=10.1.0.5"])
        #expect(guest.blockers == ["bond0 (bond) is on ens224, ens256: --mac has to name one of these"])
        #expect(guest.plan.isEmpty)
    }

    // MARK: Leases

    @Test func dhclient() throws {
        func lease(_ name: String, _ address: String, _ time: String) -> String {
            "lease {\n  interface \"\(name)\";\n  fixed-address \(address);\n  expire 3 2025/04/30 \(time);\n}\n"
        }
        let files: [GuestPath: String] = [
            "/var/lib/dhclient/dhclient-1-eth0.lease": lease("eth0", "192.0.2.83", "17:40:05")
                + lease("eth0", "192.0.2.82", "17:42:30"),
            "/var/lib/dhclient/dhclient-2-eth1.lease": lease("eth1", "192.0.2.82", "17:40:30")
                + lease("eth1", "192.0.2.84", "17:45:00"),
        ]
        #expect(
            try fixed(files, "\(Self.mac)=192.0.2.82", "\(Self.other)=192.0.2.84") == [
                "eth0 \(Self.mac)", "eth1 \(Self.other)",
            ])
    }

    @Test func networkManagersLeases() throws {
        let uuids = ["1f2ea111-624b-32f6-8c93-12b2388516a6", "6a0608c2-9d57-46d8-84d1-d2bbf6767acc"]
        let folder = "/var/lib/NetworkManager/"
        let files: [GuestPath: String] = [
            GuestPath("\(folder)internal-\(uuids[0])-enp1s0.lease"): "# private\nADDRESS=192.0.2.179\n",
            GuestPath("\(folder)internal-\(uuids[1])-enp2s0.lease"): "ADDRESS=192.0.2.179\n",
            GuestPath("\(folder)timestamps"): "[timestamps]\n\(uuids[0])=1745269160\n\(uuids[1])=999999999\n",
        ]
        #expect(try fixed(files, "\(Self.mac)=192.0.2.179") == ["enp1s0 \(Self.mac)"])
    }

    @Test func wickedsLeases() throws {
        func lease(_ address: String) -> String {
            "<lease>\n <family>ipv4</family>\n <ipv4:dhcp>\n  <address>\(address)</address>\n </ipv4:dhcp>\n</lease>\n"
        }
        let files: [GuestPath: String] = [
            "/var/lib/wicked/lease-eth0-dhcp-ipv4.xml": lease("192.0.2.82"),
            "/var/lib/wicked/lease-eth1-dhcp-ipv4.xml": lease("192.0.2.8"),
        ]
        #expect(try fixed(files, "\(Self.mac)=192.0.2.8") == ["eth1 \(Self.mac)"])
    }

    // MARK: What can't be

    @Test func blockers() throws {
        let files = ifcfg([
            "ifcfg-eth0": "DEVICE=eth0\nIPADDR=10.0.0.5\nPREFIX=24\n", "ifcfg-eth1": "DEVICE=eth1\nBOOTPROTO=dhcp\n",
        ])
        func blocked(_ cards: String...) throws -> [String] {
            let guest = try ConvertedGuest(files, .keep, cards: cards)
            #expect(guest.plan.isEmpty)
            #expect(guest.plan.blockers.allSatisfy { $0.hint == "there are: eth0 (10.0.0.5/24), eth1" })
            return guest.blockers
        }
        #expect(
            try blocked("\(Self.mac)=10.0.0.6") == [
                "no interface has the address 10.0.0.6, which --mac gives the card \(Self.mac)"
            ])
        #expect(
            try blocked("\(Self.mac)=ens192") == [
                "no interface is called 'ens192', which --mac gives the card \(Self.mac)"
            ])
        #expect(
            try blocked("\(Self.mac)=eth0", "\(Self.other)=10.0.0.5") == [
                "'10.0.0.5' is given two cards, \(Self.mac) and \(Self.other)"
            ])
        #expect(
            try blocked("\(Self.mac)=eth0", "\(Self.mac)=eth1") == [
                "the card \(Self.mac) is given to eth0 and to eth1"
            ])
    }

    @Test func withDHCPToo() throws {
        let guest = try ConvertedGuest(
            ifcfg(["ifcfg-eth0": "DEVICE=eth0\nIPADDR=10.0.0.5\nPREFIX=24\n"]), .dhcp, cards: ["\(Self.mac)=10.0.0.5"])
        #expect(guest.fixedCards == ["eth0 \(Self.mac)"])
        #expect(guest[GuestPath(Self.scripts + "ifcfg-eth0")] == "DEVICE=eth0\nBOOTPROTO=dhcp\n")
    }

    @Test func theOthersGoByTheirOrder() throws {
        let files: [GuestPath: String] = [
            "/etc/network/interfaces": "auto ens160 ens192\niface ens160 inet dhcp\niface ens192 inet dhcp\n"
        ]
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=ens160"])
        #expect(guest.cardNames == ["ens160 \(Self.mac) fixed", "ens192"])
        #expect(guest["/lib/udev/rehost-net-name"] != nil)
        let all = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=ens160", "\(Self.other)=ens192"])
        #expect(all["/lib/udev/rehost-net-name"] == nil)
    }

    @Test func alpinesMdev() throws {
        let files: [GuestPath: String] = [
            "/etc/network/interfaces":
                "auto eth0 eth1\niface eth0 inet static\n\taddress 10.0.0.5/24\niface eth1 inet dhcp\n",
            "/etc/mdev.conf": "-net/.* root:root 600 @nameif\n", "/sbin/mdev": "",
            "/etc/mactab": "eth0 00:50:56:00:00:01\n",
        ]
        let guest = try ConvertedGuest(files, .keep, cards: ["\(Self.mac)=10.0.0.5"])
        #expect(guest["/etc/mactab"] == "# Laid by rehost: the new machine's cards\neth0 \(Self.mac)\n")
        #expect(!guest.changed.contains { $0.contains("udev") })
        #expect(guest.warnings == [])
    }
}
