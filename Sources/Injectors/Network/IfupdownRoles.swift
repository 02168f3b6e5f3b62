import Guest

/// What each interface of an ifupdown configuration is: a card, a port of a bond or bridge, a bond, a template…
struct IfupdownRoles {
    private let stanzas: [IfupdownFile.Stanza]
    private let lists: [IfupdownFile.Line]
    private let hasMappings: Bool
    private var listed: Set<String> = []
    private var templates: Set<String> = []
    private var ports: Set<String> = []
    private var composites: Set<String> = []
    private var parents: Set<String> = []
    private var untouched: Set<String> = []
    /// Bridges that no port connects to anything.
    private(set) var isolated: [String] = []
    private let keepsAddresses: Bool
    private let byName: [String: [IfupdownFile.Stanza]]
    /// Interfaces and families with a stanza that asks for an address.
    private let dynamic: Set<String>
    private var staticIPv4: Set<String> = []

    /// - Parameter keepsAddresses: nothing counts as static, as it stays.
    init(_ files: IfupdownFiles, keepsAddresses: Bool = false) {
        self.keepsAddresses = keepsAddresses
        stanzas = files.stanzas
        byName = Dictionary(grouping: stanzas) { $0.name }
        dynamic = Set(stanzas.filter { $0.method == "dhcp" || $0.method == "auto" }.map(Self.key))
        lists = files.files.flatMap(\.file.lists)
        hasMappings = files.files.contains { !$0.file.mappings.isEmpty }
        for word in lists.flatMap(\.arguments) { listed.insert(String(word.split(separator: "=").last ?? "")) }
        templates = Set(stanzas.compactMap(\.inherits)).subtracting(listed)
        for stanza in stanzas { sort(stanza) }
        let bridges = byName.filter { _, stanzas in
            let all = stanzas.flatMap { $0.values("bridge-ports") }.flatMap(\.words)
            return stanzas.contains { !$0.values("bridge-ports").isEmpty } && all.allSatisfy { $0 == "none" }
        }
        isolated =
            keepsAddresses
            ? []
            : bridges.keys.filter { name in byName[name, default: []].contains { $0.method == "static" } }
                .sorted()
        untouched.formUnion(bridges.keys)
        staticIPv4 = Set(stanzas.filter { isStatic($0) && !$0.isIPv6 }.map(\.name))
    }

    private static func key(_ stanza: IfupdownFile.Stanza) -> String { "\(stanza.name) \(stanza.isIPv6)" }

    private mutating func sort(_ stanza: IfupdownFile.Stanza) {
        let name = stanza.name
        let members = stanza.values("bond-slaves", "slaves", "bridge-ports").flatMap(\.words)
        let keywords = stanza.options.map { IfupdownFile.Stanza.normal($0.keyword) }
        if !stanza.values("bond-master").isEmpty { ports.insert(name) }
        for (index, member) in members.enumerated() where !["none", "all", "regex", "noregex"].contains(member) {
            // bridge_ports regex eth.* noregex eth1
            if index > 0, ["regex", "noregex"].contains(members[index - 1]) { continue }
            ports.insert(member)
        }
        for option in stanza.options {
            // Before the add-ons had options: `up ifenslave bond0 eth0 eth1`, `pre-up brctl addif br0 eth0`.
            let words = option.words
            if let at = words.firstIndex(where: { $0.hasSuffix("ifenslave") || $0 == "addif" }) {
                ports.formUnion(
                    words.dropFirst(at + 1).filter { !$0.hasPrefix("-") }.dropFirst().filter(InterfaceName.isValid))
            }
        }
        if keywords.contains(where: {
            $0 == "slaves" || $0 == "bond-slaves" || $0 == "bond-mode" || ($0.hasPrefix("bridge-") && $0 != "bridge-hw")
        }) {
            composites.insert(name)
        }
        if let parent = stanza.values("vlan-raw-device").last?.words.first {
            composites.insert(name)
            parents.insert(parent)
        } else if let dot = name.lastIndex(of: "."), !name.contains(":") {
            composites.insert(name)
            parents.insert(String(name[..<dot]))
        }
        let isWireless = keywords.contains { $0.hasPrefix("wpa-") || $0.hasPrefix("wireless-") }
        let isMade = stanza.options.contains { option in
            let words = option.words
            return words.contains("tuntap") || words.contains("tunctl")
                || (words.contains("link") && words.contains("add")
                    && words.contains { ["dummy", "veth", "tun", "tap"].contains($0) })
        }
        if isWireless || isMade || InterfaceName.isWireless(name) || InterfaceName.isVirtual(name)
            || ["loopback", "tunnel", "v4tunnel", "6to4", "ppp", "wvdial"].contains(stanza.method)
        {
            untouched.insert(name)
        }
    }

    func isUntouched(_ name: String) -> Bool {
        untouched.contains(name) || untouched.contains(String(name.prefix { $0 != ":" }))
    }

    func isStatic(_ stanza: IfupdownFile.Stanza) -> Bool {
        guard !keepsAddresses, !isUntouched(stanza.name) else { return false }
        if stanza.family.isEmpty { return !stanza.addresses.isEmpty }
        return stanza.method == "static" && (stanza.family == "inet" || stanza.family == "inet6")
    }

    func hasStaticIPv4(_ name: String) -> Bool { staticIPv4.contains(name) }

    /// Whether the guest brings it up by itself, at boot or when it finds it.
    func isBroughtUp(_ name: String) -> Bool { listed.contains(name) || listed.contains { $0.hasPrefix("/") } }

    /// - Parameter served: interfaces and families that have a stanza already which becomes DHCP.
    func fate(of stanza: IfupdownFile.Stanza, served: inout Set<String>) -> StaticNetwork.Fate {
        if ports.contains(stanza.name) { return .port }
        if stanza.name.contains(":") { return .gone }
        let key = Self.key(stanza)
        return !dynamic.contains(key) && served.insert(key).inserted ? .dhcp : .gone
    }

    /// For the neutral model.
    func role(of name: String) -> NetworkInterface.Role {
        if isUntouched(name), !composites.contains(name) { return .other }
        let keys = Set((byName[name] ?? []).flatMap(\.options).map { IfupdownFile.Stanza.normal($0.keyword) })
        if keys.contains(where: { $0.hasPrefix("bridge-") && $0 != "bridge-hw" }) { return .bridge }
        if keys.contains("bond-mode") || keys.contains("bond-slaves") || keys.contains("slaves") { return .bond }
        if keys.contains("vlan-raw-device") { return .vlan }
        if let dot = name.lastIndex(of: "."), Int(name[name.index(after: dot)...]) != nil { return .vlan }
        return composites.contains(name) ? .other : .card
    }

    /// Tells what the network cards are called.
    func cards(_ cards: inout NetworkCards, _ draft: inout Draft) {
        var logical: Set<String> = []
        for word in lists.flatMap(\.arguments) {
            let sides = word.split(separator: "=", maxSplits: 1).map(String.init)
            if sides.count == 2 { logical.insert(sides[1]) }
            guard let slash = sides.first?.firstIndex(of: "/"), let side = sides.first else { continue }
            if side[..<slash] == "mac" {
                draft.warn(
                    "'\(word)' selects an interface by its MAC address; it stays as it is, "
                        + "and the interface may not come up where the address is another")
            } else if slash == side.startIndex {
                cards.use(String(side.dropFirst().prefix { $0 != "/" }))
            }
        }
        let named = stanzas.map(\.name).filter { !logical.contains($0) && (!hasMappings || listed.contains($0)) }
        let plain = hasMappings ? listed.sorted().filter { !logical.contains($0) } : []
        for name in named + plain + ports.sorted() + parents.sorted() {
            guard !templates.contains(name), !composites.contains(name), !isUntouched(name), !name.contains("/"),
                !InterfaceName.isWireless(name), !InterfaceName.isVirtual(name), !InterfaceName.isComposite(name)
            else { continue }
            cards.use(name)
        }
    }
}
