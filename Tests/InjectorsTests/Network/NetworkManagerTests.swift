import Guest
import GuestTesting
import Injectors
import Testing

struct NetworkManagerTests {
    func keyfile(_ text: String, _ more: [GuestPath: String] = [:]) throws -> ConvertedGuest {
        try ConvertedGuest(more) { guest in
            guest.put("/etc/NetworkManager/system-connections/lan.nmconnection", text, permissions: 0o600)
        }
    }

    func result(_ guest: ConvertedGuest) -> String? { guest["/etc/NetworkManager/system-connections/lan.nmconnection"] }

    @Test func manualBecomesAuto() throws {
        let guest = try keyfile(
            """
            [connection]
            id=Wired connection 1
            uuid=14f59568-5076-387a-aef6-10adfcca2e26
            type=ethernet
            interface-name=ens192

            [ethernet]
            mac-address=00:50:56:AA:BB:CC
            mtu=1400

            [ipv4]
            address1=192.168.77.10/24,192.168.77.1
            address2=192.168.77.11/24
            dns=192.168.77.2;192.168.77.3;
            dns-search=example.org;
            method=manual
            route1=10.0.0.0/8,192.168.77.254
            route1_options=mtu=1400
            never-default=false

            [ipv6]
            addr-gen-mode=stable-privacy
            address1=2001:db8::10/64
            gateway=2001:db8::1
            method=manual

            [proxy]

            """)
        #expect(
            result(guest) == """
                [connection]
                id=Wired connection 1
                uuid=14f59568-5076-387a-aef6-10adfcca2e26
                type=ethernet
                interface-name=ens192

                [ethernet]
                mtu=1400

                [ipv4]
                method=auto
                never-default=false

                [ipv6]
                addr-gen-mode=stable-privacy
                method=auto

                [proxy]

                """)
        #expect(
            guest.former("ens192") == [
                "address": ["192.168.77.10/24", "192.168.77.11/24", "2001:db8::10/64"],
                "gateway": ["192.168.77.1", "2001:db8::1"], "dns": ["192.168.77.2", "192.168.77.3"],
                "search": ["example.org"], "route": ["10.0.0.0/8,192.168.77.254", "mtu=1400"],
                "mac": ["00:50:56:AA:BB:CC"], "mtu": ["1400"],
            ])
        #expect(guest.cardNames == ["ens192 00:50:56:aa:bb:cc"])
        let entry = try guest.guest.entry(at: "/etc/NetworkManager/system-connections/lan.nmconnection")
        #expect(entry?.permissions == 0o600)
    }

    @Test(arguments: ["ipv4.method=auto", "wifi", "shared", "disabled"])
    func untouched(_ kind: String) throws {
        let type = kind == "wifi" ? "wifi" : "ethernet"
        let method = kind == "shared" ? "shared\naddress1=10.42.0.1/24" : kind == "disabled" ? "disabled" : "auto"
        let text =
            "[connection]\nid=x\ntype=\(type)\n[ipv4]\nmethod=\(kind == "wifi" ? "manual\naddress1=10.0.0.5/24" : method)\n"
        let guest = try keyfile(text)
        #expect(guest.plan.isEmpty)
        #expect(guest.notes == [])
    }

    @Test func staticBesideDHCP() throws {
        let guest = try keyfile(
            "[connection]\nid=x\ntype=802-3-ethernet\n[ipv4]\nmethod=auto\naddress1=10.0.0.5/24\nignore-auto-dns=true\ndns=10.0.0.2;\n"
        )
        #expect(result(guest) == "[connection]\nid=x\ntype=802-3-ethernet\n[ipv4]\nmethod=auto\n")
        #expect(guest.cardNames == [])
    }

    @Test func foreignMACs() throws {
        let guest = try keyfile(
            "[connection]\nid=x\ntype=ethernet\n[ethernet]\ncloned-mac-address=02:00:00:00:00:01\n[ipv4]\nmethod=auto\n"
        )
        #expect(result(guest) == "[connection]\nid=x\ntype=ethernet\n[ethernet]\n[ipv4]\nmethod=auto\n")
        #expect(guest.former("x") == ["mac": ["02:00:00:00:00:01"]])
    }

    @Test func oneCardByMACNeedsNoName() throws {
        let guest = try keyfile(
            "[connection]\nid=x\ntype=ethernet\n[ethernet]\nmac-address=00:50:56:AA:BB:CC\n[ipv4]\nmethod=auto\n")
        #expect(result(guest) == "[connection]\nid=x\ntype=ethernet\n[ethernet]\n[ipv4]\nmethod=auto\n")
        #expect(guest.cardNames == [])
    }

    @Test func severalCardsByMACGetNames() throws {
        let guest = try keyfile(
            "[connection]\nid=x\ntype=ethernet\n[ethernet]\nmac-address=00:50:56:AA:BB:CC\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24\n",
            [
                "/etc/NetworkManager/system-connections/b":
                    "[connection]\nid=y\ntype=ethernet\n[ethernet]\nmac-address=00:50:56:AA:BB:CD\n[ipv4]\nmethod=auto\n"
            ])
        #expect(guest.cardNames == ["nic1 00:50:56:aa:bb:cc", "nic0 00:50:56:aa:bb:cd"])
        #expect(
            result(guest) == "[connection]\ninterface-name=nic1\nid=x\ntype=ethernet\n[ethernet]\n[ipv4]\nmethod=auto\n"
        )
    }

    @Test func bondBridgeAndVLAN() throws {
        let folder = "/etc/NetworkManager/system-connections"
        let guest = try ConvertedGuest(
            [
                "\(folder)/bond":
                    "[connection]\nid=bond\nuuid=u-bond\ntype=bond\ninterface-name=bond0\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24\n",
                "\(folder)/port":
                    "[connection]\nid=p\ntype=ethernet\ninterface-name=ens192\nmaster=bond0\nslave-type=bond\n",
                "\(folder)/vlan":
                    "[connection]\nid=v\ntype=vlan\ninterface-name=bond0.20\n[vlan]\nparent=bond0\nid=20\n[ipv4]\nmethod=manual\naddress1=10.0.20.5/24\n",
                "\(folder)/vlan2":
                    "[connection]\nid=v2\ntype=vlan\n[vlan]\nparent=ens224\nid=21\n[ipv4]\nmethod=disabled\n",
                "\(folder)/br":
                    "[connection]\nid=br\ntype=bridge\ninterface-name=br0\n[ipv4]\nmethod=manual\naddress1=10.99.0.1/24\n",
                "\(folder)/.hidden": "[connection]\nid=h\ntype=ethernet\ninterface-name=ens256\n",
            ] as [GuestPath: String])
        #expect(guest["\(folder)/bond"]?.hasSuffix("[ipv4]\nmethod=auto\n") == true)
        #expect(guest["\(folder)/vlan"]?.hasSuffix("[ipv4]\nmethod=auto\n") == true)
        #expect(guest["\(folder)/br"]?.contains("method=manual") == true)
        #expect(guest.cardNames == ["ens192", "ens224"])
    }

    @Test func oldHardwareInMatch() throws {
        let guest = try keyfile(
            "[connection]\nid=x\ntype=ethernet\n[match]\npath=pci-0000:03:00.0;\ndriver=vmxnet3;\n[ipv4]\nmethod=auto\n"
        )
        #expect(result(guest) == "[connection]\nid=x\ntype=ethernet\n[match]\n[ipv4]\nmethod=auto\n")
    }
}
