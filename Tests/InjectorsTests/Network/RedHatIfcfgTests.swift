import Guest
import GuestTesting
import Injectors
import Testing

struct RedHatIfcfgTests {
    private static let folder = "/etc/sysconfig/network-scripts"

    private func path(_ name: String) -> GuestPath { GuestPath("\(Self.folder)/\(name)") }

    private func guest(_ files: [String: String], _ more: [GuestPath: String] = [:]) throws -> ConvertedGuest {
        try ConvertedGuest(
            Dictionary(uniqueKeysWithValues: files.map { (path($0.key), $0.value) }) + more)
    }

    @Test func aStaticInterface() throws {
        let guest = try guest([
            "ifcfg-ens192": """
            # VMware
            TYPE="Ethernet"
            BOOTPROTO="none"
            NAME="ens192"
            DEVICE="ens192"
            HWADDR="00:50:56:AA:BB:01"
            ONBOOT="yes"
            IPADDR="10.1.2.3"
            PREFIX="24"
            GATEWAY="10.1.2.1"
            DNS1="10.1.2.53"
            DNS2=10.1.2.54
            DOMAIN="corp.example lab.example"
            PEERDNS="no"
            IPV6INIT="yes"
            IPV6ADDR="2001:db8::3/64"
            IPV6_DEFAULTGW="2001:db8::1"
            IPV6_AUTOCONF="no"

            """,
            "route-ens192": "10.9.0.0/16 via 10.1.2.254\n", "rule-ens192": "from 10.1.2.3 lookup 9\n",
            "ifcfg-ens192.bak": "DEVICE=ens192\nIPADDR=10.1.2.3\n", "ifcfg-lo": "DEVICE=lo\nIPADDR=127.0.0.1\n",
        ])
        #expect(
            guest[path("ifcfg-ens192")] == """
                # VMware
                TYPE="Ethernet"
                BOOTPROTO="dhcp"
                NAME="ens192"
                DEVICE="ens192"
                ONBOOT="yes"
                IPV6INIT="yes"
                IPV6_AUTOCONF="yes"

                """)
        #expect(guest[path("route-ens192")] == nil)
        #expect(guest[path("rule-ens192")] == nil)
        #expect(guest[path("ifcfg-ens192.bak")] != nil)
        #expect(guest[path("ifcfg-lo")] == "DEVICE=lo\nIPADDR=127.0.0.1\n")
        #expect(
            guest.former("ens192") == [
                "address": ["10.1.2.3/24", "2001:db8::3/64"], "gateway": ["10.1.2.1", "2001:db8::1"],
                "dns": ["10.1.2.53", "10.1.2.54"], "search": ["corp.example", "lab.example"],
                "mac": ["00:50:56:AA:BB:01"],
                "route": ["route-ens192: 10.9.0.0/16 via 10.1.2.254", "rule-ens192: from 10.1.2.3 lookup 9"],
            ])
        #expect(guest.cardNames == ["ens192 00:50:56:aa:bb:01"])
        #expect(guest.warnings == [])
    }

    @Test func whatIsDHCPStays() throws {
        let guest = try guest([
            "ifcfg-eth0": "DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=yes\nPEERDNS=no\nDNS1=10.0.0.53\n",
            "ifcfg-eth1": "DEVICE=eth1\nBOOTPROTO=none\nONBOOT=no\n", "ifcfg-eth2": "DEVICE=eth2\nBOOTPROTO=bootp\n",
        ])
        #expect(!guest.changed.contains { $0.contains("ifcfg") })
        #expect(guest.cardNames == ["eth0", "eth1", "eth2"])
    }

    @Test func bondVLANAndBridgeKeepTheirRoles() throws {
        let guest = try guest([
            "ifcfg-em1": "DEVICE=em1\nMASTER=bond0\nSLAVE=yes\nHWADDR=00:50:56:00:00:01\nONBOOT=yes\n",
            "ifcfg-em2": "DEVICE=em2\nMASTER=bond0\nSLAVE=yes\nHWADDR=00:50:56:00:00:02\nONBOOT=yes\n",
            "ifcfg-bond0":
                "DEVICE=bond0\nTYPE=Bond\nBONDING_OPTS=\"mode=active-backup arp_interval=500 arp_ip_target=10.0.0.1\"\n"
                + "IPADDR=10.0.0.5\nNETMASK=255.255.255.0\nONBOOT=yes\n",
            "ifcfg-bond0.20": "DEVICE=bond0.20\nVLAN=yes\nBRIDGE=br20\n",
            "ifcfg-br20": "DEVICE=br20\nTYPE=Bridge\nBOOTPROTO=static\nIPADDR=10.20.0.5\nPREFIX=24\n",
            "ifcfg-br9": "DEVICE=br9\nTYPE=Bridge\nBOOTPROTO=none\nIPADDR=192.168.9.1\nPREFIX=24\n",
        ])
        #expect(guest[path("ifcfg-em1")] == "DEVICE=em1\nMASTER=bond0\nSLAVE=yes\nONBOOT=yes\n")
        #expect(
            guest[path("ifcfg-bond0")]
                == "DEVICE=bond0\nTYPE=Bond\nBONDING_OPTS=\"mode=active-backup miimon=100\"\nONBOOT=yes\nBOOTPROTO=dhcp\n"
        )
        #expect(guest[path("ifcfg-bond0.20")] == "DEVICE=bond0.20\nVLAN=yes\nBRIDGE=br20\n")
        #expect(guest[path("ifcfg-br20")] == "DEVICE=br20\nTYPE=Bridge\nBOOTPROTO=dhcp\n")
        #expect(guest[path("ifcfg-br9")]?.contains("192.168.9.1") == true)
        #expect(guest.cardNames == ["em1 00:50:56:00:00:01", "em2 00:50:56:00:00:02"])
    }

    @Test func aliasesGo() throws {
        let guest = try guest([
            "ifcfg-eth0": "DEVICE=eth0\nBOOTPROTO=static\nIPADDR=10.0.0.5\nIPADDR1=10.0.0.6\nPREFIX1=24\n",
            "ifcfg-eth0:1": "DEVICE=eth0:1\nIPADDR=10.0.0.7\nNETMASK=255.255.255.0\n",
            "ifcfg-eth0-range0": "IPADDR_START=10.0.0.20\nIPADDR_END=10.0.0.29\nCLONENUM_START=0\n",
        ])
        #expect(guest[path("ifcfg-eth0")] == "DEVICE=eth0\nBOOTPROTO=dhcp\n")
        #expect(guest[path("ifcfg-eth0:1")] == nil)
        #expect(guest[path("ifcfg-eth0-range0")] == nil)
        #expect(guest.former("eth0:1") == ["address": ["10.0.0.7/24"]])
        #expect(guest.cardNames == ["eth0"])
    }

    @Test func profilesWithoutADevice() throws {
        let guest = try guest([
            "ifcfg-Static_Connection":
                "TYPE=Ethernet\nBOOTPROTO=none\nIPADDR=10.0.0.50\nPREFIX=24\nNAME=\"Static Connection\"\nUUID=1-2\n"
        ])
        #expect(
            guest[path("ifcfg-Static_Connection")]
                == "TYPE=Ethernet\nBOOTPROTO=dhcp\nNAME=\"Static Connection\"\nUUID=1-2\n")
        #expect(guest.cardNames == [])

        let two = try self.guest([
            "ifcfg-A": "TYPE=Ethernet\nHWADDR=00:50:56:00:00:01\nBOOTPROTO=dhcp\nNAME=A\n",
            "ifcfg-B": "TYPE=Ethernet\nHWADDR=00:50:56:00:00:02\nBOOTPROTO=dhcp\nNAME=B\n",
        ])
        #expect(two[path("ifcfg-A")] == "TYPE=Ethernet\nBOOTPROTO=dhcp\nNAME=A\nDEVICE=nic0\n")
        #expect(two.cardNames == ["nic0 00:50:56:00:00:01", "nic1 00:50:56:00:00:02"])
    }

    @Test func theGatewayOfAllInterfaces() throws {
        let global: GuestPath = "/etc/sysconfig/network"
        let text = "NETWORKING=yes\nHOSTNAME=db1\nGATEWAY=10.0.0.1\nGATEWAYDEV=eth0\n"
        let guest = try guest(["ifcfg-eth0": "DEVICE=eth0\nIPADDR=10.0.0.5\nNETMASK=255.255.255.0\n"], [global: text])
        #expect(guest[global] == "NETWORKING=yes\nHOSTNAME=db1\n")
        #expect(guest.former("all interfaces") == ["gateway": ["10.0.0.1"], "route": ["GATEWAYDEV=eth0"]])

        let dhcp = try self.guest(["ifcfg-eth0": "DEVICE=eth0\nBOOTPROTO=dhcp\n"], [global: text])
        #expect(dhcp[global] == text)
    }

    @Test func besideKeyfiles() throws {
        let keyfile: GuestPath = "/etc/NetworkManager/system-connections/ens224.nmconnection"
        let guest = try guest(
            ["ifcfg-ens192": "DEVICE=ens192\nBOOTPROTO=none\nIPADDR=10.0.0.5\nPREFIX=24\n"],
            [
                keyfile:
                    "[connection]\nid=ens224\ntype=ethernet\ninterface-name=ens224\n[ipv4]\nmethod=manual\naddress1=10.1.0.5/24\n",
                "/usr/sbin/NetworkManager": "",
            ])
        #expect(guest[path("ifcfg-ens192")] == "DEVICE=ens192\nBOOTPROTO=dhcp\n")
        #expect(guest[keyfile]?.contains("method=auto") == true)
        #expect(guest.cardNames == ["ens192", "ens224"])
    }

    @Test func theModel() throws {
        let guest = MemoryGuest([
            path("ifcfg-ens192"):
                "DEVICE=ens192\nBOOTPROTO='none'\nIPADDR=10.0.0.5\nNETMASK=255.255.255.0\nGATEWAY=10.0.0.1\nDNS1=10.0.0.53\nMTU=9000\n",
            path("ifcfg-ens192:0"): "DEVICE=ens192:0\nIPADDR=10.0.0.6\n",
            path("route-ens192"): "10.9.0.0/16 via 10.0.0.9\n",
            path("ifcfg-bond0"): "DEVICE=bond0\nBONDING_OPTS=\"mode=4\"\nBOOTPROTO=dhcp\nUUID=u-1\n",
            path("ifcfg-p1p1"): "DEVICE=p1p1\nMASTER=u-1\nSLAVE=yes\nHWADDR=00:50:56:00:00:01\n",
            path("ifcfg-bond0.7"): "DEVICE=bond0.7\nVLAN=yes\nBOOTPROTO=none\nIPADDR=10.7.0.5\nPREFIX=24\n",
        ])
        let model = try DHCPNetwork.interfaces(guest)
        let card = try #require(model.first { $0.name == "ens192" })
        #expect(card.addresses == ["10.0.0.5/24", "10.0.0.6"])
        #expect(card.gateways == ["10.0.0.1"])
        #expect(card.routes == ["10.9.0.0/16 via 10.0.0.9"])
        #expect(card.mtu == 9000)
        #expect(card.files.map(\.name) == ["ifcfg-ens192", "route-ens192", "ifcfg-ens192:0"])
        let bond = try #require(model.first { $0.name == "bond0" })
        #expect(bond.role == .bond)
        #expect(bond.ports == ["p1p1"])
        #expect(bond.bondMode == "4")
        #expect(bond.ipv4 == .dhcp)
        let port = try #require(model.first { $0.name == "p1p1" })
        #expect(port.controller == "bond0")
        #expect(port.mac == "00:50:56:00:00:01")
        let vlan = try #require(model.first { $0.name == "bond0.7" })
        #expect(vlan.role == .vlan)
        #expect(vlan.parent == "bond0")
        #expect(vlan.vlan == 7)
    }
}
