import Guest
import GuestTesting

@testable import Injectors

/// A Windows 10 in memory, with one VMware card that has a static address.
struct WindowsGuest {
    let windows: WindowsInstallation
    let guest = MemoryGuest(caseSensitivity: .insensitive)
    var disks: [GuestDisk] = []

    static let card = "{698E50A9-4F58-4D86-B61D-F42E58DCACF6}"
    static let interfaces = #"Services\Tcpip\Parameters\Interfaces\"#

    init(controlSets: [String] = ["ControlSet001"]) {
        var windows = WindowsInstallation.sample(SampleWindows.windows10)
        windows.controlSets = controlSets
        self.windows = windows
        guest.folder("/Windows/System32")
        for set in controlSets { registry.put(key(set + #"\Services"#)) }
    }

    var registry: MemoryRegistry { guest.contents.registry }

    func key(_ path: String) -> RegistryPath { RegistryPath(windows.system, path) }

    /// In the first control set.
    func control(_ path: String) -> RegistryPath { key("ControlSet001\\" + path) }

    func software(_ path: String) -> RegistryPath { RegistryPath(windows.software, path) }

    /// A network adapter with its device.
    func addCard(
        _ settings: [String: RegistryValue], _ id: String = card, name: String = "Ethernet0",
        component: String = #"pci\ven_15ad&dev_07b0"#, number: Int = 1
    ) {
        let classID = WindowsAdapters.classID
        registry.put(
            control(#"Control\Class\"# + classID + "\\000\(number)"),
            [
                "NetCfgInstanceId": .string(id), "ComponentId": .string(component),
                "NetLuidIndex": .dword(UInt32(0x8000 + number)), "*IfType": .dword(6),
            ])
        registry.put(control(#"Control\Network\"# + classID + "\\\(id)\\Connection"), ["Name": .string(name)])
        registry.put(control(Self.interfaces + id), settings)
    }

    static func staticSettings(_ address: String, gateway: String? = nil) -> [String: RegistryValue] {
        var settings: [String: RegistryValue] = [
            "EnableDHCP": .dword(0), "IPAddress": .multiString([address]),
            "SubnetMask": .multiString(["255.255.255.0"]), "NameServer": .string("192.168.77.2,192.168.77.3"),
        ]
        if let gateway { settings["DefaultGateway"] = .multiString([gateway]) }
        return settings
    }

    func plan(_ injectors: any Injector...) throws -> Plan {
        var draft = Draft(over: guest, disks: guest, registry: guest)
        var inspection = Inspection.windows(windows)
        inspection.disks = disks
        for injector in injectors {
            draft.injector = injector.name
            try injector.inject(into: &draft, guest: inspection)
        }
        return try draft.plan()
    }

    /// Applies a plan and sees that a second one has nothing to do.
    func apply(_ injectors: any Injector...) throws -> (plan: Plan, second: Plan) {
        func plan() throws -> Plan {
            var draft = Draft(over: guest, disks: guest, registry: guest)
            var inspection = Inspection.windows(windows)
            inspection.disks = disks
            for injector in injectors { try injector.inject(into: &draft, guest: inspection) }
            return try draft.plan()
        }
        let first = try plan()
        try guest.apply(first) { _ in }
        return (first, try plan())
    }
}
