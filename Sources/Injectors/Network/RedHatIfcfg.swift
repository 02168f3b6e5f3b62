import Guest

/// /etc/sysconfig/network-scripts of the RHEL family, read by initscripts and by NetworkManager's ifcfg-rh plug-in.
///
/// /etc/sysconfig/networking holds older copies that nothing reads.
struct RedHatIfcfg: NetworkFormat {
    let name = "ifcfg"

    static let folder: GuestPath = "/etc/sysconfig/network-scripts"
    static let global: GuestPath = "/etc/sysconfig/network"

    func isConfigured(_ files: any GuestFiles) throws -> Bool { try !Self.profiles(files).isEmpty }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        if try files.existsAny([
            "/etc/sysconfig/network-scripts/ifup-eth", "/etc/sysconfig/network-scripts/network-functions",
            "/usr/libexec/nm-ifup", "/usr/sbin/ifup", "/sbin/ifup",
        ]) {
            return true
        }
        let patterns: [GuestPath] = [
            "/usr/lib64/NetworkManager/libnm-settings-plugin-ifcfg-rh.so",
            "/usr/lib64/NetworkManager/*/libnm-settings-plugin-ifcfg-rh.so",
            "/usr/lib/NetworkManager/libnm-settings-plugin-ifcfg-rh.so",
        ]
        if try patterns.contains(where: { try !files.glob($0).isEmpty }) { return true }
        // Where the plug-ins weren't looked at, NetworkManager itself has to do: versions before 1.36 read the files.
        return try !files.isDirectory("/usr/lib64/NetworkManager") && NetworkManager().isInstalled(files)
    }

    static func profiles(_ files: any GuestFiles) throws -> [RedHatProfile] {
        try IfcfgFiles.files(in: folder, prefix: "ifcfg-", files).compactMap { path, suffix in
            guard suffix != "lo", let text = try files.configuration(path, limit: 1 << 16) else { return nil }
            let profile = RedHatProfile(path: path, suffix: suffix, file: ShellVariables(text))
            return profile.name == "lo" || profile.file.keys.isEmpty ? nil : profile
        }
    }

    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let profiles = try Self.profiles(files)
        var result: [NetworkInterface] = []
        var places: [String: Int] = [:]
        for profile in profiles.filter({ !$0.isAlias }) + profiles.filter(\.isAlias) {
            if let of = profile.aliasOf, let place = places[of] {
                result[place].addresses += profile.addresses
                result[place].files.append(profile.path)
                continue
            }
            var interface = NetworkInterface(
                name: profile.name ?? "", role: profile.role, format: name, files: [profile.path])
            let title = profile.file["NAME"] ?? profile.suffix
            if title != interface.name { interface.profile = title }
            let file = profile.file
            interface.ipv4 = profile.hasDHCP ? .dhcp : profile.addresses4.isEmpty ? .none : .static
            let takesRA = file.isOn("IPV6_AUTOCONF") || (file.isOn("IPV6INIT") && !file.isOff("IPV6_AUTOCONF"))
            interface.ipv6 =
                !profile.addresses6.isEmpty ? .static : file.isOn("DHCPV6C") ? .dhcp : takesRA ? .slaac : .none
            interface.addresses = profile.addresses
            interface.gateways = profile.gateways
            interface.nameServers = profile.nameServers
            interface.searchDomains = profile.searchDomains
            interface.mtu = file["MTU"].flatMap { Int($0) }
            interface.mac = file["HWADDR"].flatMap(Address.mac)
            interface.bondMode = IfcfgFiles.options(file["BONDING_OPTS"])["mode"]
            interface.controller = profile.controller
            interface.parent = profile.parent
            interface.vlan = profile.vlan
            for path in RedHatRoutes.files(of: profile) {
                guard let text = try files.configuration(path) else { continue }
                interface.routes += RedHatRoutes.lines(text)
                interface.files.append(path)
            }
            if !interface.name.isEmpty { places[interface.name] = result.count }
            result.append(interface)
        }
        let names = Dictionary(
            profiles.compactMap { profile in profile.file["UUID"].flatMap { id in profile.name.map { (id, $0) } } }
        ) { first, _ in first }
        for index in result.indices {
            guard let controller = result[index].controller else { continue }
            let key = names[controller] ?? controller
            if let place = places[key] {
                result[index].controller = key
                result[place].ports.append(result[index].name)
            }
        }
        return result
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let profiles = try Self.profiles(draft)
        let controllers = Set(profiles.compactMap(\.controller))
        let names = RedHatNames(profiles)
        let asked = Set(profiles.filter { $0.hasDHCP }.compactMap(\.name))
        var served: Set<String> = []
        for var profile in profiles where !profile.isForeign {
            var old = StaticNetwork()
            let interface = names.unbind(&profile, &old, &draft, &cards)
            if let parent = profile.parent, !names.isMade(parent) { cards.use(parent) }

            let isStatic = cards.addresses == .dhcp && (!profile.addresses.isEmpty || !profile.gateways.isEmpty)
            var fate = StaticNetwork.Fate.unbound
            if isStatic {
                let references = [profile.name, profile.file["NAME"], profile.file["UUID"]].compactMap { $0 }
                if profile.controller != nil {
                    fate = .port
                } else if profile.isAlias {
                    fate = .gone
                } else if profile.role == .bridge, !references.contains(where: controllers.contains) {
                    StaticNetwork.noteIsolated(interface, &draft)
                } else {
                    fate = .dhcp
                }
                // A second profile of one interface would ask a second time.
                if fate == .dhcp, let name = profile.name, !profile.hasDHCP,
                    asked.contains(name) || !served.insert(name).inserted
                {
                    draft.note("\(interface): '\(profile.path)' is a second profile of it; both ask for an address")
                }
            }
            if fate != .unbound { try release(&profile, interface, fate, &old, &draft) }
            if fate == .dhcp { cards.converted.append(interface) }
            if fate != .gone, try draft.text(profile.path) != profile.file.rendered {
                try draft.write(profile.path, text: profile.file.rendered)
            }
            old.record(of: interface, in: profile.path, fate: fate, to: &draft)
        }
        if !cards.converted.isEmpty { try RedHatRoutes.releaseDefaults(profiles, &draft) }
    }

    /// Takes the static set-up out of a profile.
    private func release(
        _ profile: inout RedHatProfile, _ interface: String, _ fate: StaticNetwork.Fate, _ old: inout StaticNetwork,
        _ draft: inout Draft
    ) throws {
        old.addresses = profile.addresses
        old.gateways = profile.gateways
        old.nameServers = profile.nameServers
        old.searchDomains = profile.searchDomains
        old.mtu = [profile.file["MTU"]].compactMap { $0 }
        try RedHatRoutes.release(profile, &old, &draft)
        if fate == .gone { return try draft.remove(profile.path) }

        let hadIPv4 = !profile.addresses4.isEmpty || profile.file["GATEWAY"] != nil
        let hadIPv6 = !profile.addresses6.isEmpty
        let before = profile.file
        profile.file.remove { RedHatProfile.isStatic4($0, before) || hadIPv6 && RedHatProfile.isStatic6($0, before) }
        guard fate == .dhcp else { return }
        // An address that is told by IPv6 only: IPv4 stays off.
        if hadIPv4, !profile.hasDHCP { profile.file.set("BOOTPROTO", "dhcp") }
        if hadIPv6 { profile.file.set("IPV6_AUTOCONF", "yes") }
        if let options = profile.file["BONDING_OPTS"], let rest = IfcfgFiles.withoutARPMonitoring(options) {
            profile.file.set("BONDING_OPTS", rest)
            draft.record("bond-options", of: interface, in: profile.path, ["was": [options]])
            draft.note("\(interface): watches its ports' links from now on, not hosts of the old network")
        }
    }
}
