import Guest

/// SUSE's routes(5): /etc/sysconfig/network/routes for all interfaces, ifroute-eth0 for one.
struct SUSERoutes {
    struct Route {
        var file: GuestPath
        var text: String
        /// "default", or a network.
        var destination: String
        var gateway: String
        /// nil: by the gateway's network.
        var interface: String?

        var isDefault: Bool { ["default", "0.0.0.0/0", "::/0"].contains(destination) }

        /// Whether it goes through an interface with these addresses.
        func belongs(to name: String, _ addresses: [String]) -> Bool {
            if let interface { return interface == name }
            guard let gateway = IPAddress(gateway) else { return false }
            return addresses.contains { gateway.isInNetwork(of: $0) }
        }
    }

    private static let global = SUSEIfcfg.folder.appending("routes")

    private(set) var all: [Route] = []

    init(_ files: any GuestFiles) throws {
        var paths = [(path: Self.global, interface: String?.none)]
        for (path, name) in try IfcfgFiles.files(in: SUSEIfcfg.folder, prefix: "ifroute-", files) {
            paths.append((path, name))
        }
        for (path, interface) in paths {
            guard let text = try files.configuration(path) else { continue }
            all += TextLines(text).lines.compactMap { Self.route($0 ?? "", path, interface) }
        }
    }

    /// `DESTINATION GATEWAY NETMASK INTERFACE [TYPE] [OPTIONS]`, "-" for what isn't said.
    private static func route(_ line: String, _ file: GuestPath, _ interface: String?) -> Route? {
        let words = line.words
        guard let destination = words.first, !destination.hasPrefix("#"), words.count > 1 else { return nil }
        let named = words.count > 3 && words[3] != "-" ? words[3] : nil
        return Route(
            file: file, text: words.joined(separator: " "), destination: destination, gateway: words[1],
            interface: named ?? interface)
    }

    /// Takes away the routes of interfaces that became DHCP.
    /// - Parameter all: no static interface is left, so every route through a gateway goes.
    func release(of released: [(name: String, addresses: [String])], all isAll: Bool, _ draft: inout Draft) throws {
        for file in Set(all.map(\.file)).sorted() {
            guard let text = try draft.text(file) else { continue }
            var lines = TextLines(text)
            var old = StaticNetwork()
            for index in lines.lines.indices {
                let name = file == Self.global ? nil : String(file.name.dropFirst("ifroute-".count))
                guard let route = Self.route(lines.lines[index] ?? "", file, name) else { continue }
                let isOurs = released.contains { route.belongs(to: $0.name, $0.addresses) }
                guard isOurs || (isAll && route.interface == nil && route.gateway != "-") else { continue }
                if route.isDefault { old.gateways.append(route.gateway) } else { old.routes.append(route.text) }
                lines.lines[index] = nil
            }
            guard !old.isEmpty else { continue }
            if lines.lines.allSatisfy({ ($0 ?? "").trimmed.isEmpty }) {
                try draft.remove(file)
            } else {
                try draft.write(file, text: lines.text)
            }
            let ways = old.gateways.isEmpty ? "routes" : "the default gateway \(old.gateways.joined(separator: ", "))"
            draft.note("'\(file)': \(ways) of the old network went; recorded in the report")
            draft.record(
                "static-network", of: "all interfaces", in: file,
                ["gateway": old.gateways, "route": old.routes].filter { !$0.value.isEmpty })
        }
    }
}
