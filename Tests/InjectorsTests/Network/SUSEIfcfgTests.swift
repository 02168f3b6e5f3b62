import Guest
import GuestTesting
import Injectors
import Testing

struct SUSEIfcfgTests {
    private func path(_ name: String) -> GuestPath { GuestPath("/etc/sysconfig/network/\(name)") }

    private func guest(_ files: [String: String], _ more: [GuestPath: String] = [:]) throws -> ConvertedGuest {
        try ConvertedGuest(
            Dictionary(uniqueKeysWithValues: files.map { (path($0.key), $0.value) }) + more)
    }

    @Test func aStaticInterface() throws {
        let guest = try guest([
            "ifcfg-eth0": """
            BOOTPROTO='static'
            STARTMODE='auto'
            IPADDR='192.168.10.20/24'
            IPADDR_1='2001:db8::20/64'
            LABEL_1='six'
            MTU='1500'
            LLADDR='00:50:56:00:00:09'

            """,
            "routes":
                "default 192.168.10.1 - -\n10.9.0.0/16 192.168.10.9 - eth0\n10.8.0.0 172.16.0.1 255.255.0.0 eth7\n",
            "config":
                "NETCONFIG_DNS_POLICY=\"auto\"\nNETCONFIG_DNS_STATIC_SEARCHLIST=\"corp.example\"\nNETCONFIG_DNS_STATIC_SERVERS=\"192.168.10.53 192.168.10.54\"\n",
            "ifcfg-lo": "IPADDR=127.0.0.1/8\n", "ifcfg-eth0.rpmsave": "IPADDR=1.2.3.4\n",
        ])
        #expect(guest[path("ifcfg-eth0")] == "BOOTPROTO='dhcp'\nSTARTMODE='auto'\nMTU='1500'\n")
        #expect(guest[path("routes")] == "10.8.0.0 172.16.0.1 255.255.0.0 eth7\n")
        #expect(
            guest[path("config")]
                == "NETCONFIG_DNS_POLICY=\"auto\"\nNETCONFIG_DNS_STATIC_SEARCHLIST=\"\"\nNETCONFIG_DNS_STATIC_SERVERS=\"\"\n"
        )
        #expect(
            guest.former("eth0") == [
                "address": ["192.168.10.20/24", "2001:db8::20/64"], "mtu": ["1500"], "mac": ["00:50:56:00:00:09"],
            ])
        #expect(
            guest.former("all interfaces") == [
                "gateway": ["192.168.10.1"], "route": ["10.9.0.0/16 192.168.10.9 - eth0"],
            ])
        #expect(guest.former("resolver")?["dns"] == ["192.168.10.53", "192.168.10.54"])
        #expect(guest.cardNames == ["eth0"])
    }

    @Test func rolesAreKept() throws {
        let guest = try guest([
            "ifcfg-eth0": "BOOTPROTO='none'\nSTARTMODE='hotplug'\n",
            "ifcfg-eth1": "BOOTPROTO='none'\nSTARTMODE='hotplug'\n",
            "ifcfg-bond0":
                "BOOTPROTO='none'\nBONDING_MASTER='yes'\nBONDING_SLAVE0='eth0'\nBONDING_SLAVE_1='eth1'\nBONDING_MODULE_OPTS='mode=1 miimon=100'\nSTARTMODE='auto'\n",
            "ifcfg-br0":
                "BOOTPROTO='static'\nBRIDGE='yes'\nBRIDGE_PORTS='bond0'\nIPADDR='10.0.0.5/24'\nSTARTMODE='auto'\n",
            "ifcfg-vlan30": "ETHERDEVICE='eth2'\nVLAN_ID='30'\nIPADDR='10.30.0.5'\nNETMASK='255.255.255.0'\n",
            "ifcfg-br9": "BRIDGE='yes'\nBRIDGE_PORTS=''\nIPADDR='192.168.9.1/24'\n",
        ])
        #expect(guest[path("ifcfg-br0")] == "BOOTPROTO='dhcp'\nBRIDGE='yes'\nBRIDGE_PORTS='bond0'\nSTARTMODE='auto'\n")
        #expect(guest[path("ifcfg-vlan30")] == "ETHERDEVICE='eth2'\nVLAN_ID='30'\nBOOTPROTO='dhcp'\n")
        #expect(guest[path("ifcfg-br9")]?.contains("192.168.9.1") == true)
        #expect(!guest.changed.contains { $0.hasSuffix("bond0") || $0.hasSuffix("ifcfg-eth0") })
        #expect(guest.cardNames == ["eth0", "eth1", "eth2"])
    }

    @Test func onlyIPv6() throws {
        let guest = try guest(["ifcfg-eth0": "BOOTPROTO=static\nIPADDR=2001:db8::5/64\n"])
        #expect(guest[path("ifcfg-eth0")] == "BOOTPROTO=dhcp6\n")
    }

    @Test func networkManagerInCharge() throws {
        let files: [GuestPath: String] = [
            path("ifcfg-eth0"): "BOOTPROTO=static\nIPADDR=10.0.0.5/24\n", "/usr/sbin/wicked": "",
            "/usr/sbin/NetworkManager": "",
            "/etc/NetworkManager/system-connections/a.nmconnection":
                "[connection]\nid=a\ntype=ethernet\ninterface-name=eth0\n[ipv4]\nmethod=auto\n",
        ]
        let guest = try ConvertedGuest(files) {
            $0.link("/etc/systemd/system/network.service", to: "/usr/lib/systemd/system/NetworkManager.service")
        }
        #expect(!guest.changed.contains { $0.contains("ifcfg-eth0") })
        #expect(try ConvertedGuest(files).changed.contains { $0.contains("ifcfg-eth0") })
    }

    @Test func wickedsOwnXML() throws {
        let file: GuestPath = "/etc/wicked/ifconfig/lan.xml"
        let xml = """
            <!-- <interface><name>eth9</name><ipv4:static/></interface> -->
            <interface origin="x">
              <name>eth0</name>
              <ipv4:static>
                <address><local>10.0.0.5/24</local></address>
                <route><nexthop><gateway>10.0.0.1</gateway></nexthop></route>
              </ipv4:static>
            </interface>

            """
        let guest = try ConvertedGuest([file: xml])
        #expect(
            guest[file] == """
                <!-- <interface><name>eth9</name><ipv4:static/></interface> -->
                <interface origin="x">
                  <name>eth0</name>
                  <ipv4:dhcp><enabled>true</enabled></ipv4:dhcp>
                </interface>

                """)
        #expect(guest.former("eth0") == ["address": ["10.0.0.5/24"], "gateway": ["10.0.0.1"]])
        #expect(guest.cardNames == ["eth0"])
    }

    @Test func connman() throws {
        let file: GuestPath = "/var/lib/connman/lan.config"
        let guest = try ConvertedGuest([
            file:
                "[service_lan]\nType=ethernet\nMAC=00:50:56:00:00:01\nIPv4=10.0.0.5/255.255.255.0/10.0.0.1\nNameservers=10.0.0.53\n"
        ])
        #expect(guest[file] == "[service_lan]\nType=ethernet\nIPv4=dhcp\n")
        #expect(guest.former("service_lan")?["address"] == ["10.0.0.5/24"])
    }

    @Test func theModel() throws {
        let model = try DHCPNetwork.interfaces(
            MemoryGuest([
                path("ifcfg-eth0"): "IPADDR='10.0.0.5/24'\n", path("ifcfg-eth1"): "BOOTPROTO='dhcp'\n",
                path("ifroute-eth0"): "10.9.0.0/16 10.0.0.9\n", path("routes"): "default 10.0.0.1\n",
                path("config"): "NETCONFIG_DNS_STATIC_SERVERS=\"10.0.0.53\"\n",
            ]))
        #expect(model.map(\.name) == ["eth0", "eth1"])
        #expect(model[0].gateways == ["10.0.0.1"])
        #expect(model[0].routes == ["10.9.0.0/16 10.0.0.9"])
        #expect(model[0].nameServers == ["10.0.0.53"])
        #expect(model[0].ipv4 == .static)
        #expect(model[1].ipv4 == .dhcp)
        #expect(model[1].nameServers == [])
    }
}
