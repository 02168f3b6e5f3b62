import Guest

/// Routes and rules of RHEL's initscripts: route-eth0, route6-eth0, rule-eth0, rule6-eth0, and the default gateway in
/// /etc/sysconfig/network.
enum RedHatRoutes {
    private static let prefixes = ["route-", "route6-", "rule-", "rule6-"]

    static func files(of profile: RedHatProfile) -> [GuestPath] {
        var names = [profile.suffix]
        if let device = profile.name, device != profile.suffix, !profile.isAlias { names.append(device) }
        return names.filter { !$0.contains("/") }.flatMap { name in
            prefixes.map { RedHatIfcfg.folder.appending($0 + name) }
        }
    }

    static func lines(_ text: String) -> [String] {
        TextLines(text).lines.compactMap { $0?.trimmed }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    static func release(_ profile: RedHatProfile, _ old: inout StaticNetwork, _ draft: inout Draft) throws {
        for path in files(of: profile) {
            guard let text = try draft.configuration(path) else { continue }
            let lines = lines(text)
            guard !lines.isEmpty else { continue }
            old.routes += lines.map { "\(path.name): \($0)" }
            try draft.remove(path)
        }
    }

    /// The default route of all interfaces together, once none has a static address.
    static func releaseDefaults(_ profiles: [RedHatProfile], _ draft: inout Draft) throws {
        let stays = try RedHatIfcfg.profiles(draft).contains { !$0.addresses4.isEmpty }
        if !stays, let text = try draft.configuration(RedHatIfcfg.global) {
            var file = ShellVariables(text)
            let keys: Set<String> = ["GATEWAY", "GATEWAYDEV", "IPV6_DEFAULTGW", "IPV6_DEFAULTDEV"]
            var old = StaticNetwork()
            old.gateways = [file["GATEWAY"], file["IPV6_DEFAULTGW"]].compactMap { $0 }
            old.routes = ["GATEWAYDEV", "IPV6_DEFAULTDEV"].compactMap { key in file[key].map { "\(key)=\($0)" } }
            if !old.isEmpty {
                file.remove(where: keys.contains)
                try draft.write(RedHatIfcfg.global, text: file.rendered)
                draft.note("the default gateway \(old.gateways.joined(separator: ", ")) comes from DHCP from now on")
                draft.record(
                    "static-network", of: "all interfaces", in: RedHatIfcfg.global,
                    ["gateway": old.gateways, "route": old.routes].filter { !$0.value.isEmpty })
            }
        }
        for path in ["/etc/sysconfig/static-routes", "/etc/sysconfig/static-routes-ipv6"] as [GuestPath] {
            guard let text = try draft.configuration(path), !lines(text).isEmpty else { continue }
            draft.warn(
                "'\(path)' sets routes for all interfaces; they stay as they are, "
                    + "and those through the old network's gateways lead nowhere")
        }
    }
}
