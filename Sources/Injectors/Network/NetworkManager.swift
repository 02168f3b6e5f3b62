import Guest

/// NetworkManager's keyfiles: nm-settings-keyfile(5).
struct NetworkManager: NetworkFormat {
    let name = "networkmanager"

    static let folder: GuestPath = "/etc/NetworkManager/system-connections"
    /// What packages bring; /run is empty on a disk.
    private static let vendorFolder: GuestPath = "/usr/lib/NetworkManager/system-connections"
    static let cardTypes: Set<String> = ["ethernet", "802-3-ethernet"]
    private static let types: Set<String> = cardTypes.union(["bond", "bridge", "vlan", "team"])

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        try !Self.connections(files).isEmpty
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

    struct Connection {
        /// Where it is written to: always below /etc, where it comes before a vendor's.
        var path: GuestPath
        var source: GuestPath
        var file: INIFile

        /// NetworkManager guesses it by the sections where none is given.
        var type: String {
            if let type = file.value("connection", "type") { return type }
            let guesses = ["bond", "bridge", "vlan", "team", "wifi", "802-11-wireless", "wireguard", "infiniband"]
            return guesses.first { file.sections.contains($0) } ?? "ethernet"
        }
        var isPort: Bool { controller != nil }
        var controller: String? { file.value("connection", "controller") ?? file.value("connection", "master") }
        /// How ports may refer to it.
        var references: [String] {
            ["uuid", "id", "interface-name"].compactMap { file.value("connection", $0) }
        }
        /// The card's MAC address.
        var mac: String? {
            (file.values("ethernet", "mac-address") + file.values("802-3-ethernet", "mac-address")).first
        }
        /// The names that [match] lists, without those that it leaves out.
        var listed: [String] {
            file.values("match", "interface-name").flatMap { $0.split { $0 == ";" || $0 == "," }.map(\.trimmed) }
                .filter { !$0.isEmpty && !$0.hasPrefix("!") }
        }
    }

    static func connections(_ files: any GuestFiles) throws -> [Connection] {
        var found: [Connection] = []
        var seen: Set<String> = []
        for folder in [folder, vendorFolder] {
            for name in try files.list(folder) {
                // As NetworkManager itself passes over hidden files and editors' copies.
                guard !name.hasPrefix("."), !name.hasSuffix("~"),
                    ![".bak", ".orig", ".rpmsave", ".rpmnew", ".swp"].contains(where: name.hasSuffix),
                    let text = try files.configuration(folder.appending(name))
                else { continue }
                let file = INIFile(text)
                guard file.sections.contains("connection") else { continue }
                let uuid = file.value("connection", "uuid")
                if seen.contains(name) || uuid.map(seen.contains) == true { continue }
                seen.formUnion([name, uuid].compactMap { $0 })
                found.append(
                    Connection(path: Self.folder.appending(name), source: folder.appending(name), file: file))
            }
        }
        return found.filter { types.contains($0.type) }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let all = try Self.connections(draft)
        let controllers = Set(all.compactMap(\.controller))
        let cardCount = all.count { Self.cardTypes.contains($0.type) }
        let uuids = Set(all.compactMap { $0.file.value("connection", "uuid") })
        for connection in all {
            let type = connection.type
            var file = connection.file
            var old = StaticNetwork()
            var interface =
                file.value("connection", "interface-name") ?? file.value("connection", "id") ?? connection.path.name
            if Self.cardTypes.contains(type) {
                unbind(connection, &file, isOnly: cardCount == 1, &old, &interface, &draft, &cards)
            }
            if let parent = file.value("vlan", "parent"), type == "vlan", !uuids.contains(parent) {
                useParent(parent, all, &cards)
            }
            dropOwnMAC(&file, &old)

            let families = cards.addresses == .keep ? [] : ["ipv4", "ipv6"].filter { isStatic($0, file) }
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
            if connection.file.rendered != file.rendered {
                try draft.write(
                    connection.path, text: file.rendered,
                    permissions: connection.path == connection.source ? nil : 0o600)
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

    /// A card's connection without what only the old hardware matches; or with the new machine's MAC address.
    private func unbind(
        _ connection: Connection, _ file: inout INIFile, isOnly: Bool, _ old: inout StaticNetwork,
        _ interface: inout String, _ draft: inout Draft, _ cards: inout NetworkCards
    ) {
        let name = file.value("connection", "interface-name")
        let listed = connection.listed
        // Of several names that would do, the one that was given a card is meant.
        if let chosen = listed.first(where: { cards.given[$0] != nil }) {
            cards.use(chosen)
        } else {
            cards.use(oneOf: listed)
        }
        let tie = connection.mac
        let mac = tie.flatMap(Address.mac)
        if let name { cards.use(name, mac: mac) }

        let places = file.values("match", "path") + file.values("match", "driver")
        if !places.isEmpty {
            draft.record("interface-name", of: interface, in: connection.path, ["path": places])
            draft.note("\(interface): is no longer tied to \(places.joined(separator: ", "))")
            file.remove { section, entry in section == "match" && (entry.key == "path" || entry.key == "driver") }
        }
        let new = cards.tie(of: name ?? "", in: connection.path)
        if let tie, mac != new {
            old.macs.append(tie)
            if new == nil {
                file.remove { section, entry in Self.cardTypes.contains(section) && entry.key == "mac-address" }
            }
        }
        if let new, mac != new, tie != nil || cards.givenByFile[connection.path] != nil {
            file.set(file.sections.contains("802-3-ethernet") ? "802-3-ethernet" : "ethernet", "mac-address", new)
        }
        // One connection without a card's name serves any card; of several, each would.
        guard name == nil, listed.isEmpty, new == nil, let old = tie ?? places.first,
            !isOnly || Address.mac(old).map({ cards.bound[$0] != nil }) == true
        else { return }
        let chosen = cards.name(ofCardWith: old)
        file.set("connection", "interface-name", chosen)
        draft.note("\(interface): the card with \(old) is called \(chosen) from now on")
        if let given = cards.given[chosen] { file.set("ethernet", "mac-address", given) }
        interface = chosen
    }

    private func useParent(_ parent: String, _ all: [Connection], _ cards: inout NetworkCards) {
        let isMade = all.contains { connection in
            connection.file.value("connection", "interface-name") == parent
                && !Self.cardTypes.contains(connection.type)
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
