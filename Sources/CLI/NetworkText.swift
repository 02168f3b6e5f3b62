import Guest

/// A network interface as one line: `ens192  static 192.168.77.10/24, gateway 192.168.77.1 (ifupdown)`.
enum NetworkText {
    static func line(_ interface: NetworkInterface) -> String {
        let title = interface.name.isEmpty ? "any card" : interface.name
        let label = interface.profile.map { "\(title) \"\($0)\"" } ?? title
        return "\(label)  \(facts(interface).joined(separator: ", ")) (\(interface.format))"
    }

    private static func facts(_ interface: NetworkInterface) -> [String] {
        var facts = [role(interface)].compactMap { $0 } + [methods(interface)]
        func add(_ word: String, _ values: [String]) {
            if !values.isEmpty { facts.append("\(word) \(values.joined(separator: " "))") }
        }
        add("gateway", interface.gateways)
        add("DNS", interface.nameServers)
        add("search", interface.searchDomains)
        if !interface.routes.isEmpty { facts.append("\(interface.routes.count) routes") }
        if let mtu = interface.mtu { facts.append("MTU \(mtu)") }
        add("MAC", [interface.mac].compactMap { $0 })
        add("port of", [interface.controller].compactMap { $0 })
        return facts
    }

    private static func role(_ interface: NetworkInterface) -> String? {
        let ports = interface.ports.isEmpty ? "" : " of \(interface.ports.joined(separator: " "))"
        switch interface.role {
        case .card: return nil
        case .bond: return "bond\(interface.bondMode.map { " \($0)" } ?? "")\(ports)"
        case .bridge: return "bridge\(ports)"
        case .team: return "team\(ports)"
        case .vlan:
            return "VLAN\(interface.vlan.map { " \($0)" } ?? "")\(interface.parent.map { " on \($0)" } ?? "")"
        case .other: return "other"
        }
    }

    private static func methods(_ interface: NetworkInterface) -> String {
        var parts: [String] = []
        let fixed = interface.addresses.joined(separator: " ")
        if interface.ipv4 == .dhcp { parts.append("DHCP") }
        if interface.ipv4 == .static || interface.ipv6 == .static || !fixed.isEmpty { parts.append("static \(fixed)") }
        if interface.ipv6 == .slaac { parts.append("IPv6 autoconfiguration") }
        if interface.ipv6 == .dhcp { parts.append("DHCPv6") }
        return parts.isEmpty ? "no address" : parts.joined(separator: ", ")
    }
}
