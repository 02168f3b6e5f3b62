import Guest
import GuestTesting
import Injectors
import Testing

struct CloudInitTests {
    func cloudInit(_ text: String) throws -> ConvertedGuest {
        try ConvertedGuest(["/etc/cloud/cloud.cfg.d/99-network.cfg": text])
    }

    func result(_ guest: ConvertedGuest) -> String? { guest["/etc/cloud/cloud.cfg.d/99-network.cfg"] }

    @Test(arguments: [
        "network: {config: disabled}\n", "network:\n  config: disabled\n", "#cloud-config\nusers: &a []\n",
        "networks: 1",
    ])
    func disabledIsFine(_ text: String) throws {
        let guest = try cloudInit(text)
        #expect(guest.plan.isEmpty)
        #expect(guest.warnings == [])
        #expect(try DHCPNetwork.formatsInUse(guest.guest) == [])
    }

    @Test func version1() throws {
        let guest = try cloudInit(
            """
            #cloud-config
            users: &people
              - root
            network:
              version: 1
              config:
                - type: physical
                  name: ens192
                  mac_address: '00:50:56:aa:bb:cc'
                  subnets:
                    - type: static
                      address: 192.168.77.10
                      netmask: 255.255.255.0
                      gateway: 192.168.77.1
                      dns_nameservers: [192.168.77.2]
                    - type: static6
                      address: 2001:db8::10/64
                - mac_address: '00:50:56:aa:bb:cd'
                  type: physical
                  name: ens224
                  mtu: 9000
                  subnets: [{type: dhcp}]
                - type: bond
                  name: bond0
                  bond_interfaces: [ens256]
                  subnets:
                  - {type: static, address: 10.0.0.5/24}
                # servers
                - type: nameserver
                  address: [192.168.77.2]
                  search: [example.org]
            runcmd: *people

            """)
        #expect(
            result(guest) == """
                #cloud-config
                users: &people
                  - root
                network:
                  version: 1
                  config:
                    - type: physical
                      name: ens192
                      subnets: [{type: dhcp4}, {type: dhcp6}]
                    - type: physical
                      name: ens224
                      mtu: 9000
                      subnets: [{type: dhcp}]
                    - type: bond
                      name: bond0
                      bond_interfaces: [ens256]
                      subnets: [{type: dhcp4}]
                    # servers
                runcmd: *people

                """)
        #expect(guest.former("ens192")?["address"] == ["192.168.77.10/24", "2001:db8::10/64"])
        #expect(guest.cardNames == ["ens192 00:50:56:aa:bb:cc", "ens224 00:50:56:aa:bb:cd"])
        #expect(try DHCPNetwork.formatsInUse(guest.guest) == ["cloud-init"])
    }

    @Test func version2() throws {
        let guest = try cloudInit(
            "network:\n  version: 2\n  ethernets:\n    id0:\n      match: {macaddress: '00:50:56:aa:bb:cc'}\n"
                + "      set-name: ens192\n      addresses: [10.0.0.5/24]\n      gateway4: 10.0.0.1\n")
        #expect(
            result(guest)
                == "network:\n  version: 2\n  ethernets:\n    id0:\n      match: {name: \"ens192\"}\n      dhcp4: true\n      set-name: ens192\n"
        )
    }

    @Test func seeds() throws {
        let path: GuestPath = "/var/lib/cloud/seed/nocloud-net/network-config"
        let guest = try ConvertedGuest([path: "version: 2\nethernets:\n  ens192:\n    addresses: [10.0.0.5/24]\n"])
        #expect(guest[path] == "version: 2\nethernets:\n  ens192:\n    dhcp4: true\n")
    }

    @Test(arguments: ["network: *a\n", "network:\n  version: 3\n", "network:\n  version: 1\n  config: [\n"])
    func whatIsNotUnderstoodStays(_ text: String) throws {
        let guest = try cloudInit(text)
        #expect(result(guest) == text)
        #expect(guest.warnings.count == 1)
    }
}
