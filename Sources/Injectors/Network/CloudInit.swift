import Guest

/// Network configurations that cloud-init would write out anew: in its own configuration, or in a seed on the disk.
struct CloudInit: NetworkFormat {
    let name = "cloud-init"

    private struct Document {
        var path: GuestPath
        var bytes: [UInt8]
        var network: YAMLNode
    }

    private struct Source {
        var path: GuestPath
        /// A seed's file is the network configuration itself; elsewhere it is one key of many.
        var isWhole: Bool
    }

    private static let seeds: [GuestPath] = [
        "/var/lib/cloud/seed/nocloud/network-config", "/var/lib/cloud/seed/nocloud-net/network-config",
    ]

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        let (documents, problems) = try Self.documents(files)
        return !documents.isEmpty || !problems.isEmpty
    }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(["/usr/bin/cloud-init", "/usr/local/bin/cloud-init"])
    }

    private static func documents(
        _ files: any GuestFiles
    ) throws -> (documents: [Document], problems: [(path: GuestPath, reason: String)]) {
        let settings = try ["/etc/cloud/cloud.cfg"] + files.files(in: "/etc/cloud/cloud.cfg.d", suffix: ".cfg")
        let sources = settings.map { Source(path: $0, isWhole: false) } + seeds.map { Source(path: $0, isWhole: true) }
        var documents: [Document] = []
        var problems: [(path: GuestPath, reason: String)] = []
        for source in sources {
            guard let text = try files.text(source.path) else { continue }
            let bytes = Array(text.utf8)
            let range = networkKey(bytes)
            if range == nil, !source.isWhole { continue }
            do throws(YAMLError) {
                let root = try YAMLParser.parse(bytes, in: range)
                guard let network = range == nil ? root : root["network"] else { continue }
                // `network: {config: disabled}` keeps cloud-init away, which is fine.
                if network["version"] != nil {
                    documents.append(Document(path: source.path, bytes: bytes, network: network))
                }
            } catch {
                problems.append((source.path, error.reason))
            }
        }
        return (documents, problems)
    }

    /// The lines of the top-level key `network`, so that what stands around it needn't be understood.
    private static func networkKey(_ bytes: [UInt8]) -> Range<Int>? {
        var at = 0
        var start: Int?
        while at < bytes.count {
            let next = (bytes[at...].firstIndex(of: 10) ?? bytes.count - 1) + 1
            let line = bytes[at..<next]
            if let start {
                // A sequence or comment at the left margin still belongs to the key.
                let goesOn = line.first.map { [32, 9, 10, 13, 35, 45].contains($0) } ?? true
                if !goesOn || line.starts(with: "---".utf8) { return start..<at }
            } else if line.starts(with: "network:".utf8) {
                start = at
            }
            at = next
        }
        return start.map { $0..<bytes.count }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let (documents, problems) = try Self.documents(draft)
        for problem in problems {
            draft.warn(
                "the network configuration for cloud-init in '\(problem.path)' can't be edited, as \(problem.reason); "
                    + "it stays as it is, and cloud-init may write it over the converted one",
                hint: "put 'network: {config: disabled}' there")
        }
        let devices = NetplanDevices(documents.map(\.network))
        for document in documents {
            var edits = YAMLEdits(document.bytes)
            switch document.network["version"]?.scalar {
            case "2": try devices.convert(document.network, in: document.path, &edits, &draft, &cards)
            case "1": CloudInitDevices.convert(document.network, in: document.path, &edits, &draft, &cards)
            case let version:
                draft.warn(
                    "'\(document.path)' has a network configuration of version \(version ?? "?"), which isn't known; "
                        + "it stays as it is, and cloud-init may write it over the converted one")
            }
            if !edits.isEmpty {
                try draft.write(document.path, text: String(decoding: edits.result, as: UTF8.self))
            }
        }
    }
}

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
            if let mac = item["mac_address"]?.scalar {
                old.macs.append(mac)
                removing.insert("mac_address")
            }
            if item["type"]?.scalar == "physical" { cards.use(name, mac: old.macs.first.flatMap(Address.mac)) }

            var adding: [String] = []
            let fate = subnets(of: item, name, isPort: ports.contains(name), &old, &removing, &adding, path, &draft)
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
