import Guest

/// The device definitions of netplan's version 2, which cloud-init takes too.
struct NetplanDevices {
    /// What goes together with a static address.
    private static let staticKeys: Set<String> = [
        "addresses", "gateway4", "gateway6", "routes", "routing-policy", "nameservers", "dhcp4-overrides",
        "dhcp6-overrides",
    ]

    private struct Family {
        var hasIPv4 = false
        var hasIPv6 = false
    }

    /// IDs of bonds' and bridges' members.
    private var ports: Set<String> = []
    /// Bridges that have no members in any file.
    private var isolated: Set<String> = []
    /// What is static in any of the files that make up one definition.
    private var families: [String: Family] = [:]

    /// - Parameter keepsAddresses: nothing counts as static, as it stays.
    init(_ networks: [YAMLNode], keepsAddresses: Bool = false) {
        var bridges: Set<String> = []
        var connected: Set<String> = []
        for network in networks {
            for section in ["bonds", "bridges"] {
                for entry in network[section]?.entries ?? [] {
                    let members = entry.value["interfaces"]?.words ?? []
                    ports.formUnion(members)
                    if section == "bridges" { bridges.insert(entry.key) }
                    if !members.isEmpty { connected.insert(entry.key) }
                }
            }
            for section in keepsAddresses ? [] : ["ethernets", "bonds", "bridges", "vlans"] {
                for entry in network[section]?.entries ?? [] {
                    let addresses = entry.value["addresses"]?.words ?? []
                    var family = families[entry.key] ?? Family()
                    if addresses.contains(where: { !Address.isIPv6($0) }) || entry.value["gateway4"] != nil {
                        family.hasIPv4 = true
                    }
                    if addresses.contains(where: { Address.isIPv6($0) }) || entry.value["gateway6"] != nil {
                        family.hasIPv6 = true
                    }
                    families[entry.key] = family
                }
            }
        }
        // NetworkManager's ports name their bridge elsewhere; a bridge of netplan lists them.
        isolated = bridges.subtracting(connected)
    }

    func convert(
        _ network: YAMLNode, in path: GuestPath, _ edits: inout YAMLEdits, _ draft: inout Draft,
        _ cards: inout NetworkCards
    ) throws {
        for section in ["ethernets", "bonds", "bridges", "vlans"] {
            guard let definitions = network[section] else { continue }
            for entry in definitions.entries where !Self.isLoopback(entry) {
                convert(entry, section, in: path, &edits, &draft, &cards)
            }
        }
        guard cards.addresses == .dhcp else { return }
        for entry in network["tunnels"]?.entries ?? [] where entry.value["local"] != nil {
            draft.warn(
                "\(entry.key): a tunnel in '\(path)' starts at a fixed address of this machine; it stays as it is, "
                    + "and works only where the machine still has that address")
        }
    }

    static func isLoopback(_ entry: YAMLEntry) -> Bool {
        entry.key == "lo" || entry.value["match"]?["name"]?.scalar == "lo"
    }

    private func convert(
        _ entry: YAMLEntry, _ section: String, in path: GuestPath, _ edits: inout YAMLEdits, _ draft: inout Draft,
        _ cards: inout NetworkCards
    ) {
        if InterfaceName.isWireless(entry.key) { return }
        let device = entry.value
        var old = StaticNetwork()
        var removing: Set<String> = []
        var adding: [String] = []
        var interface = entry.key
        if section == "ethernets" {
            interface = unbind(entry, in: path, &old, &removing, &adding, &edits, &draft, &cards)
        }
        if let mac = device["macaddress"]?.scalar {
            old.macs.append(mac)
            removing.insert("macaddress")
        }
        let family = families[entry.key] ?? Family()
        let isStatic = family.hasIPv4 || family.hasIPv6
        let isIsolated = section == "bridges" && isolated.contains(entry.key)
        var fate = StaticNetwork.Fate.unbound
        if isStatic, isIsolated {
            StaticNetwork.noteIsolated(interface, &draft)
        } else if isStatic {
            fate = ports.contains(entry.key) ? .port : .dhcp
            collect(device, &old)
            removing.formUnion(Self.staticKeys.intersection(device.entries.map(\.key)))
            if family.hasIPv6, device["accept-ra"]?.truth == false { removing.insert("accept-ra") }
            if fate == .dhcp {
                turnOn("dhcp4", family.hasIPv4, device, &removing, &adding)
                // With dhcp6 both renderers take router advertisements, too; accept-ra isn't known to NetworkManager's.
                turnOn("dhcp6", family.hasIPv6, device, &removing, &adding)
            }
            passthrough(device, family, &edits)
        }
        if device.entries.allSatisfy({ removing.contains($0.key) }), adding.isEmpty, !removing.isEmpty {
            adding = ["dhcp4: false"]
        }
        edits.edit(device, removing: removing, adding: adding)
        // What another file of the same definition had is told there.
        if fate == .dhcp, !cards.converted.contains(interface) { cards.converted.append(interface) }
        old.record(
            of: interface, in: path, fate: old.addresses.isEmpty && old.gateways.isEmpty ? .unbound : fate, to: &draft)
    }

    /// A definition of a network card without what only the old hardware matches.
    /// - Returns: what the card is called.
    private func unbind(
        _ entry: YAMLEntry, in path: GuestPath, _ old: inout StaticNetwork, _ removing: inout Set<String>,
        _ adding: inout [String],
        _ edits: inout YAMLEdits, _ draft: inout Draft, _ cards: inout NetworkCards
    ) -> String {
        let device = entry.value
        let given = device["set-name"]?.scalar
        guard let match = device["match"] else {
            cards.use(entry.key)
            return entry.key
        }
        let mac = match["macaddress"]?.scalar
        let drivers = match["driver"]?.words ?? []
        let isDriverStale = !drivers.isEmpty && !drivers.contains { Wildcard($0).matches("virtio_net") }
        let pattern = match["name"]?.scalar
        guard mac != nil || isDriverStale else {
            if let name = given ?? pattern { cards.use(name) }
            return given ?? pattern.flatMap { Wildcard.isPattern($0) ? nil : $0 } ?? entry.key
        }

        let exact = given ?? pattern.flatMap { Wildcard.isPattern($0) ? nil : $0 }
        var interface = exact ?? entry.key
        if let mac {
            // The ID is only a label here, but nearly always the name; NetworkManager's are UUIDs.
            interface = cards.name(ofCardWith: mac, preferred: interface)
            if interface != exact, interface != entry.key {
                draft.note("\(entry.key): the card with the MAC address \(mac) is called \(interface) from now on")
            }
            if let new = cards.given[interface] {
                // The new machine's card in place of the old one.
                guard Address.mac(mac) != new || isDriverStale else { return interface }
                if Address.mac(mac) != new { old.macs.append(mac) }
                let stale: Set<String> = isDriverStale ? ["macaddress", "driver"] : ["macaddress"]
                if match.isFlow || device.isFlow {
                    removing.insert("match")
                    adding.append("match: {macaddress: \"\(new)\"}")
                } else {
                    edits.edit(match, removing: stale, adding: ["macaddress: \"\(new)\""])
                }
                return interface
            }
            old.macs.append(mac)
        } else if let exact {
            cards.use(exact)
        }
        // Without a MAC address to tell it by, any card will do.
        let name = mac == nil && exact == nil ? pattern ?? "e*" : interface
        if name == entry.key {
            removing.formUnion(["match", "set-name"].filter { entry.value[$0] != nil })
        } else {
            // cloud-init goes by set-name, netplan by either.
            if let given, given != name {
                removing.insert("set-name")
                adding.append("set-name: \"\(name)\"")
            }
            let nested = match.entries.map(\.key).filter { $0 != "macaddress" && $0 != "driver" && $0 != "name" }
            if entry.value.isFlow || match.isFlow || !nested.isEmpty || match.entries.isEmpty {
                removing.insert("match")
                adding.append("match: {name: \"\(name)\"}")
            } else {
                edits.edit(match, removing: ["macaddress", "driver", "name"], adding: ["name: \"\(name)\""])
            }
        }
        if name == pattern { cards.use(name) }
        if isDriverStale {
            draft.record("interface-name", of: interface, in: path, ["driver": drivers])
            draft.note("\(entry.key): is no longer tied to the driver \(drivers.joined(separator: ", "))")
        }
        return interface
    }

    private func collect(_ device: YAMLNode, _ old: inout StaticNetwork) {
        old.addresses += device["addresses"]?.words ?? []
        old.gateways += [device["gateway4"]?.scalar, device["gateway6"]?.scalar].compactMap { $0 }
        old.nameServers += device["nameservers"]?["addresses"]?.words ?? []
        old.searchDomains += device["nameservers"]?["search"]?.words ?? []
        old.mtu += [device["mtu"]?.scalar].compactMap { $0 }
        for route in device["routes"]?.items ?? [] {
            let isDefault = ["default", "0.0.0.0/0", "::/0"].contains(route["to"]?.scalar)
            if isDefault, let via = route["via"]?.scalar { old.gateways.append(via) }
            old.routes.append(route.summary)
        }
        old.routes += (device["routing-policy"]?.items ?? []).map(\.summary)
        for key in ["dhcp4-overrides", "dhcp6-overrides"] {
            if let overrides = device[key] { old.routes.append("\(key): \(overrides.summary)") }
        }
    }

    private func turnOn(
        _ key: String, _ isWanted: Bool, _ device: YAMLNode, _ removing: inout Set<String>, _ adding: inout [String]
    ) {
        // Of several files that make up one definition, those that have a say in it.
        let isHere = ["addresses", "gateway4", "gateway6", key].contains { device[$0] != nil }
        guard isWanted, isHere, device[key]?.truth != true else { return }
        if device[key] != nil { removing.insert(key) }
        adding.append("\(key): true")
    }

    /// What NetworkManager keeps in netplan's files beside netplan's own keys.
    private func passthrough(_ device: YAMLNode, _ family: Family, _ edits: inout YAMLEdits) {
        guard let settings = device["networkmanager"]?["passthrough"], !settings.isFlow else { return }
        var removing: Set<String> = []
        var adding: [String] = []
        for entry in settings.entries {
            let parts = entry.key.split(separator: ".", maxSplits: 1).map(String.init)
            guard parts.count == 2, parts[0] == "ipv4" || parts[0] == "ipv6" else { continue }
            if parts[1] == "method", entry.value.scalar == "manual" {
                removing.insert(entry.key)
                adding.append("\(entry.key): \"auto\"")
            } else if NetworkManager.isStatic(parts[1]) {
                removing.insert(entry.key)
            }
        }
        edits.edit(settings, removing: removing, adding: adding)
    }
}
