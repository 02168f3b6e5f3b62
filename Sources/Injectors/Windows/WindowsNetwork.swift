public import Guest

/// Frees a Windows guest from the addresses of its old network cards. The new machine's are other devices to Windows, and ask
/// a DHCP server by themselves; the old ones would stay behind with their addresses, and warn whoever wants to use those.
///
/// With static addresses kept, they are given to the new cards when the guest starts.
public struct WindowsNetwork: Injector {
    public let name = "dhcp-network"
    private let addresses: DHCPNetwork.Addresses
    private let matches: [CardMatch]

    public init(_ addresses: DHCPNetwork.Addresses = .dhcp, matches: [CardMatch] = []) {
        self.addresses = addresses
        self.matches = matches
    }

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil }

    /// The adapters of the control set that starts first, as inspection shows them: those of hardware, and what has an
    /// address given by hand.
    public static func interfaces(
        _ windows: WindowsInstallation, _ registry: any GuestRegistry
    ) throws -> [NetworkInterface] {
        guard let set = windows.inControlSets("").first else { return [] }
        return try WindowsAdapters(in: set, registry).adapters
            .filter { $0.isStatic || ($0.isHardware && !$0.component.isEmpty) }.map(\.interface)
    }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows else { return }
        for (index, set) in windows.inControlSets("").enumerated() {
            let found = try WindowsAdapters(in: set, draft)
            let statics = found.adapters.filter { $0.isStatic && $0.isHardware }
            let routes = try routes(of: statics, found, draft)
            if index == 0 {
                noteSoftware(found.adapters.filter { $0.isStatic && !$0.isHardware }, &draft)
                if addresses == .keep { try keep(statics, routes, windows, &draft) }
                if addresses == .dhcp, !statics.isEmpty, windows.version.productType == .domainController {
                    draft.warn(
                        "the guest is a domain controller, whose address others know; it asks a DHCP server now",
                        hint: "have that server give it the same address, or use --network keep")
                }
            }
            for adapter in statics {
                var network = adapter.network
                network.routes = routes[adapter.id]?.map(\.description) ?? []
                if index == 0 {
                    network.record(
                        of: adapter.name, in: windows.system.file, fate: addresses == .dhcp ? .dhcp : .unbound,
                        to: &draft)
                }
                try clear(adapter, found, &draft)
            }
            for route in routes.values.joined() { try draft.removeValue(route.name, of: found.persistentRoutes) }
            try clearStore(statics, found, &draft)
        }
    }

    /// Teams, bridges and loopbacks are made by programs, which come along.
    private func noteSoftware(_ adapters: [WindowsAdapters.Adapter], _ draft: inout Draft) {
        for adapter in adapters {
            let given = adapter.network.addresses.joined(separator: ", ")
            let what = "\(adapter.name): keeps its static \(given), as it isn't a card of the old machine"
            switch adapter.interface.role {
            case .team, .bridge:
                draft.warn(
                    "\(what); the cards that it was made of are gone, and it has to be set up again",
                    hint: "make it anew on the converted guest, from the new cards")
            default: draft.note(what)
            }
        }
    }

    // MARK: Clearing

    private func clear(
        _ adapter: WindowsAdapters.Adapter, _ found: WindowsAdapters, _ draft: inout Draft
    ) throws {
        let key = found.interfaces.child(adapter.id)
        for name in ["IPAddress", "SubnetMask", "DefaultGateway", "DefaultGatewayMetric"] {
            try draft.removeValue(name, of: key)
        }
        try draft.set("EnableDHCP", .dword(1), of: key)
        for key in [key, found.interfaces6.child(adapter.id)] {
            if let servers = try draft.value("NameServer", of: key)?.text, !servers.isEmpty {
                try draft.set("NameServer", .string(""), of: key)
            }
        }
    }

    /// The store of the network stack has the same addresses and routes again, in the names of its values.
    private func clearStore(
        _ adapters: [WindowsAdapters.Adapter], _ found: WindowsAdapters, _ draft: inout Draft
    ) throws {
        guard !adapters.isEmpty else { return }
        let luids = Set(adapters.compactMap(\.luid))
        let addresses = Set(
            adapters.flatMap { $0.network.addresses + $0.network.gateways }.compactMap { IPAddress($0) })
        for store in found.stores {
            // Addresses begin with the adapter, 8 bytes, and the address; routes have the adapter and the gateway behind
            // each other, after where they lead to.
            for table in ["10", "16"] {
                let key = store.child(table)
                for value in try draft.values(of: key) ?? [] {
                    let name = value.name.lowercased()
                    let parts = stride(from: 0, to: name.utf8.count, by: 16).map { name.dropFirst($0).prefix(16) }
                    let ofAdapter = parts.contains { luids.contains(String($0)) }
                    let ofAddress = addresses.contains { address in
                        let digits = Hex.text(address.bytes)
                        return name.dropFirst(table == "10" ? 16 : 80).hasPrefix(digits)
                    }
                    if ofAdapter || ofAddress { try draft.removeValue(value.name, of: key) }
                }
            }
        }
    }

    // MARK: Routes

    /// A route that stays over restarts. Its value's name is "destination,mask,gateway,metric".
    struct Route: CustomStringConvertible {
        var name: String
        var destination: String
        var mask: String
        var gateway: String

        init?(_ name: String) {
            let parts = name.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
            guard parts.count >= 3, parts[0..<3].allSatisfy({ IPAddress($0) != nil }) else { return nil }
            self.name = name
            (destination, mask, gateway) = (parts[0], parts[1], parts[2])
        }

        var isDefault: Bool { destination == "0.0.0.0" && mask == "0.0.0.0" }

        var description: String { "\(Address.joined(destination, mask: mask)) via \(gateway)" }
    }

    /// The persistent routes whose gateways are in an adapter's networks, by the adapter's id.
    private func routes(
        of adapters: [WindowsAdapters.Adapter], _ found: WindowsAdapters, _ registry: any GuestRegistry
    ) throws -> [String: [Route]] {
        var routes: [String: [Route]] = [:]
        for route in try (registry.values(of: found.persistentRoutes) ?? []).compactMap({ Route($0.name) }) {
            guard let gateway = IPAddress(route.gateway),
                let adapter = adapters.first(where: { adapter in
                    adapter.network.gateways.contains { IPAddress($0) == gateway }
                        || adapter.network.addresses.contains { gateway.isInNetwork(of: $0) }
                })
            else { continue }
            routes[adapter.id, default: []].append(route)
        }
        return routes
    }

    // MARK: Keeping

    private static let script = "network.ps1"

    private func keep(
        _ found: [WindowsAdapters.Adapter], _ routes: [String: [Route]], _ windows: WindowsInstallation,
        _ draft: inout Draft
    ) throws {
        // What has an address and no device is a leftover of a card that went long ago.
        let adapters = found.filter { !$0.component.isEmpty }
        guard !adapters.isEmpty else {
            // An earlier plan took the addresses, and the guest hasn't been started since.
            let earlier = windows.root.appending("\(FirstBoot.folder)/\(Self.script)")
            if let script = try draft.read(earlier), try !draft.exists(earlier.parent.appending("firstboot.done")) {
                draft.atFirstBoot(Self.step(script))
            } else if let match = matches.first {
                draft.block(
                    "no interface has a static address, and --mac gives the card \(match.mac) to '\(match.target)'",
                    hint: "leave --mac out: Windows asks a DHCP server on every card")
            }
            return
        }
        var macs: [String: String] = [:]
        for match in matches {
            let wanted = adapters.first { adapter in
                adapter.name.lowercased() == match.target.lowercased()
                    || IPAddress(match.target).map { target in
                        adapter.network.addresses.contains { IPAddress($0) == target }
                    } ?? false
            }
            guard let wanted else {
                let there = adapters.map { "\($0.name) (\($0.network.addresses.joined(separator: ", ")))" }
                draft.block(
                    "no static interface is called '\(match.target)' or has that address, which --mac gives the card"
                        + " \(match.mac)", hint: "there are: \(there.joined(separator: ", "))")
                continue
            }
            macs[wanted.id] = match.mac
        }
        let unmatched = adapters.filter { macs[$0.id] == nil }
        if adapters.count > 1 {
            for adapter in unmatched {
                draft.warn(
                    "\(adapter.name): static \(adapter.network.addresses.joined(separator: ", ")) can't be kept, as"
                        + " nothing tells which of the new cards gets it; it becomes DHCP",
                    hint:
                        "name the card with --mac MAC=\(adapter.network.addresses.first?.prefix { $0 != "/" } ?? "ADDRESS")"
                )
            }
        }
        let kept = adapters.count > 1 ? adapters.filter { macs[$0.id] != nil } : adapters
        guard !kept.isEmpty else { return }
        for adapter in kept {
            if adapter.network.addresses.contains(where: { IPAddress($0)?.isIPv6 == true }) {
                draft.warn("\(adapter.name): routes of IPv6 that were set by hand can't be read; they are lost")
            }
            let card = macs[adapter.id].map { "the card \($0)" } ?? "the only card"
            draft.note(
                "\(adapter.name): static \(adapter.network.addresses.joined(separator: ", ")) is given to \(card) at the"
                    + " first start")
        }
        let script = NetworkScript(
            cards: kept.map { adapter in
                let own = routes[adapter.id] ?? []
                var network = adapter.network
                if network.gateways.isEmpty { network.gateways = own.filter(\.isDefault).map(\.gateway) }
                return NetworkScript.Card(
                    mac: macs[adapter.id], network: network, routes: own.filter { !$0.isDefault })
            })
        draft.atFirstBoot(Self.step(Array(script.text.utf8)))
    }

    private static func step(_ script: [UInt8]) -> FirstBootStep {
        FirstBootStep(
            "network", purpose: "gives its cards the static addresses",
            commands: [
                "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File \"%~dp0\(Self.script)\""
            ], files: [Self.script: script])
    }
}
