import Guest

/// NetworkManager's keyfiles: nm-settings-keyfile(5).
struct NetworkManager: NetworkFormat {
    let name = "networkmanager"

    private static let folder: GuestPath = "/etc/NetworkManager/system-connections"
    private static let cardTypes: Set<String> = ["ethernet", "802-3-ethernet"]
    private static let types: Set<String> = cardTypes.union(["bond", "bridge", "vlan", "team"])

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        try Self.connections(files).contains { Self.types.contains($0.file.value("connection", "type") ?? "") }
    }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(["/usr/sbin/NetworkManager", "/sbin/NetworkManager", "/usr/bin/NetworkManager"])
    }

    /// Keys of [ipv4] and [ipv6] that go together with a static address.
    static func isStatic(_ key: String) -> Bool {
        let key = key.hasSuffix("_options") ? String(key.dropLast("_options".count)) : key
        let numbered = ["address", "route", "routing-rule"].contains { word in
            key.hasPrefix(word) && key.dropFirst(word.count).allSatisfy(\.isNumber)
        }
        let whole: Set<String> = [
            "addresses", "gateway", "dns", "dns-search", "routes", "ignore-auto-dns", "ignore-auto-routes",
        ]
        return numbered || whole.contains(key)
    }

    private struct Connection {
        var path: GuestPath
        var file: INIFile

        var isPort: Bool { file.value("connection", "controller") != nil || file.value("connection", "master") != nil }
        /// How ports may refer to it.
        var references: [String] {
            ["uuid", "id", "interface-name"].compactMap { file.value("connection", $0) }
        }
    }

    private static func connections(_ files: any GuestFiles) throws -> [Connection] {
        try files.list(folder).compactMap { name in
            // As NetworkManager itself passes over hidden files and editors' copies.
            guard !name.hasPrefix("."), !name.hasSuffix("~"), !name.hasSuffix(".bak"), !name.hasSuffix(".orig") else {
                return nil
            }
            let path = folder.appending(name)
            return try files.text(path).map { Connection(path: path, file: INIFile($0)) }
        }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let all = try Self.connections(draft).filter { Self.types.contains($0.file.value("connection", "type") ?? "") }
        let controllers = Set(
            all.flatMap { [$0.file.value("connection", "controller"), $0.file.value("connection", "master")] }
                .compactMap { $0 })
        let cardCount = all.filter { Self.cardTypes.contains($0.file.value("connection", "type") ?? "") }.count
        let uuids = Set(all.compactMap { $0.file.value("connection", "uuid") })
        for connection in all {
            let type = connection.file.value("connection", "type") ?? ""
            var file = connection.file
            var old = StaticNetwork()
            var interface =
                file.value("connection", "interface-name") ?? file.value("connection", "id") ?? connection.path.name
            if Self.cardTypes.contains(type) {
                unbind(&file, isOnly: cardCount == 1, &old, &interface, in: connection.path, &draft, &cards)
            }
            if let parent = file.value("vlan", "parent"), type == "vlan", !uuids.contains(parent) {
                useParent(parent, all, &cards)
            }
            dropOwnMAC(&file, &old)

            let families = ["ipv4", "ipv6"].filter { isStatic($0, file) }
            var fate = StaticNetwork.Fate.unbound
            if !families.isEmpty, !connection.isPort {
                if type == "bridge", !connection.references.contains(where: controllers.contains) {
                    StaticNetwork.noteIsolated(interface, &draft)
                } else {
                    fate = .dhcp
                    for family in families { turnOn(family, &file, &old) }
                    old.mtu += file.values("ethernet", "mtu") + file.values("802-3-ethernet", "mtu")
                    cards.converted.append(interface)
                }
            }
            // Permissions stay 0600: NetworkManager passes over a file that others can read.
            if try draft.text(connection.path) != file.rendered {
                try draft.write(connection.path, text: file.rendered)
            }
            old.record(of: interface, in: connection.path, fate: fate, to: &draft)
        }
    }

    private func isStatic(_ family: String, _ file: INIFile) -> Bool {
        let method = file.value(family, "method")
        if method == "manual" { return true }
        // DHCP beside static addresses; "shared" and "link-local" serve somebody else.
        return method == "auto"
            && file.entries.contains { entry in
                file.sections[entry.section] == family && entry.key.hasPrefix("address")
                    && Self.isStatic(entry.key) && !entry.value.isEmpty
            }
    }

    private func turnOn(_ family: String, _ file: inout INIFile, _ old: inout StaticNetwork) {
        for entry in file.entries where file.sections[entry.section] == family && Self.isStatic(entry.key) {
            let parts = entry.value.split { $0 == ";" || $0 == "," }.map(\.trimmed).filter { !$0.isEmpty }
            switch entry.key {
            case "gateway": old.gateways.append(entry.value)
            case "dns": old.nameServers += parts
            case "dns-search": old.searchDomains += parts
            case let key where key.hasPrefix("address"):
                old.addresses += parts.prefix(1)
                old.gateways += parts.dropFirst().prefix(1)
            case let key where key.hasPrefix("rout"): old.routes.append(entry.value)
            default: break
            }
        }
        file.remove { section, entry in section == family && Self.isStatic(entry.key) }
        file.set(family, "method", "auto")
    }

    /// A card's connection without what only the old hardware matches.
    private func unbind(
        _ file: inout INIFile, isOnly: Bool, _ old: inout StaticNetwork, _ interface: inout String, in path: GuestPath,
        _ draft: inout Draft, _ cards: inout NetworkCards
    ) {
        let name = file.value("connection", "interface-name")
        let listed = file.values("match", "interface-name").flatMap {
            $0.split { $0 == ";" || $0 == "," }.map(\.trimmed)
        }
        cards.use(oneOf: listed.filter { !$0.hasPrefix("!") })
        let mac = (file.values("ethernet", "mac-address") + file.values("802-3-ethernet", "mac-address")).first
        if let name { cards.use(name, mac: mac.flatMap(Address.mac)) }

        let places = file.values("match", "path") + file.values("match", "driver")
        if !places.isEmpty {
            draft.record("interface-name", of: interface, in: path, ["path": places])
            draft.note("\(interface): is no longer tied to \(places.joined(separator: ", "))")
            file.remove { section, entry in section == "match" && (entry.key == "path" || entry.key == "driver") }
        }
        if let mac {
            old.macs.append(mac)
            file.remove { section, entry in Self.cardTypes.contains(section) && entry.key == "mac-address" }
        }
        // One connection without a card's name serves any card; of several, each would.
        guard name == nil, listed.isEmpty, let tie = mac ?? places.first,
            !isOnly || Address.mac(tie).map({ cards.bound[$0] != nil }) == true
        else { return }
        let chosen = cards.name(ofCardWith: tie)
        file.set("connection", "interface-name", chosen)
        draft.note("\(interface): the card with \(tie) is called \(chosen) from now on")
        interface = chosen
    }

    private func useParent(_ parent: String, _ all: [Connection], _ cards: inout NetworkCards) {
        let isMade = all.contains { connection in
            connection.file.value("connection", "interface-name") == parent
                && !Self.cardTypes.contains(connection.file.value("connection", "type") ?? "")
        }
        if !isMade, !InterfaceName.isComposite(parent), !InterfaceName.isVirtual(parent),
            !InterfaceName.isWireless(parent)
        {
            cards.use(parent)
        }
    }

    /// Clouds drop frames from a MAC address that isn't the port's own.
    private func dropOwnMAC(_ file: inout INIFile, _ old: inout StaticNetwork) {
        func isOwn(_ section: String, _ entry: INIFile.Entry) -> Bool {
            if section == "bridge" { return entry.key == "mac-address" }
            return Self.cardTypes.contains(section) && entry.key == "cloned-mac-address"
                && !["preserve", "permanent", ""].contains(entry.value)
        }
        let own = file.entries.filter { isOwn(file.sections[$0.section], $0) }
        guard !own.isEmpty else { return }
        old.macs += own.map(\.value)
        file.remove(where: isOwn)
    }
}
