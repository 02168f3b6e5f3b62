import Guest
import GuestTesting
import Injectors
import Testing

struct IfupdownTests {
    func interfaces(_ text: String, _ more: [GuestPath: String] = dhclient) throws -> ConvertedGuest {
        try ConvertedGuest(["/etc/network/interfaces": text] + more)
    }

    @Test func staticBecomesDHCP() throws {
        let guest = try interfaces(
            """
            # The loopback
            auto lo
            iface lo inet loopback

            # The primary network interface
            allow-hotplug ens192
            iface ens192 inet static
            \taddress 192.168.77.10/24
            \tgateway 192.168.77.1
            \t# dns-* options are implemented by the resolvconf package
            \tdns-nameservers 192.168.77.2 192.168.77.3
            \tdns-search example.org

            """)
        #expect(
            guest["/etc/network/interfaces"] == """
                # The loopback
                auto lo
                iface lo inet loopback

                # The primary network interface
                allow-hotplug ens192
                iface ens192 inet dhcp
                \t# dns-* options are implemented by the resolvconf package

                """)
        #expect(
            guest.former("ens192") == [
                "address": ["192.168.77.10/24"], "gateway": ["192.168.77.1"],
                "dns": ["192.168.77.2", "192.168.77.3"], "search": ["example.org"],
            ])
        #expect(
            guest.notes.contains(
                "ens192: static 192.168.77.10/24 (gateway 192.168.77.1) becomes DHCP; recorded in the report"))
        #expect(guest.cardNames == ["ens192"])
        #expect(guest.warnings == [])
    }

    @Test func netmaskGoesIntoThePrefix() throws {
        let guest = try interfaces(
            "auto eth0\niface eth0 inet static\n  address 10.1.2.3\n  netmask 255.255.252.0\n  network 10.1.0.0\n"
                + "  broadcast 10.1.3.255\n  mtu 9000\n")
        #expect(guest.former("eth0") == ["address": ["10.1.2.3/22"], "mtu": ["9000"]])
        #expect(guest["/etc/network/interfaces"] == "auto eth0\niface eth0 inet dhcp\n  mtu 9000\n")
        #expect(guest.notes.contains("eth0: keeps its MTU of 9000"))
    }

    @Test func dhcpAndManualAreUntouched() throws {
        let guest = try interfaces(
            "auto lo\niface lo inet loopback\nauto ens192\niface ens192 inet dhcp\niface ens224 inet manual\n  mtu 9000\n"
        )
        #expect(!guest.changed.contains("/etc/network/interfaces"))
        #expect(guest.cardNames == ["ens192", "ens224"])
        #expect(guest.plan.formerSettings == [])
    }

    @Test func bothFamilies() throws {
        let guest = try interfaces(
            """
            auto ens192
            iface ens192 inet static
                address 192.0.2.10
                netmask 24
                gateway 192.0.2.1
            iface ens192 inet6 static
                address 2001:db8::10
                netmask 64
                gateway 2001:db8::1
                accept_ra 0
            """)
        #expect(guest["/etc/network/interfaces"] == "auto ens192\niface ens192 inet dhcp\niface ens192 inet6 auto")
        let all = guest.plan.formerSettings.flatMap { $0.values["address"] ?? [] }
        #expect(all == ["192.0.2.10/24", "2001:db8::10/64"])
    }

    @Test func routesGoAndOtherCommandsStay() throws {
        let guest = try interfaces(
            """
            auto eth0
            iface eth0 inet static
                address 10.0.0.5/24
                up ip route add 10.9.0.0/16 via 10.0.0.254
                post-up /sbin/route add -net 10.8.0.0 netmask 255.255.0.0 gw 10.0.0.254 || true
                down ip -4 route del 10.9.0.0/16
                post-up ip rule add from 10.0.0.5 table 100
                up ip addr add 10.0.0.6/24 dev $IFACE
                pre-up iptables-restore < /etc/iptables.rules
                up ip link set $IFACE txqueuelen 10000
                up ethtool -K eth0 lro off
                up sysctl -w net.ipv4.ip_forward=1 && ip route add 10.7.0.0/16 via 10.0.0.1
            """)
        #expect(
            guest["/etc/network/interfaces"] == """
                auto eth0
                iface eth0 inet dhcp
                    pre-up iptables-restore < /etc/iptables.rules
                    up ip link set $IFACE txqueuelen 10000
                    up ethtool -K eth0 lro off || true
                    up sysctl -w net.ipv4.ip_forward=1 && ip route add 10.7.0.0/16 via 10.0.0.1 || true
                """)
        #expect(guest.former("eth0")?["route"]?.count == 4)
        #expect(guest.former("eth0")?["address"] == ["10.0.0.5/24", "10.0.0.6/24"])
    }

    @Test func continuationsAndComments() throws {
        let guest = try interfaces(
            "auto \\\n  eth0\n# a comment \\\niface eth0 inet \\\n  static\n  address 10.0.0.5 \\\n\n  netmask \\\n  255.0.0.0\n"
                + "  up ip route add \\\n    10.2.0.0/16 \\\n    via 10.0.0.1\n  hostname web\n")
        #expect(
            guest["/etc/network/interfaces"]
                == "auto \\\n  eth0\n# a comment \\\niface eth0 inet dhcp\n  hostname web\n")
        #expect(guest.former("eth0")?["address"] == ["10.0.0.5/8"])
        #expect(guest.former("eth0")?["route"] == ["ip route add 10.2.0.0/16 via 10.0.0.1"])
    }

    @Test func includedFiles() throws {
        let guest = try interfaces(
            "source /etc/network/interfaces.d/*\nsource-directory more\nsource nothing/*.cfg\n",
            dhclient + [
                "/etc/network/interfaces.d/eth0": "auto eth0\niface eth0 inet static\n address 10.0.0.1/24\n",
                "/etc/network/interfaces.d/.hidden": "iface eth9 inet static\n address 10.0.9.1/24\n",
                "/etc/network/more/eth1": "auto eth1\niface eth1 inet static\n address 10.0.1.1/24\n",
                "/etc/network/more/eth2.dpkg-old": "auto eth2\niface eth2 inet static\n address 10.0.2.1/24\n",
            ])
        #expect(guest["/etc/network/interfaces.d/eth0"] == "auto eth0\niface eth0 inet dhcp\n")
        #expect(guest["/etc/network/more/eth1"] == "auto eth1\niface eth1 inet dhcp\n")
        #expect(!guest.changed.contains("/etc/network/interfaces.d/.hidden"))
        #expect(!guest.changed.contains("/etc/network/more/eth2.dpkg-old"))
        #expect(guest.cardNames == ["eth0", "eth1"])
    }

    @Test func includeLoopsEnd() throws {
        let guest = try interfaces(
            "source /etc/network/*\nsource /etc/network/interfaces\nsource $(reboot)\nauto eth0\niface eth0 inet static\n"
                + " address 10.0.0.1/24\n")
        #expect(guest["/etc/network/interfaces"]?.contains("eth0 inet dhcp") == true)
        #expect(guest.warnings.contains { $0.contains("only a shell can expand") })
    }

    @Test func bondCarriesTheAddress() throws {
        let guest = try interfaces(
            """
            auto bond0
            iface bond0 inet static
                address 10.0.0.5/24
                gateway 10.0.0.1
                bond-slaves ens192 ens224
                bond-mode active-backup
                bond_miimon 100
            auto ens192
            iface ens192 inet manual
                bond-master bond0
            auto ens224
            iface ens224 inet manual
                bond-master bond0
            auto bond0.20
            iface bond0.20 inet static
                address 10.0.20.5/24
                vlan-raw-device bond0
            """)
        #expect(
            guest["/etc/network/interfaces"] == """
                auto bond0
                iface bond0 inet dhcp
                    bond-slaves ens192 ens224
                    bond-mode active-backup
                    bond_miimon 100
                auto ens192
                iface ens192 inet manual
                    bond-master bond0
                auto ens224
                iface ens224 inet manual
                    bond-master bond0
                auto bond0.20
                iface bond0.20 inet dhcp
                    vlan-raw-device bond0
                """)
        #expect(guest.cardNames == ["ens192", "ens224"])
    }

    @Test func bridges() throws {
        let guest = try interfaces(
            """
            auto br0 virbr-int br9
            iface br0 inet static
                address 10.0.0.5/24
                bridge_ports ens192
                bridge_stp off
                bridge_hw 00:50:56:00:00:01
            iface br9 inet static
                address 172.16.0.1/24
                bridge_ports none
            """)
        #expect(
            guest["/etc/network/interfaces"] == """
                auto br0 virbr-int br9
                iface br0 inet dhcp
                    bridge_ports ens192
                    bridge_stp off
                iface br9 inet static
                    address 172.16.0.1/24
                    bridge_ports none
                """)
        #expect(guest.former("br0")?["mac"] == ["00:50:56:00:00:01"])
        #expect(guest.notes.contains { $0.hasPrefix("br9: a bridge without ports keeps") })
        #expect(guest.cardNames == ["ens192"])
    }

    @Test func aliasesAndFurtherAddressesGo() throws {
        let guest = try interfaces(
            """
            auto eth0 eth0:1
            iface eth0 inet static
                address 10.0.0.5/24
            iface eth0 inet static
                address 10.0.0.6/24

            iface eth0:1 inet static
                address 10.0.0.7/24
            auto eth1
            iface eth1 inet dhcp
            iface eth1 inet static
                address 10.0.1.7/24
            """)
        #expect(
            guest["/etc/network/interfaces"]
                == "auto eth0\niface eth0 inet dhcp\n\nauto eth1\niface eth1 inet dhcp")
        #expect(guest.former("eth0:1")?["address"] == ["10.0.0.7/24"])
        #expect(guest.cardNames == ["eth0", "eth1"])
    }

    @Test func withoutAClientFurtherAddressesStayToo() throws {
        let text =
            "auto eth0 eth0:1\niface eth0 inet static\n address 10.0.0.5/24\niface eth0:1 inet static\n address 10.0.0.6/24\n"
        let guest = try interfaces(text, ["/sbin/ifup": ""])
        #expect(guest["/etc/network/interfaces"] == text)
    }

    @Test func aSecondStanzaKeepsWhatItIs() throws {
        let guest = try interfaces(
            "auto br0\niface br0 inet dhcp\niface br0 inet static\n address 10.0.0.5/24\n bridge_ports eth0\n")
        #expect(
            guest["/etc/network/interfaces"]
                == "auto br0\niface br0 inet dhcp\niface br0 inet manual\n bridge_ports eth0\n")
    }

    @Test func portsInCommands() throws {
        let guest = try interfaces(
            "auto bond0\niface bond0 inet static\n address 10.0.0.5/24\n up /sbin/ifenslave bond0 eth0 eth1\n")
        #expect(guest.cardNames == ["eth0", "eth1"])
    }

    @Test func foreignMACsGo() throws {
        let guest = try interfaces(
            "auto eth0 eth1\niface eth0 inet static\n address 10.0.0.5/24\n hwaddress ether 00:11:22:33:44:55\n"
                + "iface eth1 inet dhcp\n hwaddress 00:11:22:33:44:66\n pre-up ip link set dev eth1 address 00:11:22:33:44:66\n"
        )
        #expect(
            guest["/etc/network/interfaces"] == "auto eth0 eth1\niface eth0 inet dhcp\niface eth1 inet dhcp\n")
        #expect(guest.former("eth0")?["mac"] == ["00:11:22:33:44:55"])
        #expect(guest.former("eth1")?["mac"] == ["00:11:22:33:44:66", "00:11:22:33:44:66"])
    }

    @Test func templatesMappingsAndPatterns() throws {
        let guest = try interfaces(
            """
            auto eth0 /ens*=wired
            mapping eth0
                script /usr/local/sbin/map
                map HOME eth0-home
            iface base inet static
                netmask 255.255.255.0
                gateway 10.0.0.1
            iface eth0-home inet static inherits base
                address 10.0.0.5
            iface wired inet dhcp
            """)
        #expect(
            guest["/etc/network/interfaces"] == """
                auto eth0 /ens*=wired
                mapping eth0
                    script /usr/local/sbin/map
                    map HOME eth0-home
                iface base inet dhcp
                iface eth0-home inet dhcp inherits base
                iface wired inet dhcp
                """)
        #expect(guest.cardNames == ["eth0", "ens160", "ens192", "ens224", "ens256"])
    }

    @Test func wirelessAndTunnelsAreLeftAlone() throws {
        let text = """
            auto wlan0 tun0 dum
            iface wlan0 inet static
                address 10.0.0.5/24
                wpa-ssid home
            iface tun0 inet static
                address 10.8.0.1/24
            iface dum inet static
                address 10.99.0.1/32
                pre-up ip link add dum type dummy
            iface he inet6 v4tunnel
                address 2001:db8::2/64
            """
        let guest = try interfaces(text)
        #expect(guest["/etc/network/interfaces"] == text)
        #expect(guest.plan.isEmpty)
        #expect(guest.notes == [])
    }

    @Test func noClientMeansNetworkd() throws {
        let unit =
            "[Service]\nType=notify\n[Install]\nWantedBy=multi-user.target\nAlso=systemd-networkd.socket\n"
            + "Alias=dbus-org.freedesktop.network1.service\nAlso=systemd-networkd-wait-online.service\n"
        let guest = try interfaces(
            "auto ens192\niface ens192 inet static\n address 10.0.0.5/24\n",
            [
                "/sbin/ifup": "", "/lib/systemd/systemd-networkd": "",
                "/lib/systemd/system/systemd-networkd.service": unit,
                "/lib/systemd/system/systemd-networkd.socket": "[Install]\nWantedBy=sockets.target\n",
                "/lib/systemd/system/systemd-networkd-wait-online.service":
                    "[Install]\nWantedBy=network-online.target\n",
            ])
        #expect(guest["/etc/network/interfaces"] == "auto ens192\niface ens192 inet manual\n")
        #expect(
            guest["/etc/systemd/network/10-rehost-ens192.network"]?.hasSuffix(
                "[Match]\nName=ens192\n\n[Network]\nDHCP=yes\n") == true)
        for (link, target) in [
            ("multi-user.target.wants/systemd-networkd.service", "systemd-networkd.service"),
            ("sockets.target.wants/systemd-networkd.socket", "systemd-networkd.socket"),
            (
                "network-online.target.wants/systemd-networkd-wait-online.service",
                "systemd-networkd-wait-online.service"
            ),
            ("dbus-org.freedesktop.network1.service", "systemd-networkd.service"),
        ] {
            let entry = try guest.guest.entry(at: "/etc/systemd/system/\(link)")
            #expect(entry?.kind == .symlink(target: "/lib/systemd/system/\(target)"))
        }
    }

    @Test func noClientAtAllWarns() throws {
        let text = "auto ens192\niface ens192 inet static\n address 10.0.0.5/24\n"
        let guest = try interfaces(text, ["/sbin/ifup": ""])
        #expect(guest["/etc/network/interfaces"] == text)
        #expect(guest.warnings.contains { $0.hasPrefix("no DHCP client is installed") })
    }

    @Test(arguments: ["/usr/sbin/dhcpcd", "/sbin/udhcpc", "/usr/sbin/dhclient"])
    func clients(_ client: GuestPath) throws {
        let guest = try ConvertedGuest(
            ["/etc/network/interfaces": "auto e0\niface e0 inet static\n address 10.0.0.5/24\n"],
            prepare: { $0.link(client, to: "busybox") })
        #expect(guest["/etc/network/interfaces"] == "auto e0\niface e0 inet dhcp\n")
    }

    @Test func handMadeAddressesAreSaid() throws {
        let guest = try interfaces("auto eth0\niface eth0 inet manual\n up ip addr add 10.0.0.5/24 dev eth0\n")
        #expect(guest.warnings.contains { $0.contains("ip addr add 10.0.0.5/24") })
    }

    @Test(arguments: [
        "iface", "iface eth0", "iface eth0 inet", "iface eth0 inet static", "auto", "source", "mapping\n\\",
        "iface eth0 inet static\naddress", "iface eth0 inet static\n address 10.0.0.1\n netmask 999.1.2.3\n up\n up ||",
        "\\\n\\\n\\", "source /[/*\nsource ../../../../etc/network/interfaces", "iface eth0 inet static inherits",
        "iface é inet static\n address ÿ\r\n\r\n", "auto /\nauto =\nauto /*=\niface x inet6 static\nbridge_ports regex",
    ])
    func brokenFiles(_ text: String) throws { _ = try interfaces(text) }

    @Test func hugeLines() throws {
        let guest = try interfaces(
            "auto eth0\niface eth0 inet static\n address 10.0.0.1/24\n up echo "
                + String(repeating: "x ", count: 20_000))
        #expect(guest["/etc/network/interfaces"]?.contains("eth0 inet dhcp") == true)
    }
}
