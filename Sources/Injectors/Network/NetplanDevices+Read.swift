import Guest

extension NetplanDevices {
    private static let roles: [(section: String, role: NetworkInterface.Role)] = [
        ("ethernets", .card), ("bonds", .bond), ("bridges", .bridge), ("vlans", .vlan), ("wifis", .other),
        ("tunnels", .other),
    ]

    /// What all files together say: a definition may be spread over several.
    static func read(_ documents: [(path: GuestPath, network: YAMLNode)], format: String) -> [NetworkInterface] {
        var result: [NetworkInterface] = []
        var places: [String: Int] = [:]
        for document in documents {
            for (section, role) in roles {
                for entry in document.network[section]?.entries ?? [] where !isLoopback(entry) {
                    let place = places[entry.key] ?? result.count
                    if place == result.count {
                        places[entry.key] = place
                        result.append(NetworkInterface(name: entry.key, role: role, format: format, files: []))
                    }
                    add(entry, in: document.path, to: &result[place])
                }
            }
        }
        for index in result.indices {
            for port in result[index].ports {
                if let place = places[port] { result[place].controller = result[index].name }
            }
        }
        return result
    }

    private static func add(_ entry: YAMLEntry, in path: GuestPath, to interface: inout NetworkInterface) {
        let device = entry.value
        if !interface.files.contains(path) { interface.files.append(path) }
        if let match = device["match"] {
            let exact = match["name"]?.scalar.flatMap { Wildcard.isPattern($0) ? nil : $0 }
            // The key is only a label then.
            interface.name = device["set-name"]?.scalar ?? exact ?? ""
            if interface.name != entry.key { interface.profile = entry.key }
            interface.mac = match["macaddress"]?.scalar.flatMap(Address.mac)
        }
        let addresses = device["addresses"]?.words ?? []
        interface.addresses += addresses
        if addresses.contains(where: { !Address.isIPv6($0) }), interface.ipv4 == .none { interface.ipv4 = .static }
        if addresses.contains(where: Address.isIPv6), interface.ipv6 == .none { interface.ipv6 = .static }
        if device["dhcp4"]?.truth == true { interface.ipv4 = .dhcp }
        if device["dhcp6"]?.truth == true { interface.ipv6 = .dhcp }
        interface.gateways += [device["gateway4"]?.scalar, device["gateway6"]?.scalar].compactMap { $0 }
        for route in device["routes"]?.items ?? [] {
            let isDefault = ["default", "0.0.0.0/0", "::/0"].contains(route["to"]?.scalar)
            if isDefault, let via = route["via"]?.scalar {
                interface.gateways.append(via)
            } else {
                interface.routes.append(route.summary)
            }
        }
        interface.nameServers += device["nameservers"]?["addresses"]?.words ?? []
        interface.searchDomains += device["nameservers"]?["search"]?.words ?? []
        interface.mtu = device["mtu"]?.scalar.flatMap { Int($0) } ?? interface.mtu
        interface.bondMode = device["parameters"]?["mode"]?.scalar ?? interface.bondMode
        interface.ports += device["interfaces"]?.words ?? []
        interface.parent = device["link"]?.scalar ?? interface.parent
        interface.vlan = device["id"]?.scalar.flatMap { Int($0) } ?? interface.vlan
    }
}
