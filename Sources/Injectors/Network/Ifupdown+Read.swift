import Guest

extension Ifupdown {
    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let all = try IfupdownFiles(files)
        let roles = IfupdownRoles(all)
        var result: [NetworkInterface] = []
        var places: [String: Int] = [:]
        for (path, file) in all.files {
            for stanza in file.stanzas where stanza.name != "lo" && stanza.method != "loopback" {
                // eth0:1 is a further address of eth0.
                let name = String(stanza.name.prefix { $0 != ":" })
                let place = places[name] ?? result.count
                if place == result.count {
                    places[name] = place
                    result.append(
                        NetworkInterface(name: name, role: roles.role(of: name), format: self.name, files: []))
                }
                add(stanza, in: path, to: &result[place])
            }
        }
        for index in result.indices {
            for port in result[index].ports {
                if let place = places[port] { result[place].controller = result[index].name }
            }
            if let controller = result[index].controller, let place = places[controller],
                !result[place].ports.contains(result[index].name)
            {
                result[place].ports.append(result[index].name)
            }
        }
        return result
    }

    private func add(_ stanza: IfupdownFile.Stanza, in path: GuestPath, to interface: inout NetworkInterface) {
        if !interface.files.contains(path) { interface.files.append(path) }
        let isStatic = stanza.method == "static" || (stanza.family.isEmpty && !stanza.addresses.isEmpty)
        let method: NetworkInterface.Method =
            isStatic ? .static : stanza.method == "dhcp" ? .dhcp : stanza.method == "auto" ? .slaac : .none
        if stanza.isIPv6 {
            if interface.ipv6 == .none { interface.ipv6 = method }
        } else if interface.ipv4 == .none {
            interface.ipv4 = method
        }
        if isStatic { interface.addresses += stanza.addresses }
        interface.gateways += stanza.values("gateway")
        interface.nameServers += stanza.values("dns-nameservers", "dns-nameserver").flatMap(\.words)
        interface.searchDomains += stanza.values("dns-search", "dns-domain").flatMap(\.words)
        interface.routes += stanza.options.filter { IfupdownOptions.action(of: $0) == .route }.map(\.value)
        if let mtu = stanza.values("mtu").last.flatMap({ Int($0) }) { interface.mtu = mtu }
        if let mode = stanza.values("bond-mode").last { interface.bondMode = mode }
        let ports = stanza.values("bond-slaves", "slaves", "bridge-ports").flatMap(\.words).filter {
            !["none", "all", "regex", "noregex"].contains($0)
        }
        for port in ports where !interface.ports.contains(port) { interface.ports.append(port) }
        if let controller = stanza.values("bond-master").last { interface.controller = controller }
        guard interface.role == .vlan else { return }
        let dot = interface.name.lastIndex(of: ".")
        interface.parent = stanza.values("vlan-raw-device").last ?? dot.map { String(interface.name[..<$0]) }
        interface.vlan =
            stanza.values("vlan-id").last.flatMap { Int($0) }
            ?? Int(String(interface.name.reversed().prefix { $0.isNumber }.reversed()))
    }
}
