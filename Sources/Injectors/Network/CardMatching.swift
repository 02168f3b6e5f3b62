import Guest

/// Finds the interfaces that the user gave new cards to, in what the guest's configuration and its leases say.
struct CardMatching {
    /// The new MAC addresses by the interface's name.
    private(set) var byName: [String: String] = [:]
    /// The same for profiles that name no interface and can't be given one.
    private(set) var byFile: [GuestPath: String] = [:]
    /// Why a match can't be made, with the way out.
    private(set) var problems: [(message: String, hint: String)] = []

    private let model: [NetworkInterface]
    private let bound: [String: String]
    /// MAC addresses of an earlier run, by name.
    private let laid: [String: String]

    private enum Target: Hashable {
        case name(String)
        case file(GuestPath)
    }

    private struct Problem: Error {
        var message: String
    }

    /// - Parameter bound: names by MAC address, as udev rules and .link files gave them.
    init(
        _ matches: [CardMatch], model: [NetworkInterface], bound: [String: String], _ files: any GuestFiles
    ) throws {
        self.model = model
        self.bound = bound
        laid = matches.isEmpty ? [:] : try CardNaming.fixedNames(files)
        var macs: [Target: String] = [:]
        var taken: [String: Target] = [:]
        for match in matches {
            do throws(Problem) {
                let target = try target(of: match, files)
                if case .name(let name) = target, !InterfaceName.isValid(name) {
                    throw Problem(message: "'\(name)' is no name for a card, which --mac gives the card \(match.mac)")
                }
                if let other = macs[target], other != match.mac {
                    throw Problem(message: "'\(match.target)' is given two cards, \(other) and \(match.mac)")
                }
                if let other = taken[match.mac], other != target {
                    throw Problem(
                        message: "the card \(match.mac) is given to \(describe(other)) and to \(describe(target))")
                }
                macs[target] = match.mac
                taken[match.mac] = target
            } catch {
                problems.append((error.message, "there are: \(available)"))
            }
        }
        for (target, mac) in macs {
            switch target {
            case .name(let name): byName[name] = mac
            case .file(let path): byFile[path] = mac
            }
        }
    }

    private func describe(_ target: Target) -> String {
        switch target {
        case .name(let name): name
        case .file(let path): "'\(path)'"
        }
    }

    /// What could be given a card, for a hint.
    private var available: String {
        let all = model.filter { $0.role != .other }.prefix(12).map { interface in
            let name = interface.name.isEmpty ? interface.profile ?? "" : interface.name
            return interface.addresses.isEmpty ? name : "\(name) (\(interface.addresses.joined(separator: ", ")))"
        }
        var names: [String] = []
        for name in all where !names.contains(name) { names.append(name) }
        return names.isEmpty ? "no configured interfaces" : names.joined(separator: ", ")
    }

    private func target(of match: CardMatch, _ files: any GuestFiles) throws(Problem) -> Target {
        guard let address = IPAddress(match.target) else { return try named(match) }
        let having = model.filter { $0.addresses.contains { IPAddress($0) == address } }
        if !having.isEmpty {
            var targets: [Target] = []
            for interface in having {
                let target = try card(of: interface, match)
                if !targets.contains(target) { targets.append(target) }
            }
            // Of several that have the address, the one that was told by this very card.
            let own = having.filter { $0.mac == match.mac }
            if targets.count > 1, own.count == 1 { return try card(of: own[0], match) }
            guard targets.count == 1 else {
                throw Problem(
                    message:
                        "\(match.target) is an address of \(targets.map(describe).sorted().joined(separator: ", "));"
                        + " --mac can't tell which gets the card \(match.mac)")
            }
            return targets[0]
        }
        if let name = ((try? Leases(files).interface(with: address)) ?? nil), InterfaceName.isValid(name) {
            return .name(name)
        }
        // An earlier run has turned the address into DHCP, and laid this.
        if let name = laid.first(where: { $0.value == match.mac })?.key { return .name(name) }
        throw Problem(message: "no interface has the address \(match.target), which --mac gives the card \(match.mac)")
    }

    private func named(_ match: CardMatch) throws(Problem) -> Target {
        if let interface = model.first(where: { $0.name == match.target }) { return try card(of: interface, match) }
        if let interface = model.first(where: { $0.profile == match.target }) { return try card(of: interface, match) }
        let others = Set(model.flatMap { $0.ports + [$0.parent].compactMap { $0 } })
        if others.contains(match.target) || bound.values.contains(match.target) || laid[match.target] != nil,
            InterfaceName.isValid(match.target)
        {
            return .name(match.target)
        }
        throw Problem(message: "no interface is called '\(match.target)', which --mac gives the card \(match.mac)")
    }

    /// The card below an interface: a bridge's port, what a VLAN is on; the interface itself for most.
    private func card(of interface: NetworkInterface, _ match: CardMatch) throws(Problem) -> Target {
        var current = interface
        // Deeper than any stack of VLAN, bridge and bond.
        for _ in 0..<8 {
            if current.role == .card { return target(current, match) }
            let below = current.role == .vlan ? [current.parent].compactMap { $0 } : cards(among: current.ports)
            guard below.count == 1 else {
                let what = "\(interface.name) (\(interface.role.rawValue))"
                guard !below.isEmpty else { throw Problem(message: "\(what) isn't on any card of the machine") }
                throw Problem(
                    message: "\(what) is on \(below.joined(separator: ", ")): --mac has to name one of these")
            }
            guard let next = model.first(where: { $0.name == below[0] }) else {
                return .name(below[0])
            }
            current = next
        }
        throw Problem(message: "\(interface.name) isn't on any card of the machine")
    }

    private func cards(among ports: [String]) -> [String] {
        ports.filter { port in
            !InterfaceName.isVirtual(port) && model.first { $0.name == port }.map { $0.role != .other } != false
        }
    }

    private func target(_ interface: NetworkInterface, _ match: CardMatch) -> Target {
        if !interface.name.isEmpty { return .name(interface.name) }
        let cards = model.filter { $0.role == .card && !$0.name.isEmpty }
        // What tells a profile without an interface: its own MAC address, the card that had the given one, the only
        // card there is.
        for mac in [interface.mac, match.mac].compactMap({ $0 }) {
            if let name = bound[mac] ?? cards.first(where: { $0.mac == mac })?.name { return .name(name) }
        }
        let isLabel = ["netplan", "cloud-init"].contains(interface.format)
        if isLabel, let label = interface.profile, InterfaceName.isValid(label) { return .name(label) }
        let names = Set(cards.map(\.name))
        if interface.mac == nil, names.count == 1, let only = names.first { return .name(only) }
        return interface.files.first.map { .file($0) } ?? .name(interface.profile ?? "")
    }
}
