import Guest
import GuestTesting
import Injectors
import Testing

struct NetworkdTests {
    func networkd(_ text: String, _ more: [GuestPath: String] = [:]) throws -> ConvertedGuest {
        try ConvertedGuest(["/etc/systemd/network/10-lan.network": text] + more)
    }

    func result(_ guest: ConvertedGuest) -> String? { guest["/etc/systemd/network/10-lan.network"] }

    @Test func staticBecomesDHCP() throws {
        let guest = try networkd(
            """
            [Match]
            Name=ens192

            [Link]
            MTUBytes=9000

            [Network]
            # by hand
            Address=192.168.77.10/24
            Gateway=192.168.77.1
            DNS=192.168.77.2 192.168.77.3
            Domains=example.org
            DHCP=no
            NTP=10.0.0.1

            [Address]
            Address=2001:db8::10/64
            # why

            [Route]
            Destination=10.0.0.0/8
            Gateway=192.168.77.254

            [DHCPv4]
            UseDNS=no
            RouteMetric=100

            """)
        #expect(
            result(guest) == """
                [Match]
                Name=ens192

                [Link]
                MTUBytes=9000

                [Network]
                DHCP=yes
                # by hand
                NTP=10.0.0.1

                # why
                [DHCPv4]
                RouteMetric=100

                """)
        #expect(guest.former("ens192")?["address"] == ["192.168.77.10/24", "2001:db8::10/64"])
        #expect(guest.former("ens192")?["gateway"] == ["192.168.77.1", "192.168.77.254"])
        #expect(guest.former("ens192")?["dns"] == ["192.168.77.2", "192.168.77.3"])
        #expect(guest.cardNames == ["ens192"])
    }

    @Test(arguments: [
        "[Match]\nName=ens192\n[Network]\nDHCP=yes\n", "[Match]\nName=en*\n[Network]\nDHCP=ipv4\n",
        "[Match]\nName=wlan0\n[Network]\nAddress=10.0.0.5/24\n", "[Match]\nName=lo\n[Network]\nAddress=10.0.0.5/32\n",
        "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n",
    ])
    func untouched(_ text: String) throws {
        let guest = try networkd(text)
        #expect(result(guest) == text)
        #expect(guest.cardNames == (text.contains("ens192") ? ["ens192"] : []))
    }

    @Test func dropInsCountAsOne() throws {
        let guest = try networkd(
            "[Match]\nName=eth0\n[Network]\nAddress=10.0.0.5/24\n",
            [
                "/etc/systemd/network/10-lan.network.d/gateway.conf": "[Network]\nGateway=10.0.0.1\nDHCP=no\n",
                "/etc/systemd/network/20-dead.network.d/x.conf": "[Network]\nAddress=10.9.0.1/24\n",
            ])
        #expect(result(guest) == "[Match]\nName=eth0\n[Network]\nDHCP=yes\n")
        #expect(guest["/etc/systemd/network/10-lan.network.d/gateway.conf"] == "[Network]\n")
        #expect(guest["/etc/systemd/network/20-dead.network.d/x.conf"] == "[Network]\nDHCP=yes\n")
    }

    @Test(arguments: [
        ("Address=10.0.0.5/24\nDHCP=ipv6\n", "DHCP=yes\n"), ("Address=2001:db8::5/64\n", "DHCP=ipv6\n"),
        ("DHCP=yes\nAddress=10.0.0.5/24\n", "DHCP=yes\n"),
        ("IPv6AcceptRA=no\nAddress=10.0.0.5/24\n", "DHCP=yes\nIPv6AcceptRA=no\n"),
    ])
    func families(_ before: String, _ after: String) throws {
        let guest = try networkd("[Match]\nName=eth0\n[Network]\n" + before)
        #expect(result(guest) == "[Match]\nName=eth0\n[Network]\n" + after)
    }

    @Test func oneCardByMAC() throws {
        let guest = try networkd("[Match]\nMACAddress=00:50:56:aa:bb:cc\n\n[Network]\nAddress=10.0.0.5/24\n")
        #expect(result(guest) == "[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n")
        #expect(guest.cardNames == [])
    }

    @Test func severalCardsByMAC() throws {
        let guest = try networkd(
            "[Match]\nMACAddress=00:50:56:aa:bb:cc\n[Network]\nAddress=10.0.0.5/24\n",
            [
                "/etc/systemd/network/20-dmz.network":
                    "[Match]\nPermanentMACAddress=00:50:56:aa:bb:cd\n[Network]\nDHCP=yes\n",
                "/etc/systemd/network/10-dmz.link":
                    "[Match]\nMACAddress=00:50:56:AA:BB:CD\n\n[Link]\nName=dmz0\nWakeOnLan=magic\n",
            ])
        #expect(result(guest) == "[Match]\nName=nic0\n[Network]\nDHCP=yes\n")
        #expect(guest["/etc/systemd/network/20-dmz.network"] == "[Match]\nName=dmz0\n[Network]\nDHCP=yes\n")
        #expect(guest["/etc/systemd/network/10-dmz.link"] == nil)
        #expect(guest.cardNames == ["nic0 00:50:56:aa:bb:cc", "dmz0 00:50:56:aa:bb:cd"])
        #expect(
            guest.plan.formerSettings.contains {
                $0.kind == "interface-name" && $0.subject == "dmz0" && $0.values["setting"] == ["WakeOnLan=magic"]
            })
    }

    @Test func vmwareOnlyMatches() throws {
        let guest = try networkd("[Match]\nDriver=vmxnet3\nVirtualization=vmware\n[Network]\nDHCP=yes\n")
        #expect(result(guest) == "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n")
        let named = try networkd("[Match]\nName=eth0\nVirtualization=vmware\n[Network]\nDHCP=yes\n")
        #expect(result(named) == "[Match]\nName=eth0\n[Network]\nDHCP=yes\n")
        let any = try networkd("[Match]\nName=en*\nDriver=e1000 virtio_net\n[Network]\nDHCP=yes\n")
        #expect(any.plan.isEmpty)
    }

    @Test func bondsBridgesAndOthers() throws {
        let folder = "/etc/systemd/network"
        let guest = try ConvertedGuest(
            [
                "\(folder)/bond0.netdev":
                    "[NetDev]\nName=bond0\nKind=bond\nMACAddress=00:50:56:aa:bb:cc\n[Bond]\nMode=802.3ad\n",
                "\(folder)/br0.netdev": "[NetDev]\nName=br0\nKind=bridge\n",
                "\(folder)/br1.netdev": "[NetDev]\nName=br1\nKind=bridge\n",
                "\(folder)/vlan20.netdev": "[NetDev]\nName=vlan20\nKind=vlan\n[VLAN]\nId=20\n",
                "\(folder)/gre.netdev": "[NetDev]\nName=link-a\nKind=gre\n",
                "\(folder)/ports.network": "[Match]\nName=ens192 ens224\n[Network]\nBond=bond0\nAddress=10.3.0.5/24\n",
                "\(folder)/bond0.network": "[Match]\nName=bond0\n[Network]\nBridge=br0\nVLAN=vlan20\n",
                "\(folder)/br0.network": "[Match]\nName=br0\n[Network]\nAddress=10.0.0.5/24\n",
                "\(folder)/br1.network": "[Match]\nName=br1\n[Network]\nAddress=10.1.0.1/24\n",
                "\(folder)/vlan20.network": "[Match]\nName=vlan20\n[Network]\nAddress=10.20.0.5/24\n",
                "\(folder)/gre.network": "[Match]\nName=link-a\n[Network]\nAddress=10.30.0.5/30\n",
            ] as [GuestPath: String])
        #expect(guest["\(folder)/bond0.netdev"] == "[NetDev]\nName=bond0\nKind=bond\n[Bond]\nMode=802.3ad\n")
        #expect(guest["\(folder)/ports.network"] == "[Match]\nName=ens192 ens224\n[Network]\nBond=bond0\n")
        #expect(guest["\(folder)/br0.network"] == "[Match]\nName=br0\n[Network]\nDHCP=yes\n")
        #expect(guest["\(folder)/br1.network"]?.contains("10.1.0.1/24") == true)
        #expect(guest["\(folder)/vlan20.network"] == "[Match]\nName=vlan20\n[Network]\nDHCP=yes\n")
        #expect(guest["\(folder)/gre.network"]?.contains("10.30.0.5/30") == true)
        #expect(guest.cardNames == ["ens192", "ens224"])
    }

    @Test func dhcpServersStay() throws {
        let text = "[Match]\nName=ens224\n[Network]\nAddress=10.5.0.1/24\nDHCPServer=yes\n"
        let guest = try networkd(text)
        #expect(result(guest) == text)
        #expect(guest.warnings.contains { $0.hasPrefix("ens224: serves DHCP") })
    }

    @Test(arguments: [
        "", "[", "[Match", "Name=x", "[Match]\nName", "[Match]\nName=\\", "[Network]\nAddress=x\\\n\\\n", "[]\n=\n",
    ])
    func broken(_ text: String) throws { _ = try networkd(text) }
}
