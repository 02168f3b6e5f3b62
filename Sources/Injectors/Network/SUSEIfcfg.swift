import Guest

/// /etc/sysconfig/network of SLES and openSUSE, read by wicked, and by ifup before SLES 12.
struct SUSEIfcfg: NetworkFormat {
    let name = "suse-ifcfg"

    static let folder: GuestPath = "/etc/sysconfig/network"

    func isConfigured(_ files: any GuestFiles) throws -> Bool { try !Self.profiles(files).isEmpty }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        let service: GuestPath = "/etc/systemd/system/network.service"
        if case .symlink(let target) = try files.entry(at: files.resolve(service, last: .keep))?.kind,
            target.hasSuffix("NetworkManager.service")
        {
            return false
        }
        return try files.existsAny(["/usr/sbin/wicked", "/sbin/ifup", "/usr/sbin/ifup", "/usr/sbin/wickedd"])
    }

    static func profiles(_ files: any GuestFiles) throws -> [SUSEProfile] {
        try IfcfgFiles.files(in: folder, prefix: "ifcfg-", files).compactMap { path, name in
            guard name != "lo", let text = try files.configuration(path, limit: 1 << 16) else { return nil }
            let profile = SUSEProfile(path: path, name: name, file: ShellVariables(text))
            return profile.file.keys.isEmpty ? nil : profile
        }
    }

    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let profiles = try Self.profiles(files)
        let routes = try SUSERoutes(files)
        let servers = try SUSENameServers(files)
        var controllers: [String: String] = [:]
        for profile in profiles {
            for port in profile.ports where controllers[port] == nil { controllers[port] = profile.name }
        }
        return profiles.map { profile in
            var interface = NetworkInterface(
                name: profile.name, role: profile.role, format: name, files: [profile.path])
            let fixed = profile.method == "none" ? [] : profile.addresses
            let has4 = fixed.contains { !Address.isIPv6($0) }
            let has6 = fixed.contains(where: Address.isIPv6)
            let asks4 = ["dhcp", "dhcp4", "dhcp+autoip"].contains(profile.method)
            interface.ipv4 = asks4 ? .dhcp : has4 ? .static : .none
            interface.ipv6 = ["dhcp", "dhcp6"].contains(profile.method) ? .dhcp : has6 ? .static : .none
            interface.addresses = fixed
            interface.mtu = profile.file["MTU"].flatMap { Int($0) }
            interface.bondMode = IfcfgFiles.options(profile.file["BONDING_MODULE_OPTS"])["mode"]
            interface.ports = profile.ports
            interface.controller = controllers[profile.name]
            interface.parent = profile.parent
            interface.vlan = profile.vlan
            if let gateway = profile.file["GATEWAY"] { interface.gateways.append(gateway) }
            for route in routes.all where route.belongs(to: profile.name, fixed) {
                if route.isDefault {
                    interface.gateways.append(route.gateway)
                } else {
                    interface.routes.append(route.text)
                }
                if !interface.files.contains(route.file) { interface.files.append(route.file) }
            }
            if !fixed.isEmpty {
                interface.nameServers = servers.servers
                interface.searchDomains = servers.search
            }
            return interface
        }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let profiles = try Self.profiles(draft)
        let ports = Set(profiles.flatMap(\.ports))
        let made = Set(profiles.filter { $0.role != .card }.map(\.name))
        var released: [(name: String, addresses: [String])] = []
        for var profile in profiles where profile.role != .other {
            var old = StaticNetwork()
            use(profile, made, &old, &draft, &cards)
            if let own = profile.file["LLADDR"], Address.mac(own) != nil {
                old.macs.append(own)
                profile.file.remove { $0 == "LLADDR" }
            }
            var fate = StaticNetwork.Fate.unbound
            if cards.addresses == .dhcp, profile.hasAddresses {
                if ports.contains(profile.name) {
                    fate = .port
                } else if profile.role == .bridge, profile.ports.isEmpty {
                    StaticNetwork.noteIsolated(profile.name, &draft)
                } else {
                    fate = .dhcp
                }
            }
            if fate != .unbound {
                old.addresses = profile.addresses
                old.gateways = [profile.file["GATEWAY"]].compactMap { $0 }
                old.mtu = [profile.file["MTU"]].compactMap { $0 }
                released.append((profile.name, profile.addresses))
                // "dhcp" is IPv4, and IPv6 as router advertisements tell.
                let isIPv6 = profile.addresses.allSatisfy(Address.isIPv6)
                if !profile.hasDHCP {
                    profile.file.set("BOOTPROTO", fate == .port ? "none" : isIPv6 ? "dhcp6" : "dhcp")
                }
                profile.file.remove(where: SUSEProfile.isStatic)
                watchLinks(&profile, &draft)
            }
            if fate == .dhcp { cards.converted.append(profile.name) }
            if try draft.text(profile.path) != profile.file.rendered {
                try draft.write(profile.path, text: profile.file.rendered)
            }
            old.record(of: profile.name, in: profile.path, fate: fate, to: &draft)
        }
        guard !released.isEmpty else { return }
        let stays = try Self.profiles(draft).contains { $0.role != .other && $0.hasAddresses }
        try SUSERoutes(draft).release(of: released, all: !stays, &draft)
        if !stays { try SUSENameServers.release(&draft) }
    }

    /// Tells what cards the profile is about.
    private func use(
        _ profile: SUSEProfile, _ made: Set<String>, _ old: inout StaticNetwork, _ draft: inout Draft,
        _ cards: inout NetworkCards
    ) {
        let used = (profile.role == .card ? [profile.name] : []) + profile.ports + [profile.parent].compactMap { $0 }
        for name in used where !made.contains(name) {
            // SLES 10 named files by what tells the card: ifcfg-eth-id-00:11:22:33:44:55, ifcfg-bus-pci-0000:02:00.0
            guard !name.contains("-id-"), !name.contains("-bus-"), !name.hasPrefix("bus-") else {
                draft.warn(
                    "'\(profile.path)' tells its card by '\(name)'; it stays as it is, "
                        + "and the card gets no settings where the new one isn't told so",
                    hint: "name the file by the interface, as in ifcfg-eth0, before the conversion")
                continue
            }
            if !InterfaceName.isVirtual(name), !InterfaceName.isWireless(name) { cards.use(name) }
        }
    }

    /// A bond that asks hosts of the old network whether its ports work finds none there.
    private func watchLinks(_ profile: inout SUSEProfile, _ draft: inout Draft) {
        guard let options = profile.file["BONDING_MODULE_OPTS"],
            let rest = IfcfgFiles.withoutARPMonitoring(options)
        else { return }
        profile.file.set("BONDING_MODULE_OPTS", rest)
        draft.record("bond-options", of: profile.name, in: profile.path, ["was": [options]])
        draft.note("\(profile.name): watches its ports' links from now on, not hosts of the old network")
    }
}
