import Guest

/// wicked's own XML, for those who don't use ifcfg files: /etc/wicked/ifconfig.
struct Wicked: NetworkFormat {
    let name = "wicked"

    private static let folder: GuestPath = "/etc/wicked/ifconfig"
    /// More than any machine has.
    private static let limit = 4096

    func isConfigured(_ files: any GuestFiles) throws -> Bool { try !read(files).isEmpty }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(["/usr/sbin/wicked", "/usr/sbin/wickedd"])
    }

    private struct Document {
        var path: GuestPath
        var text: String
        var elements: XMLElements

        /// The indices of the interfaces, each with what is inside.
        var interfaces: [(index: Int, inside: [XMLElements.Element])] {
            let all = elements.all
            let starts = all.indices.filter { all[$0].name == "interface" && all[$0].range.count > 11 }.prefix(
                Wicked.limit)
            return starts.map { start in
                let end = all[start].range.upperBound
                return (start, Array(all[(start + 1)...].prefix { $0.range.lowerBound < end }))
            }
        }
    }

    private static func documents(_ files: any GuestFiles) throws -> [Document] {
        try files.files(in: folder, suffix: ".xml").compactMap { path in
            try files.configuration(path, limit: 1 << 18).map {
                Document(path: path, text: $0, elements: XMLElements($0))
            }
        }
    }

    private static func first(_ name: String, _ inside: [XMLElements.Element]) -> String? {
        inside.first { $0.name == name }.map(\.text)
    }

    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        try Self.documents(files).flatMap { document in
            document.interfaces.compactMap { index, inside -> NetworkInterface? in
                guard let name = Self.first("name", inside), name != "lo" else { return nil }
                var interface = NetworkInterface(
                    name: name, role: Self.role(name, inside), format: self.name, files: [document.path])
                func has(_ element: String) -> Bool { inside.contains { $0.name == element } }
                interface.ipv4 = has("ipv4:dhcp") ? .dhcp : has("ipv4:static") ? .static : .none
                interface.ipv6 = has("ipv6:static") ? .static : has("ipv6:dhcp") ? .dhcp : .none
                interface.addresses = inside.filter { $0.name == "local" }.map(\.text)
                interface.gateways = inside.filter { $0.name == "gateway" }.map(\.text)
                interface.mtu = Self.first("mtu", inside).flatMap { Int($0) }
                interface.bondMode = Self.first("mode", inside)
                let members = inside.filter { $0.name == "device" && ["slave", "port"].contains($0.container) }
                interface.ports = members.map(\.text)
                let isVLAN = interface.role == .vlan
                interface.parent = isVLAN ? inside.first { $0.name == "device" && $0.container == "vlan" }?.text : nil
                interface.vlan = isVLAN ? Self.first("tag", inside).flatMap { Int($0) } : nil
                return interface
            }
        }
    }

    private static func role(_ name: String, _ inside: [XMLElements.Element]) -> NetworkInterface.Role {
        let names = Set(inside.map(\.name))
        if names.contains("bond") { return .bond }
        if names.contains("bridge") { return .bridge }
        if names.contains("vlan") { return .vlan }
        if names.contains("team") { return .team }
        return InterfaceName.isVirtual(name) || InterfaceName.isWireless(name) ? .other : .card
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let model = try read(draft)
        let ports = Set(model.flatMap(\.ports))
        let made = Set(model.filter { $0.role != .card }.map(\.name))
        for interface in model {
            for name in [interface.name] + interface.ports + [interface.parent].compactMap({ $0 })
            where !made.contains(name) {
                cards.use(name)
            }
        }
        guard cards.addresses == .dhcp else { return }
        for document in try Self.documents(draft) {
            var edits: [(range: Range<Int>, text: String)] = []
            for (_, inside) in document.interfaces {
                guard let name = Self.first("name", inside),
                    let interface = model.first(where: { $0.name == name && $0.files == [document.path] }),
                    interface.role != .other, interface.ipv4 == .static || interface.ipv6 == .static
                else { continue }
                if interface.role == .bridge, interface.ports.isEmpty {
                    StaticNetwork.noteIsolated(name, &draft)
                    continue
                }
                let isPort = ports.contains(name)
                for family in ["ipv4", "ipv6"] {
                    let fixed = inside.filter { $0.name == "\(family):static" }
                    let asks = inside.contains { $0.name == "\(family):dhcp" }
                    let new = isPort || asks ? "" : "<\(family):dhcp><enabled>true</enabled></\(family):dhcp>"
                    for (number, element) in fixed.enumerated() {
                        edits.append((element.range, number == 0 ? new : ""))
                    }
                }
                if !isPort { cards.converted.append(name) }
                StaticNetwork(addresses: interface.addresses, gateways: interface.gateways).record(
                    of: name, in: document.path, fate: isPort ? .port : .dhcp, to: &draft)
            }
            guard !edits.isEmpty else { continue }
            var bytes = Array(document.text.utf8)
            for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
                bytes.replaceSubrange(edit.range, with: Array(edit.text.utf8))
            }
            try draft.write(document.path, text: String(decoding: bytes, as: UTF8.self))
        }
    }
}
