import Guest

extension NetworkManager {
    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let all = try Self.connections(files)
        var owners: [String: Int] = [:]
        for (index, connection) in all.enumerated() {
            for reference in connection.references where owners[reference] == nil { owners[reference] = index }
        }
        var result = all.map(interface)
        for (index, connection) in all.enumerated() {
            if let owner = connection.controller.flatMap({ owners[$0] }) {
                result[index].controller = result[owner].name
                result[owner].ports.append(result[index].name)
            }
            if let owner = result[index].parent.flatMap({ owners[$0] }) { result[index].parent = result[owner].name }
        }
        return result
    }

    private func interface(_ connection: Connection) -> NetworkInterface {
        let file = connection.file
        let exact = connection.listed.filter { !Wildcard.isPattern($0) }
        let name = file.value("connection", "interface-name") ?? (exact.count == 1 ? exact[0] : "")
        let role: NetworkInterface.Role =
            switch connection.type {
            case "bond": .bond
            case "bridge": .bridge
            case "vlan": .vlan
            case "team": .team
            default: .card
            }
        var interface = NetworkInterface(name: name, role: role, format: self.name, files: [connection.source])
        let title = file.value("connection", "id") ?? connection.source.name
        if title != name { interface.profile = title }
        interface.ipv4 = method(file, "ipv4")
        interface.ipv6 = method(file, "ipv6")
        for entry in file.entries where entry.key.hasPrefix("address") && !entry.value.isEmpty {
            guard Self.isStatic(entry.key), !entry.key.hasSuffix("_options") else { continue }
            let parts = entry.value.split { $0 == ";" || $0 == "," }.map(\.trimmed)
            if entry.key == "addresses" {
                interface.addresses += parts.filter { IPAddress($0) != nil }
                continue
            }
            interface.addresses += parts.prefix(1)
            interface.gateways += parts.dropFirst().prefix(1).filter { !$0.isEmpty }
        }
        for family in ["ipv4", "ipv6"] {
            interface.gateways += file.values(family, "gateway")
            interface.nameServers += list(file, family, "dns")
            interface.searchDomains += list(file, family, "dns-search")
            interface.routes += file.entries.filter {
                file.sections[$0.section] == family && $0.key.hasPrefix("rout") && Self.isStatic($0.key)
                    && !$0.key.hasSuffix("_options") && !$0.value.isEmpty && !$0.key.hasPrefix("routing-rule")
            }.map(\.value)
        }
        interface.mtu = (file.value("ethernet", "mtu") ?? file.value("802-3-ethernet", "mtu")).flatMap { Int($0) }
        interface.mac = connection.mac.flatMap(Address.mac)
        interface.bondMode = file.value("bond", "mode")
        interface.controller = connection.controller
        interface.parent = file.value("vlan", "parent")
        interface.vlan = file.value("vlan", "id").flatMap { Int($0) }
        return interface
    }

    private func method(_ file: INIFile, _ family: String) -> NetworkInterface.Method {
        switch file.value(family, "method") {
        case "manual": .static
        case "auto": family == "ipv4" ? .dhcp : .slaac
        case "dhcp": .dhcp
        default: .none
        }
    }

    private func list(_ file: INIFile, _ family: String, _ key: String) -> [String] {
        (file.value(family, key) ?? "").split { $0 == ";" || $0 == "," }.map(\.trimmed).filter { !$0.isEmpty }
    }
}
