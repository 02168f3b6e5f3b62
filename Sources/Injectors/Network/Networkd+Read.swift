import Guest

extension Networkd {
    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let netdevs = try files.files(in: Self.folder, suffix: ".netdev").compactMap { path in
            try files.configuration(path).map { (path, INIFile($0)) }
        }
        var made: [String: (path: GuestPath, file: INIFile)] = [:]
        for (path, file) in netdevs {
            if let name = file.value("NetDev", "Name"), made[name] == nil { made[name] = (path, file) }
        }
        var result: [NetworkInterface] = []
        var parents: [String: String] = [:]
        for unit in try Self.units(files) where !unit.names.contains("lo") {
            let exact = unit.names.filter { !Wildcard.isPattern($0) && !$0.hasPrefix("!") }
            let names = exact.isEmpty ? [""] : exact
            for name in names {
                var interface = interface(name, unit, made[name])
                let vlans = unit.values("Network", "VLAN").flatMap(\.words)
                for vlan in vlans { parents[vlan] = name }
                if name.isEmpty { interface.profile = unit.parts.first?.path.name }
                result.append(interface)
            }
        }
        var places: [String: Int] = [:]
        for (index, interface) in result.enumerated() where places[interface.name] == nil {
            places[interface.name] = index
        }
        for index in result.indices {
            result[index].parent = parents[result[index].name]
            if let place = result[index].controller.flatMap({ places[$0] }) {
                result[place].ports.append(result[index].name)
            }
        }
        return result
    }

    private func interface(
        _ name: String, _ unit: Unit, _ made: (path: GuestPath, file: INIFile)?
    ) -> NetworkInterface {
        let role: NetworkInterface.Role =
            switch made?.file.value("NetDev", "Kind") {
            case "bond": .bond
            case "bridge": .bridge
            case "vlan": .vlan
            case "team": .team
            case .some: .other
            case nil: InterfaceName.isVirtual(name) || InterfaceName.isWireless(name) ? .other : .card
            }
        var interface = NetworkInterface(
            name: name, role: role, format: self.name,
            files: unit.parts.map(\.path) + (made.map { [$0.path] } ?? []))
        let dhcp = unit.values("Network", "DHCP").last?.lowercased() ?? "no"
        let asks4 = ["yes", "true", "on", "1", "both", "ipv4", "v4"].contains(dhcp)
        let asks6 = ["yes", "true", "on", "1", "both", "ipv6", "v6"].contains(dhcp)
        let has4 = unit.addresses.contains { !Address.isIPv6($0) }
        let has6 = unit.addresses.contains(where: Address.isIPv6)
        interface.ipv4 = asks4 ? .dhcp : has4 ? .static : .none
        interface.ipv6 = asks6 ? .dhcp : has6 ? .static : .none
        interface.addresses = unit.addresses
        interface.gateways = unit.values("Network", "Gateway") + unit.values("Route", "Gateway")
        interface.routes = unit.values("Route", "Destination")
        interface.nameServers = unit.values("Network", "DNS").flatMap(\.words)
        interface.searchDomains = unit.values("Network", "Domains").flatMap(\.words)
        interface.mtu = unit.values("Link", "MTUBytes").last.flatMap { Int($0) }
        interface.mac = unit.values("Match", "MACAddress", "PermanentMACAddress").flatMap(\.words).first
            .flatMap(Address.mac)
        interface.controller = unit.values("Network", "Bond", "Bridge").first
        interface.bondMode = made?.file.value("Bond", "Mode")
        interface.vlan = made?.file.value("VLAN", "Id").flatMap { Int($0) }
        return interface
    }
}
