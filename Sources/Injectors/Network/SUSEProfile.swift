import Guest

/// One file of /etc/sysconfig/network: ifcfg(5) of SUSE.
struct SUSEProfile {
    let path: GuestPath
    /// What stands behind "ifcfg-".
    let name: String
    var file: ShellVariables

    /// `BONDING_SLAVE_0`, `BONDING_SLAVE0`, `BRIDGE_PORTS`, `TEAM_PORT_DEVICE_0`.
    var ports: [String] {
        file.values {
            IfcfgFiles.number(of: $0, stem: "BONDING_SLAVE") != nil
                || IfcfgFiles.number(of: $0, stem: "TEAM_PORT_DEVICE") != nil || $0 == "BRIDGE_PORTS"
                || $0 == "OVS_BRIDGE_PORT_DEVICE"
        }.flatMap(\.words).filter { $0 != "-" }
    }

    var role: NetworkInterface.Role {
        if file.isOn("BONDING_MASTER") { return .bond }
        if file.isOn("BRIDGE") { return .bridge }
        if parent != nil { return .vlan }
        if file.keys.contains(where: { $0.hasPrefix("TEAM_PORT") || $0 == "TEAM_RUNNER" }) { return .team }
        let isMade =
            file["TUNNEL"] != nil || file.isOn("OVS_BRIDGE") || file["MACVLAN_DEVICE"] != nil
            || file["MACVTAP_DEVICE"] != nil || file.keys.contains { $0.hasPrefix("WIRELESS_") }
            || !["", "ethernet"].contains((file["INTERFACETYPE"] ?? "").lowercased())
        if isMade || InterfaceName.isWireless(name) || InterfaceName.isVirtual(name) { return .other }
        return .card
    }

    /// What a VLAN is on: ETHERDEVICE, or the name itself, as in eth0.100.
    var parent: String? {
        if let device = file["ETHERDEVICE"] { return device }
        guard let dot = name.lastIndex(of: "."), Int(name[name.index(after: dot)...]) != nil else { return nil }
        return String(name[..<dot])
    }

    var vlan: Int? {
        guard role == .vlan else { return nil }
        let digits = String(name.reversed().prefix { $0.isNumber }.reversed())
        return file["VLAN_ID"].flatMap { Int($0) } ?? Int(digits)
    }

    /// In lower case; "static" where nothing is said.
    var method: String { (file["BOOTPROTO"] ?? "static").lowercased() }
    var hasDHCP: Bool { method.hasPrefix("dhcp") }
    /// Addresses are set beside what DHCP gives, too.
    var hasAddresses: Bool { method != "none" && !addresses.isEmpty }

    var addresses: [String] {
        var seen: Set<String> = []
        return file.keys.compactMap { key in
            guard let number = Self.ending(of: key, stem: "IPADDR"), seen.insert(key).inserted,
                let address = file[key]
            else { return nil }
            if address.contains("/") { return address }
            if let length = file["PREFIXLEN" + number] { return "\(address)/\(length)" }
            return Address.joined(address, mask: file["NETMASK" + number])
        }
    }

    /// IPADDR, IPADDR1, IPADDR_1 and IPADDR_any: SUSE takes any ending.
    private static func ending(of key: String, stem: String) -> String? {
        guard key.hasPrefix(stem) else { return nil }
        let rest = String(key.dropFirst(stem.count))
        return rest.isEmpty || rest.hasPrefix("_") || rest.allSatisfy(\.isNumber) ? rest : nil
    }

    /// Keys that go together with a static address.
    static func isStatic(_ key: String) -> Bool {
        let stems = [
            "IPADDR", "NETMASK", "PREFIXLEN", "BROADCAST", "NETWORK", "LABEL", "REMOTE_IPADDR", "SCOPE", "IP_OPTIONS",
        ]
        return key == "GATEWAY" || stems.contains { ending(of: key, stem: $0) != nil }
    }
}
