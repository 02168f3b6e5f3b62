import Guest

/// The devices of cloud-init's network configuration version 1: a list of items with a type each.
enum CloudInitDevices {
    private static let types: Set<String> = ["physical", "bond", "bridge", "vlan"]

    static func convert(
        _ network: YAMLNode, in path: GuestPath, _ edits: inout YAMLEdits, _ draft: inout Draft,
        _ cards: inout NetworkCards
    ) {
        guard let items = network["config"]?.items else { return }
        let ports = Set(
            items.flatMap { ($0["bond_interfaces"]?.words ?? []) + ($0["bridge_interfaces"]?.words ?? []) })
        var hasConverted = false
        for item in items where types.contains(item["type"]?.scalar ?? "") {
            guard let name = item["name"]?.scalar else { continue }
            var old = StaticNetwork()
            var removing: Set<String> = []
            // cloud-init waits for the card with this address, and fails where there is none.
            var adding: [String] = []
            if let mac = item["mac_address"]?.scalar {
                if item["type"]?.scalar == "physical" { cards.use(name, mac: Address.mac(mac)) }
                let new = cards.given[name]
                if new == nil || new != Address.mac(mac) {
                    old.macs.append(mac)
                    removing.insert("mac_address")
                    if let new { adding.append("mac_address: \"\(new)\"") }
                }
            } else if item["type"]?.scalar == "physical" {
                cards.use(name)
            }

            let fate =
                cards.addresses == .keep
                ? .unbound
                : subnets(of: item, name, isPort: ports.contains(name), &old, &removing, &adding, path, &draft)
            if fate == .dhcp {
                cards.converted.append(name)
                hasConverted = true
            }
            edits.edit(item, removing: removing, adding: adding)
            old.record(of: name, in: path, fate: fate, to: &draft)
        }
        guard hasConverted, network["config"]?.isFlow == false else { return }
        let rest = items.filter { ["nameserver", "route"].contains($0["type"]?.scalar) && !$0.isFlow }
        guard !rest.isEmpty else { return }
        var old = StaticNetwork()
        for item in rest {
            if item["type"]?.scalar == "route" { old.routes.append(item.summary) }
            old.nameServers += item["type"]?.scalar == "nameserver" ? item["address"]?.words ?? [] : []
            old.searchDomains += item["search"]?.words ?? []
        }
        edits.removeItems(rest)
        old.record(of: "all interfaces", in: path, fate: .unbound, to: &draft)
    }

    static func read(_ network: YAMLNode, in path: GuestPath, format: String) -> [NetworkInterface] {
        let items = network["config"]?.items ?? []
        let servers = items.filter { $0["type"]?.scalar == "nameserver" }
        return items.filter { types.contains($0["type"]?.scalar ?? "") }.compactMap { item in
            guard let name = item["name"]?.scalar, name != "lo" else { return nil }
            let role: NetworkInterface.Role =
                switch item["type"]?.scalar {
                case "bond": .bond
                case "bridge": .bridge
                case "vlan": .vlan
                default: .card
                }
            var interface = NetworkInterface(name: name, role: role, format: format, files: [path])
            for subnet in item["subnets"]?.items ?? [] { read(subnet, &interface) }
            interface.nameServers += servers.flatMap { $0["address"]?.words ?? [] }
            interface.searchDomains += servers.flatMap { $0["search"]?.words ?? [] }
            interface.mtu = item["mtu"]?.scalar.flatMap { Int($0) }
            interface.mac = item["mac_address"]?.scalar.flatMap(Address.mac)
            interface.bondMode = item["params"]?["bond-mode"]?.scalar ?? item["params"]?["bond_mode"]?.scalar
            interface.ports = (item["bond_interfaces"]?.words ?? []) + (item["bridge_interfaces"]?.words ?? [])
            interface.parent = item["vlan_link"]?.scalar
            interface.vlan = item["vlan_id"]?.scalar.flatMap { Int($0) }
            return interface
        }
    }

    private static func read(_ subnet: YAMLNode, _ interface: inout NetworkInterface) {
        let kind = subnet["type"]?.scalar ?? ""
        let address = subnet["address"]?.scalar
        let isIPv6 = kind.hasSuffix("6") || kind.hasPrefix("ipv6") || address.map(Address.isIPv6) == true
        let method: NetworkInterface.Method =
            kind.hasPrefix("static")
            ? .static : kind.hasPrefix("ipv6") ? .slaac : kind.hasPrefix("dhcp") ? .dhcp : .none
        if isIPv6 { interface.ipv6 = method } else { interface.ipv4 = method }
        if let address { interface.addresses.append(Address.joined(address, mask: subnet["netmask"]?.scalar)) }
        interface.gateways += [subnet["gateway"]?.scalar].compactMap { $0 }
        interface.nameServers += subnet["dns_nameservers"]?.words ?? []
        interface.searchDomains += subnet["dns_search"]?.words ?? []
        interface.routes += (subnet["routes"]?.items ?? []).map(\.summary)
    }

    private static func subnets(
        of item: YAMLNode, _ name: String, isPort: Bool, _ old: inout StaticNetwork, _ removing: inout Set<String>,
        _ adding: inout [String], _ path: GuestPath, _ draft: inout Draft
    ) -> StaticNetwork.Fate {
        let subnets = item["subnets"]?.items ?? []
        func kind(_ subnet: YAMLNode) -> String { subnet["type"]?.scalar ?? "" }
        let fixed = subnets.filter { kind($0).hasPrefix("static") }
        guard !fixed.isEmpty else { return .unbound }
        if item["type"]?.scalar == "bridge", (item["bridge_interfaces"]?.words ?? []).isEmpty {
            StaticNetwork.noteIsolated(name, &draft)
            return .unbound
        }
        var kept = subnets.filter { !kind($0).hasPrefix("static") }.map(\.summary)
        let kinds = subnets.map(kind)
        for subnet in fixed {
            let address = subnet["address"]?.scalar ?? ""
            old.addresses.append(Address.joined(address, mask: subnet["netmask"]?.scalar))
            old.gateways += [subnet["gateway"]?.scalar].compactMap { $0 }
            old.nameServers += subnet["dns_nameservers"]?.words ?? []
            old.searchDomains += subnet["dns_search"]?.words ?? []
            old.routes += (subnet["routes"]?.items ?? []).map(\.summary)
        }
        old.mtu += [item["mtu"]?.scalar].compactMap { $0 }
        let hasIPv6 = fixed.contains { kind($0) == "static6" || Address.isIPv6($0["address"]?.scalar ?? "") }
        let hasIPv4 = fixed.contains { !(kind($0) == "static6" || Address.isIPv6($0["address"]?.scalar ?? "")) }
        if !isPort {
            if hasIPv4, !kinds.contains("dhcp"), !kinds.contains("dhcp4") { kept.append("{type: dhcp4}") }
            if hasIPv6, !kinds.contains(where: { $0.hasPrefix("dhcp6") || $0.hasPrefix("ipv6") }) {
                kept.append("{type: dhcp6}")
            }
        }
        removing.insert("subnets")
        if !kept.isEmpty { adding.append("subnets: [\(kept.joined(separator: ", "))]") }
        return isPort ? .port : .dhcp
    }
}
