import Guest
import GuestTesting
import Testing

@testable import Injectors

/// Registries of Windows guests with nonsense where something is expected: a plan, or an error, soon.
struct WindowsMutationTests {
    private static let corpus: [[UInt8]] = [
        WindowsUEFIGuest().device(3), [1, 2, 3] + WindowsUEFIGuest().device(4) + [4, 5, 6],
        RegistryValue.multiString(["192.168.77.10", "10.0.0.1"]).bytes,
        RegistryValue.string("10.0.0.0,255.0.0.0,1.2.3.4,1").bytes,
        RegistryValue.string("0000000180000600c0a84d0a00000000").bytes,
        RegistryValue.string(#"D:\pagefile.sys 0 0"#).bytes,
        DriveLetters.Place.gpt(WindowsUEFIGuest.id(3)).bytes, RegistryValue.dword(4).bytes,
    ]

    /// As every type of value, and as the name of one.
    private func put(_ bytes: [UInt8], _ type: UInt32, into sample: WindowsUEFIGuest) {
        let registry = sample.files.contents.registry
        let value = RegistryValue(type: type, bytes: bytes)
        let name = RegistryValue(type: RegistryValue.Kind.string, bytes: bytes).text ?? ""
        func key(_ path: String) -> RegistryPath { RegistryPath(sample.windows.system, "ControlSet001\\" + path) }
        for element in ["11000001", "12000002", "21000001", "23000003"] {
            sample.put(WindowsUEFIGuest.loader, 0x1020_0003, [element: value])
        }
        sample.put(name, type, [name: value, "11000001": value])
        registry.put(DriveLetters.key(sample.windows), [#"\DosDevices\C:"#: value, name: value])
        let card = WindowsGuest.card
        registry.put(
            key(#"Control\Class\"# + WindowsAdapters.classID + #"\0001"#),
            ["NetCfgInstanceId": .string(card), "ComponentId": value, "NetLuidIndex": value, "*IfType": .dword(6)])
        registry.put(
            key(WindowsGuest.interfaces + card),
            [
                "EnableDHCP": .dword(0), "IPAddress": value, "SubnetMask": value, "DefaultGateway": value,
                "NameServer": value, "Domain": value, "MTU": value,
            ])
        registry.put(key(#"Services\Tcpip\Parameters\PersistentRoutes"#), [name: value])
        for store in ["{eb004a00-9b1a-11d4-9123-0050047759bc}", "{eb004a01-9b1a-11d4-9123-0050047759bc}"] {
            for table in ["10", "16"] { registry.put(key("Control\\Nsi\\\(store)\\\(table)"), [name: value]) }
        }
        registry.put(key(#"Services\vmci"#), ["Start": value])
        registry.put(key(#"Services\VMTools"#), ["Start": .dword(2)])
        registry.put(key(#"Services\partmgr\Parameters"#), ["SanPolicy": value])
        registry.put(key(#"Control\Session Manager\Memory Management"#), ["PagingFiles": value])
        registry.put(key(#"Control\NetworkProvider\Order"#), ["ProviderOrder": value])
        registry.put(key(#"Control\Class\{4d36e96f-e325-11ce-bfc1-08002be10318}"#), ["UpperFilters": value])
        let products = RegistryPath(sample.windows.software, #"Microsoft\Windows\CurrentVersion\Uninstall"#)
        registry.put(products.child(name.isEmpty ? "x" : name), ["DisplayName": .string("VMware Tools")])
    }

    @Test func registryValues() {
        let grub = FakeGrub().grub
        let violations = Mutation.run(
            "windows-registry", corpus: Self.corpus, tokens: ["\0\0", "192.168.77.10", "\\", ","], rounds: 150
        ) { bytes in
            let sample = WindowsUEFIGuest()
            put(bytes, UInt32(bytes.first ?? 0) % 12, into: sample)
            let injectors: [any Injector] = [
                WindowsNetwork(bytes.count % 2 == 0 ? .dhcp : .keep), WindowsTools.vmware(uninstalls: true),
                WindowsTools.others,
                DataDisks(), WindowsBIOSBoot(grub: grub), FirstBoot(),
            ]
            var draft = Draft(over: sample.files, disks: sample.disk, registry: sample.files)
            for injector in injectors { try injector.inject(into: &draft, guest: sample.inspection) }
            let plan = try draft.plan()
            // What ends up in scripts is ours: ASCII, and no more than addresses and GUIDs of the guest.
            for case .write(let path, let content, _) in plan.items.map(\.change) where path.name.hasSuffix(".cmd") {
                #expect(content.allSatisfy { $0 < 0x80 }, "\(path)")
            }
        }
        #expect(violations == [])
    }
}
