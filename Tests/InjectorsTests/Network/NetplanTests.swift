import Guest
import GuestTesting
import Injectors
import Testing

struct NetplanTests {
    func netplan(_ text: String, _ more: [GuestPath: String] = [:]) throws -> ConvertedGuest {
        try ConvertedGuest(["/etc/netplan/50-cloud-init.yaml": text] + more)
    }

    func result(_ guest: ConvertedGuest) -> String? { guest["/etc/netplan/50-cloud-init.yaml"] }

    @Test func blockStyle() throws {
        let guest = try netplan(
            """
            # This is the network config written by 'subiquity'
            network:
              version: 2
              renderer: networkd
              ethernets:
                ens192:   # the only one
                  dhcp4: no
                  addresses:
                  - 192.168.77.10/24
                  - "2001:db8::10/64"
                  # where out is
                  routes:
                    - to: default
                      via: 192.168.77.1
                  nameservers:
                    addresses: [192.168.77.2, 192.168.77.3]
                    search:
                      - example.org
                  mtu: 9000
                  optional: true

            """)
        #expect(
            result(guest) == """
                # This is the network config written by 'subiquity'
                network:
                  version: 2
                  renderer: networkd
                  ethernets:
                    ens192:   # the only one
                      dhcp4: true
                      dhcp6: true
                      # where out is
                      mtu: 9000
                      optional: true

                """)
        #expect(
            guest.former("ens192") == [
                "address": ["192.168.77.10/24", "2001:db8::10/64"], "gateway": ["192.168.77.1"],
                "dns": ["192.168.77.2", "192.168.77.3"], "search": ["example.org"], "mtu": ["9000"],
                "route": ["{to: default, via: 192.168.77.1}"],
            ])
        #expect(guest.cardNames == ["ens192"])
        #expect(guest.warnings == [])
    }

    @Test func flowStyle() throws {
        let guest = try netplan(
            """
            network:
                ethernets:
                    ens160: {addresses: [10.0.0.5/24], gateway4: 10.0.0.1, mtu: 1500, "nameservers": {addresses: [10.0.0.2]}}
                    ens192: {dhcp4: true}
                    ens224:
                        addresses: [
                            10.0.1.5/24,  # main
                            10.0.1.6/24,
                        ]
                version: 2
            """)
        #expect(
            result(guest) == """
                network:
                    ethernets:
                        ens160: {mtu: 1500, dhcp4: true}
                        ens192: {dhcp4: true}
                        ens224:
                            dhcp4: true
                    version: 2
                """)
        #expect(guest.former("ens224")?["address"] == ["10.0.1.5/24", "10.0.1.6/24"])
    }

    @Test func wholeFileInFlowStyle() throws {
        let guest = try netplan(
            #"{"network": {"version": 2, "ethernets": {"ens192": {"addresses": ["10.0.0.5/24"], "gateway4": "10.0.0.1"}}}}"#
        )
        #expect(
            result(guest) == #"{"network": {"version": 2, "ethernets": {"ens192": {dhcp4: true}}}}"#)
    }

    @Test func dhcpIsUntouched() throws {
        let guest = try netplan(
            "network:\n  version: 2\n  ethernets:\n    ens192:\n      dhcp4: true\n      nameservers:\n        addresses: [1.1.1.1]\n"
                + "      routes:\n      - {to: 10.0.0.0/8, via: 10.0.0.1}\n    ens224: {}\n    ens256:\n")
        #expect(!guest.changed.contains("/etc/netplan/50-cloud-init.yaml"))
        #expect(guest.cardNames == ["ens192", "ens224", "ens256"])
    }

    @Test func matchByMACWithSetName() throws {
        let guest = try netplan(
            """
            network:
              ethernets:
                ens192:
                  addresses:
                  - 192.168.77.10/24
                  match:
                    macaddress: 00:50:56:aa:bb:cc
                  set-name: ens192
                nic-b:
                  dhcp4: true
                  match:
                    macaddress: '00:50:56:AA:BB:CD'   # second
                  set-name: lan1
              version: 2

            """)
        #expect(
            result(guest) == """
                network:
                  ethernets:
                    ens192:
                      dhcp4: true
                    nic-b:
                      dhcp4: true
                      match:
                        name: "lan1"
                      set-name: lan1
                  version: 2

                """)
        #expect(guest.cardNames == ["ens192 00:50:56:aa:bb:cc", "lan1 00:50:56:aa:bb:cd"])
        #expect(guest.warnings.contains { $0.hasPrefix("nothing tells which card lan1 was") })
        #expect(guest.former("ens192")?["mac"] == ["00:50:56:aa:bb:cc"])
        #expect(guest.former("lan1")?["mac"] == ["00:50:56:AA:BB:CD"])
        #expect(guest.notes.contains("lan1: is no longer tied to 00:50:56:AA:BB:CD; recorded in the report"))
    }

    @Test func matchByMACAlone() throws {
        let guest = try netplan(
            """
            network:
              version: 2
              ethernets:
                internal:
                  match: {macaddress: "00:50:56:aa:bb:01"}
                  addresses: [10.0.0.5/24]
                a-label-that-is-too-long:
                  match: {macaddress: "00:50:56:aa:bb:02"}
                  addresses: [10.0.1.5/24]
              bonds: {}
            """)
        #expect(
            result(guest) == """
                network:
                  version: 2
                  ethernets:
                    internal:
                      dhcp4: true
                    a-label-that-is-too-long:
                      match: {name: "nic0"}
                      dhcp4: true
                  bonds: {}
                """)
        #expect(guest.cardNames == ["internal 00:50:56:aa:bb:01", "nic0 00:50:56:aa:bb:02"])
    }

    @Test func matchByMACNamedByRule() throws {
        let rule = #"SUBSYSTEM=="net", ACTION=="add", DRIVERS=="?*", ATTR{address}=="00:50:56:aa:bb:01", NAME="eth7""#
        let guest = try netplan(
            "network:\n  ethernets:\n    any:\n      match: {macaddress: \"00:50:56:AA:BB:01\"}\n      dhcp4: yes\n",
            ["/etc/udev/rules.d/70-persistent-net.rules": rule + "\n"])
        #expect(result(guest) == "network:\n  ethernets:\n    any:\n      match: {name: \"eth7\"}\n      dhcp4: yes\n")
        #expect(guest["/etc/udev/rules.d/70-persistent-net.rules"] == "")
        #expect(guest.cardNames == ["eth7 00:50:56:aa:bb:01"])
    }

    @Test func driverMatch() throws {
        let guest = try netplan(
            "network:\n  ethernets:\n    all:\n      match:\n        driver: vmxnet3\n      addresses: [10.0.0.5/24]\n"
                + "    en:\n      match: {name: \"en*\"}\n      dhcp4: true\n")
        #expect(
            result(guest)
                == "network:\n  ethernets:\n    all:\n      match:\n        name: \"e*\"\n      dhcp4: true\n"
                + "    en:\n      match: {name: \"en*\"}\n      dhcp4: true\n")
        #expect(guest.cardNames == [])
    }

    @Test func narrowPatternsGetNames() throws {
        let guest = try netplan("network:\n  ethernets:\n    all:\n      match: {name: \"ens*\"}\n      dhcp4: true\n")
        #expect(guest.cardNames == ["ens160", "ens192", "ens224", "ens256"])
    }

    @Test func bondsBridgesAndVLANs() throws {
        let guest = try netplan(
            """
            network:
              version: 2
              ethernets:
                ens192: {}
                ens224: {dhcp4: false, dhcp6: false}
                ens256:
                  addresses: [172.16.0.5/24]
              bonds:
                bond0:
                  interfaces: [ens192, ens224]
                  parameters:
                    mode: 802.3ad
                  macaddress: 00:50:56:11:22:33
                  addresses: [10.0.0.5/24]
                  gateway4: 10.0.0.1
              vlans:
                bond0.20:
                  id: 20
                  link: bond0
                  addresses: ["10.0.20.5/24"]
              bridges:
                br0:
                  interfaces:
                    - ens256
                  addresses: [172.16.0.6/24]
                br-int:
                  addresses: [192.168.100.1/24]

            """)
        #expect(
            result(guest) == """
                network:
                  version: 2
                  ethernets:
                    ens192: {}
                    ens224: {dhcp4: false, dhcp6: false}
                    ens256:
                      dhcp4: false
                  bonds:
                    bond0:
                      interfaces: [ens192, ens224]
                      parameters:
                        mode: 802.3ad
                      dhcp4: true
                  vlans:
                    bond0.20:
                      id: 20
                      link: bond0
                      dhcp4: true
                  bridges:
                    br0:
                      interfaces:
                        - ens256
                      dhcp4: true
                    br-int:
                      addresses: [192.168.100.1/24]

                """)
        #expect(guest.cardNames == ["ens192", "ens224", "ens256"])
        #expect(guest.former("bond0")?["mac"] == ["00:50:56:11:22:33"])
        #expect(guest.notes.contains { $0.hasPrefix("br-int: a bridge without ports") })
    }

    @Test func severalFilesMakeOneDefinition() throws {
        let guest = try ConvertedGuest([
            "/etc/netplan/01-base.yaml": "network:\n  ethernets:\n    eth0:\n      addresses: [10.0.0.5/24]\n",
            "/etc/netplan/99-local.yaml":
                "network:\n  ethernets:\n    eth0:\n      dhcp4: false\n      routes: [{to: 0.0.0.0/0, via: 10.0.0.1}]\n",
            "/etc/netplan/99-more.yaml": "network:\n  ethernets:\n    eth0:\n      wakeonlan: true\n",
        ])
        #expect(guest["/etc/netplan/01-base.yaml"] == "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n")
        #expect(guest["/etc/netplan/99-local.yaml"] == "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n")
        #expect(guest["/etc/netplan/99-more.yaml"] == "network:\n  ethernets:\n    eth0:\n      wakeonlan: true\n")
    }

    @Test func filesOfLaterFoldersShadow() throws {
        let text = "network:\n  ethernets:\n    eth0:\n      addresses: [10.0.0.5/24]\n"
        let guest = try ConvertedGuest(["/lib/netplan/01.yaml": text, "/etc/netplan/01.yaml": text])
        #expect(guest["/lib/netplan/01.yaml"] == text)
        #expect(guest["/etc/netplan/01.yaml"]?.contains("dhcp4: true") == true)
    }

    @Test func loopbackWiFiAndTunnels() throws {
        let text = """
            network:
              ethernets:
                lo:
                  addresses: [10.255.0.1/32]
              wifis:
                wlp3s0:
                  addresses: [10.0.0.5/24]
                  access-points: {"home": {password: "a: b"}}
              tunnels:
                gre1: {mode: gre, local: 10.0.0.5, remote: 10.9.9.9, addresses: [10.77.0.1/30]}
            """
        let guest = try netplan(text)
        #expect(guest.plan.isEmpty)
        #expect(guest.warnings.contains { $0.hasPrefix("gre1: a tunnel") })
    }

    @Test func overridesAndRouterAdvertisements() throws {
        let guest = try netplan(
            "network:\n  ethernets:\n    eth0:\n      accept-ra: no\n      dhcp4: yes\n      dhcp4-overrides:\n        use-dns: false\n"
                + "      gateway6: 2001:db8::1\n      addresses:\n      - 2001:db8::5/64:\n          lifetime: 0\n")
        // An address with options is a mapping whose key is the address.
        #expect(result(guest) == "network:\n  ethernets:\n    eth0:\n      dhcp6: true\n      dhcp4: yes\n")
        #expect(guest.former("eth0")?["gateway"] == ["2001:db8::1"])
    }

    @Test func networkManagersOwn() throws {
        let guest = try netplan(
            """
            network:
              version: 2
              ethernets:
                NM-14f59568-5076-387a-aef6-10adfcca2e26:
                  renderer: NetworkManager
                  match:
                    macaddress: "00:50:56:AA:BB:CC"
                  addresses:
                  - "10.0.0.5/24"
                  networkmanager:
                    uuid: "14f59568-5076-387a-aef6-10adfcca2e26"
                    name: "Wired connection 1"
                    passthrough:
                      connection.timestamp: "1700000000"
                      ipv4.address1: "10.0.0.5/24,10.0.0.1"
                      ipv4.method: "manual"
                      ipv6.ip6-privacy: "-1"
                      proxy._: ""

            """)
        #expect(
            result(guest) == """
                network:
                  version: 2
                  ethernets:
                    NM-14f59568-5076-387a-aef6-10adfcca2e26:
                      renderer: NetworkManager
                      match:
                        name: "nic0"
                      dhcp4: true
                      networkmanager:
                        uuid: "14f59568-5076-387a-aef6-10adfcca2e26"
                        name: "Wired connection 1"
                        passthrough:
                          connection.timestamp: "1700000000"
                          ipv4.method: "auto"
                          ipv6.ip6-privacy: "-1"
                          proxy._: ""

                """)
    }

    @Test(arguments: [
        "network: &all\n  ethernets:\n    eth0: {addresses: [10.0.0.1/24]}\n",
        "network:\n  ethernets:\n    eth0: *all\n",
        "---\nnetwork:\n  ethernets: {eth0: {addresses: [10.0.0.1/24]}}\n---\nnetwork: {}\n",
        "network:\n\tethernets:\n",
        "network:\n  ethernets:\n    eth0:\n      addresses: [10.0.0.1/24\n",
        "network:\n  ethernets:\n    eth0:\n      addresses: [10.0.0.1/24]\n      addresses: [10.0.0.2/24]\n",
        "network:\n  ethernets:\n    eth0:\n      nameservers: {search: [\"a\n b\"]}\n",
        "network: !!map\n  ethernets:\n",
        "network:\n  ? ethernets\n  : {}\n",
    ])
    func whatIsNotUnderstoodStays(_ text: String) throws {
        let guest = try netplan(text)
        #expect(result(guest) == text)
        #expect(guest.warnings.contains { $0.hasPrefix("'/etc/netplan/50-cloud-init.yaml' can't be edited, as") })
    }

    @Test func deepNestingIsRefused() throws {
        let guest = try netplan(String(repeating: "[", count: 100_000))
        #expect(guest.plan.isEmpty)
        #expect(guest.warnings.contains { $0.contains("nested too deeply") })
        let block = try netplan((0..<500).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"))
        #expect(block.warnings.contains { $0.contains("nested too deeply") })
    }

    @Test(arguments: [
        "", "\n", "network:", "network: []", "network: {}", "network:\n  ethernets:", "network:\n  ethernets: []",
        "network:\n  ethernets:\n  - a\n", "# only a comment", "---\n", "network:\n  ethernets:\n    eth0: dhcp\n",
        "network:\n  ethernets:\n    eth0: {match: {}}\n", ": :\n", "- - - a\n", "'", "\"a\\", "{", "}", "a: b: c",
        "a: |",
        "network:\r\n  ethernets:\r\n    lo: {}\r\n", "network: {ethernets: {eth0: {addresses}}}",
    ])
    func oddFiles(_ text: String) throws { _ = try netplan(text) }

    @Test func carriageReturnsAndNoNewlineAtTheEnd() throws {
        let guest = try netplan(
            "---\r\nnetwork:\r\n  ethernets:\r\n    eth0:\r\n      addresses: [10.0.0.5/24]\r\n      mtu: 1400")
        #expect(result(guest) == "---\r\nnetwork:\r\n  ethernets:\r\n    eth0:\r\n      dhcp4: true\n      mtu: 1400")
        let last = try netplan("network:\n  ethernets:\n    eth0:\n      mtu: 1400\n      addresses: [10.0.0.5/24]")
        #expect(result(last) == "network:\n  ethernets:\n    eth0:\n      mtu: 1400\n      dhcp4: true\n")
    }
}
