internal import Guest

/// The network adapters that a control set of Windows has settings for.
struct WindowsAdapters {
    struct Adapter {
        /// "{698E50A9-4F58-4D86-B61D-F42E58DCACF6}", in the case that its key has.
        var id: String
        /// As people see it: "Local Area Connection 2"; the id where Windows has no name for it.
        var name: String
        /// Whether it is gone with the old machine: on a bus, or a leftover without a device. Teams, switches, loopbacks and
        /// tunnels are programs and stay.
        var isHardware: Bool
        /// "pci\ven_8086&dev_100f", lower case; empty for leftovers.
        var component: String
        var network = StaticNetwork()
        /// Whether the addresses are given by hand.
        var isStatic = false
        /// How the network stack's own store names it: 16 hexadecimal digits; nil for leftovers.
        var luid: String?
    }

    let controlSet: RegistryPath
    private(set) var adapters: [Adapter] = []

    static let classID = "{4d36e972-e325-11ce-bfc1-08002be10318}"

    /// - Parameter set: "SYSTEM\ControlSet001".
    init(in set: RegistryPath, _ registry: any GuestRegistry) throws {
        controlSet = set
        let devices = try Self.devices(in: set, registry)
        let connections = set.appending(#"Control\Network\"# + Self.classID)
        for id in try registry.subkeys(of: interfaces) ?? [] {
            let device = devices[id.lowercased()]
            let label = try registry.value("Name", of: connections.child(id).child("Connection"))?.text
            var adapter = Adapter(
                id: id, name: label.flatMap { $0.isEmpty ? nil : $0 } ?? id,
                isHardware: Self.isHardware(device?.component ?? ""), component: device?.component ?? "",
                luid: device?.luid)
            try read(&adapter, registry)
            adapter.network.addresses += try addresses6(of: adapter, registry)
            if !adapter.network.addresses.isEmpty { adapter.isStatic = true }
            adapters.append(adapter)
        }
    }

    var interfaces: RegistryPath { controlSet.appending(#"Services\Tcpip\Parameters\Interfaces"#) }
    var interfaces6: RegistryPath { controlSet.appending(#"Services\Tcpip6\Parameters\Interfaces"#) }
    var persistentRoutes: RegistryPath { controlSet.appending(#"Services\Tcpip\Parameters\PersistentRoutes"#) }

    private struct Device {
        var component: String
        var luid: String?
    }

    /// What drives each adapter, by its id in lower case.
    private static func devices(in set: RegistryPath, _ registry: any GuestRegistry) throws -> [String: Device] {
        let devices = set.appending(#"Control\Class\"# + classID)
        var found: [String: Device] = [:]
        for name in try registry.subkeys(of: devices) ?? [] where name.count == 4 && name.allSatisfy(\.isNumber) {
            let key = devices.child(name)
            guard let id = try registry.value("NetCfgInstanceId", of: key)?.text else { continue }
            let component =
                try registry.value("ComponentId", of: key)?.text ?? registry.value("MatchingDeviceId", of: key)?.text
            var device = Device(component: component?.lowercased() ?? "unknown")
            if let index = try registry.value("NetLuidIndex", of: key)?.number,
                let type = try registry.value("*IfType", of: key)?.number
            {
                // A NET_LUID: 24 bits that are reserved, 24 of the index, 16 of the type.
                device.luid = Hex.text(LittleEndian.bytes(UInt64(index & 0xFFFFFF) << 24 | UInt64(type & 0xFFFF) << 48))
            }
            found[id.lowercased()] = device
        }
        return found
    }

    private static func isHardware(_ component: String) -> Bool {
        let buses = ["pci\\", "usb\\", "vmbus\\", "xenvif\\", "xennet", "xen\\", "isapnp\\", "pcmcia\\"]
        return component.isEmpty || buses.contains { component.hasPrefix($0) }
    }

    private func read(_ adapter: inout Adapter, _ registry: any GuestRegistry) throws {
        let key = interfaces.child(adapter.id)
        func list(_ name: String) throws -> [String] { try registry.value(name, of: key)?.list ?? [] }
        func words(_ name: String, of key: RegistryPath) throws -> [String] {
            try (registry.value(name, of: key)?.text ?? "").split { ", ".contains($0) }.map(String.init)
        }
        let masks = try list("SubnetMask")
        let addresses = try list("IPAddress").enumerated().filter { $0.element != "0.0.0.0" }
        if try registry.value("EnableDHCP", of: key)?.number == 0 {
            adapter.network.addresses = addresses.map { index, address in
                Address.joined(address, mask: index < masks.count ? masks[index] : nil)
            }
            adapter.network.gateways = try list("DefaultGateway").filter { $0 != "0.0.0.0" }
        }
        adapter.network.nameServers =
            try words("NameServer", of: key) + words("NameServer", of: interfaces6.child(adapter.id))
        adapter.network.searchDomains = try words("Domain", of: key)
        if let mtu = try registry.value("MTU", of: key)?.number { adapter.network.mtu = ["\(mtu)"] }
    }
}

extension WindowsAdapters {
    /// Tables of the network stack's store: of IPv4 and IPv6, whose entries are named after what they are about.
    var stores: [RegistryPath] {
        ["{eb004a00-9b1a-11d4-9123-0050047759bc}", "{eb004a01-9b1a-11d4-9123-0050047759bc}"]
            .map { controlSet.appending(#"Control\Nsi\"# + $0) }
    }

    /// IPv6 addresses given by hand are in the store only: the name has the adapter and the address, the value the prefix
    /// length behind two lifetimes and two origins.
    private func addresses6(of adapter: Adapter, _ registry: any GuestRegistry) throws -> [String] {
        guard let luid = adapter.luid else { return [] }
        return try (registry.values(of: stores[1].child("10")) ?? []).compactMap { entry in
            let name = entry.name.lowercased()
            guard name.hasPrefix(luid), name.utf8.count >= 48,
                let address = Self.address6(name.dropFirst(16).prefix(32))
            else { return nil }
            let length = entry.value.bytes.count >= 20 ? LittleEndian(entry.value.bytes).u32(16) : 64
            return "\(address)/\(length <= 128 ? length : 64)"
        }
    }

    private static func address6(_ digits: Substring) -> String? {
        guard digits.utf8.count == 32, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        let groups = stride(from: 0, to: 32, by: 4).map { at in
            String(UInt16(digits.dropFirst(at).prefix(4), radix: 16) ?? 0, radix: 16)
        }
        return groups.joined(separator: ":")
    }
}

extension WindowsAdapters.Adapter {
    /// In the words that all guests are shown with.
    var interface: NetworkInterface {
        let role: NetworkInterface.Role =
            component == "ms_implat" || component.hasSuffix("ms_implat_mp") || component.hasPrefix("ms_multiplexor")
            ? .team : component.hasPrefix("vms_mp") ? .bridge : isHardware ? .card : .other
        var interface = NetworkInterface(name: name, role: role, format: "windows", files: [])
        interface.ipv4 = isStatic ? .static : .dhcp
        interface.addresses = network.addresses
        interface.gateways = network.gateways
        interface.nameServers = network.nameServers
        interface.searchDomains = network.searchDomains
        interface.mtu = network.mtu.first.flatMap { Int($0) }
        return interface
    }
}
