import Guest

/// /etc/systemd/network: systemd.network(5) and systemd.netdev(5), with their drop-ins.
struct Networkd: NetworkFormat {
    let name = "networkd"

    static let folder: GuestPath = "/etc/systemd/network"
    /// Kinds of made interfaces that stand in for a card; tunnels and such keep what they have.
    private static let composites: Set<String> = ["bond", "bridge", "vlan", "team"]

    /// A .network file and its drop-ins, which count as one.
    struct Unit {
        var parts: [(path: GuestPath, file: INIFile)]

        func values(_ section: String, _ keys: String...) -> [String] {
            parts.flatMap { part in
                keys.flatMap { key in part.file.values(section, key) }
            }
        }

        mutating func change(_ body: (inout INIFile) -> Void) {
            for index in parts.indices { body(&parts[index].file) }
        }

        var addresses: [String] { values("Network", "Address") + values("Address", "Address") }
        var names: [String] { values("Match", "Name").flatMap(\.words) }
    }

    func isConfigured(_ files: any GuestFiles) throws -> Bool { try !Self.units(files).isEmpty }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        let links: [GuestPath] = [
            "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
            "/etc/systemd/system/dbus-org.freedesktop.network1.service",
            "/usr/lib/systemd/system/multi-user.target.wants/systemd-networkd.service",
            "/lib/systemd/system/multi-user.target.wants/systemd-networkd.service",
        ]
        return try links.contains { try files.entry(at: files.resolve($0, last: .keep)) != nil }
    }

    static func units(_ files: any GuestFiles) throws -> [Unit] {
        let names = try Set(
            files.list(folder).compactMap { name in
                if name.hasSuffix(".network") { return name }
                return name.hasSuffix(".network.d") ? String(name.dropLast(2)) : nil
            })
        return try names.sorted().compactMap { name in
            let paths = try [folder.appending(name)] + files.files(in: folder.appending(name + ".d"), suffix: ".conf")
            let parts = try paths.compactMap { path in try files.configuration(path).map { (path, INIFile($0)) } }
            // An empty file, or a link to /dev/null, only hides one of the system's.
            return parts.contains { !$0.1.entries.isEmpty } ? Unit(parts: parts) : nil
        }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let units = try Self.units(draft)
        let kinds = try netdevs(&draft)
        let connected = Set(units.flatMap { $0.values("Network", "Bridge", "Bond") })
        let unnamed = units.filter { $0.names.isEmpty && isBound($0) }.count
        let namesCards = units.contains { unit in
            !unit.names.isEmpty && !unit.names.contains { isForeign($0) || kinds[$0] != nil }
        }
        for var unit in units where !unit.names.contains(where: isForeign) {
            guard let path = unit.parts.first?.path else { continue }
            let kind = unit.names.lazy.compactMap { kinds[$0] }.first
            if let kind, !Self.composites.contains(kind) { continue }
            var old = StaticNetwork()
            var interface = unit.names.joined(separator: " ")
            if kind == nil {
                unbind(&unit, isOnly: unnamed == 1 && !namesCards, &old, &interface, &draft, &cards)
            }
            if interface.isEmpty { interface = path.name }
            old.macs += unit.values("Link", "MACAddress")
            unit.change { $0.remove { section, entry in section == "Link" && entry.key == "MACAddress" } }

            var fate = StaticNetwork.Fate.unbound
            if cards.addresses == .dhcp, !unit.addresses.isEmpty {
                let isServer = unit.values("Network", "DHCPServer").contains {
                    ["yes", "true", "on", "1"].contains($0)
                }
                if isServer {
                    draft.warn(
                        "\(interface): serves DHCP to others by '\(path)'; it keeps its static address, "
                            + "and works only where the new network leaves that to it")
                } else if kind == "bridge", !unit.names.contains(where: connected.contains) {
                    StaticNetwork.noteIsolated(interface, &draft)
                } else {
                    let isPort = !unit.values("Network", "Bridge", "Bond").isEmpty
                    fate = isPort ? .port : .dhcp
                    dropStatic(&unit, &old, isPort: isPort)
                    if !isPort { cards.converted.append(interface) }
                }
            }
            for (path, file) in unit.parts where try draft.text(path) != file.rendered {
                try draft.write(path, text: file.rendered)
            }
            old.record(of: interface, in: path, fate: fate, to: &draft)
        }
    }

    private func isForeign(_ name: String) -> Bool {
        InterfaceName.isWireless(name) || InterfaceName.isVirtual(name) || name.hasPrefix("wl")
    }

    /// Interfaces that .netdev files make, with their kinds; MAC addresses of their own go.
    private func netdevs(_ draft: inout Draft) throws -> [String: String] {
        var kinds: [String: String] = [:]
        for path in try draft.files(in: Self.folder, suffix: ".netdev") {
            guard let text = try draft.configuration(path) else { continue }
            var file = INIFile(text)
            guard let name = file.value("NetDev", "Name"), let kind = file.value("NetDev", "Kind") else { continue }
            kinds[name] = kind
            let macs = file.values("NetDev", "MACAddress").filter { $0 != "none" }
            guard !macs.isEmpty, Self.composites.contains(kind) else { continue }
            file.remove { section, entry in section == "NetDev" && entry.key == "MACAddress" }
            try draft.write(path, text: file.rendered)
            StaticNetwork(macs: macs).record(of: name, in: path, fate: .unbound, to: &draft)
        }
        return kinds
    }

    private func dropStatic(_ unit: inout Unit, _ old: inout StaticNetwork, isPort: Bool) {
        old.addresses += unit.addresses
        old.gateways += unit.values("Network", "Gateway") + unit.values("Route", "Gateway")
        old.nameServers += unit.values("Network", "DNS").flatMap(\.words)
        old.searchDomains += unit.values("Network", "Domains").flatMap(\.words)
        old.routes += unit.values("Route", "Destination")
        old.mtu += unit.values("Link", "MTUBytes")
        let hasIPv6 = unit.addresses.contains(where: Address.isIPv6)
        let hasIPv4 = unit.addresses.contains { !Address.isIPv6($0) }
        let sections: Set<String> = ["Address", "Route", "RoutingPolicyRule", "NextHop", "Neighbor"]
        // The first file that had an address is the one that tells how to get one.
        let home = unit.parts.firstIndex { part in
            !part.file.values("Network", "Address").isEmpty || !part.file.values("Address", "Address").isEmpty
        }
        unit.change { file in
            file.removeSections(named: sections)
            file.remove { section, entry in
                switch section {
                case "Network":
                    ["Address", "Gateway", "DNS", "Domains"].contains(entry.key)
                        || (entry.key == "IPv6AcceptRA" && hasIPv6 && !isOn(entry.value))
                        || (entry.key == "DHCP" && !isPort
                            && !["yes", "true", "on", "1", "both"].contains(entry.value))
                case "DHCP", "DHCPv4", "DHCPv6", "IPv6AcceptRA":
                    ["UseDNS", "UseRoutes", "UseGateway", "UseDomains"].contains(entry.key) && !isOn(entry.value)
                default: false
                }
            }
        }
        guard !isPort, let home else { return }
        guard unit.values("Network", "DHCP").isEmpty else { return }
        // "ipv4" alone would need systemd 219; router advertisements are taken either way.
        unit.parts[home].file.set("Network", "DHCP", hasIPv4 ? "yes" : "ipv6")
    }

    private func isOn(_ value: String) -> Bool { !["no", "false", "off", "0", "none"].contains(value.lowercased()) }

    // MARK: What matches the old hardware only

    private func isStale(_ section: String, _ entry: INIFile.Entry) -> Bool {
        guard section == "Match", !entry.value.isEmpty else { return false }
        switch entry.key {
        case "MACAddress", "PermanentMACAddress", "Path", "Property": return true
        case "Driver": return !entry.value.words.contains { !$0.hasPrefix("!") && Wildcard($0).matches("virtio_net") }
        case "Virtualization": return entry.value == "vmware"
        default: return false
        }
    }

    private func isBound(_ unit: Unit) -> Bool {
        unit.parts.contains { part in part.file.entries.contains { isStale(part.file.sections[$0.section], $0) } }
    }

    private func unbind(
        _ unit: inout Unit, isOnly: Bool, _ old: inout StaticNetwork, _ interface: inout String, _ draft: inout Draft,
        _ cards: inout NetworkCards
    ) {
        let macs = unit.values("Match", "MACAddress", "PermanentMACAddress").flatMap(\.words)
        if let path = unit.parts.first?.path, let new = cards.tie(of: unit.names.first ?? "", in: path),
            !macs.isEmpty || cards.givenByFile[path] != nil
        {
            return bind(&unit, to: new, macs, &old, &cards)
        }
        let only = unit.names.count == 1 && macs.count == 1 ? macs.first.flatMap(Address.mac) : nil
        let names = unit.names.filter { !$0.hasPrefix("!") }
        if let only, let name = names.first { cards.use(name, mac: only) } else { cards.use(oneOf: names) }
        guard isBound(unit) else { return }
        old.macs += macs
        let other = unit.values("Match", "Path", "Property", "Driver", "Virtualization")
        let ties = macs + other
        let isNamed = !unit.names.isEmpty || !unit.values("Match", "OriginalName", "Type").isEmpty
        if !isNamed {
            let hasName = macs.lazy.compactMap { Address.mac($0) }.contains { cards.bound[$0] != nil }
            // One file without a card's name serves any card; of several, each would.
            let name = isOnly && !hasName ? "en* eth*" : cards.name(ofCardWith: macs.first ?? ties.first ?? "")
            let home = unit.parts.firstIndex { part in part.file.sections.contains("Match") } ?? 0
            unit.parts[home].file.set("Match", "Name", name)
            interface = name
        }
        unit.change { file in file.remove { section, entry in isStale(section, entry) } }
        if !other.isEmpty, let path = unit.parts.first?.path {
            draft.record("interface-name", of: interface, in: path, ["path": other])
            draft.note("\(interface): is no longer tied to \(other.joined(separator: ", "))")
        }
    }

    /// The new machine's card in place of the old one.
    private func bind(
        _ unit: inout Unit, to new: String, _ macs: [String], _ old: inout StaticNetwork, _ cards: inout NetworkCards
    ) {
        cards.use(oneOf: unit.names.filter { !$0.hasPrefix("!") })
        let isThere = macs.count == 1 && Address.mac(macs[0]) == new
        old.macs += isThere ? [] : macs
        let home = unit.parts.firstIndex { part in part.file.sections.contains("Match") } ?? 0
        unit.change { file in
            file.remove { section, entry in
                isStale(section, entry) && !(isThere && ["MACAddress", "PermanentMACAddress"].contains(entry.key))
            }
        }
        if !isThere { unit.parts[home].file.set("Match", "MACAddress", new) }
    }
}
