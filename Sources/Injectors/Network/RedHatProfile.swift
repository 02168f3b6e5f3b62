import Guest

/// One file of /etc/sysconfig/network-scripts, and what it is about.
struct RedHatProfile {
    let path: GuestPath
    /// What stands behind "ifcfg-".
    let suffix: String
    var file: ShellVariables

    /// Further addresses of an interface: ifcfg-eth0:1, ifcfg-eth0-range0.
    var isAlias: Bool { aliasOf != nil }

    /// The interface that an alias file belongs to.
    var aliasOf: String? {
        let name = file["DEVICE"] ?? suffix
        if let colon = name.firstIndex(of: ":") { return String(name[..<colon]) }
        guard let range = suffix.firstRange(of: "-range"), suffix[range.upperBound...].allSatisfy(\.isNumber) else {
            return nil
        }
        return String(suffix[..<range.lowerBound])
    }

    /// The interface's name; nil for a profile of NetworkManager's that serves any card, or the one with HWADDR.
    var name: String? {
        if let device = file["DEVICE"] { return device }
        if let alias = aliasOf { return alias }
        // initscripts take the file's own name, but profiles have names such as "Static_Connection".
        return looksLikeInterface(suffix) ? suffix : nil
    }

    private func looksLikeInterface(_ name: String) -> Bool {
        InterfaceName.isValid(name)
            && (InterfaceName.tellsPlace(name) || InterfaceName.isComposite(name) || InterfaceName.isVirtual(name)
                || InterfaceName.isWireless(name))
    }

    var role: NetworkInterface.Role {
        let name = name ?? ""
        if isAlias { return .card }
        switch (file["TYPE"] ?? file["DEVICETYPE"] ?? "").lowercased() {
        case "bond": return .bond
        case "bridge", "ovsbridge": return .bridge
        case "vlan": return .vlan
        case "team": return .team
        case "", "ethernet", "ovsport": break
        default: return .other
        }
        if file["BONDING_OPTS"] != nil || file.isOn("BONDING_MASTER") { return .bond }
        if file["TEAM_CONFIG"] != nil { return .team }
        if file.isOn("VLAN") { return .vlan }
        if InterfaceName.isWireless(name) || InterfaceName.isVirtual(name) || file["ESSID"] != nil { return .other }
        if let dot = name.lastIndex(of: "."), Int(name[name.index(after: dot)...]) != nil {
            return .vlan
        }
        if InterfaceName.isComposite(name), file["HWADDR"] == nil {
            return name.hasPrefix("bond") ? .bond : name.hasPrefix("team") ? .team : .other
        }
        return .card
    }

    /// Open vSwitch gets its addresses by words of its own.
    var isForeign: Bool {
        role == .other || (file["TYPE"] ?? "").lowercased().hasPrefix("ovs") || file["DEVICETYPE"] == "ovs"
    }

    /// The bond, bridge or team that it is part of; a name or a UUID.
    var controller: String? {
        let keys = [
            "MASTER", "MASTER_UUID", "BRIDGE", "BRIDGE_UUID", "TEAM_MASTER", "TEAM_MASTER_UUID", "OVS_BRIDGE",
        ]
        return keys.lazy.compactMap { file[$0] }.first
    }

    var parent: String? {
        guard role == .vlan else { return nil }
        if let device = file["PHYSDEV"] { return device }
        guard let name, let dot = name.lastIndex(of: ".") else { return nil }
        return String(name[..<dot])
    }

    var vlan: Int? {
        guard role == .vlan else { return nil }
        if let id = file["VLAN_ID"].flatMap({ Int($0) }) { return id }
        let digits = (name ?? "").reversed().prefix { $0.isNumber }
        return Int(String(digits.reversed()))
    }

    var hasDHCP: Bool { ["dhcp", "bootp"].contains((file["BOOTPROTO"] ?? "").lowercased()) }

    /// Every static address, IPv4 first, with prefix lengths.
    var addresses: [String] { addresses4 + addresses6 }

    var addresses4: [String] {
        var seen: Set<String> = []
        return file.keys.compactMap { key in
            guard let number = IfcfgFiles.number(of: key, stem: "IPADDR"), seen.insert(key).inserted,
                let address = file[key]
            else { return nil }
            if address.contains("/") { return address }
            if let prefix = file["PREFIX" + number] { return "\(address)/\(prefix)" }
            // IPADDR0 may go with a PREFIX or NETMASK that has no number.
            let mask = file["NETMASK" + number] ?? file["GENMASK" + number]
            if mask == nil, number == "0", let prefix = file["PREFIX"] { return "\(address)/\(prefix)" }
            return Address.joined(address, mask: mask ?? (number == "0" ? file["NETMASK"] : nil))
        } + range
    }

    /// `IPADDR_START` to `IPADDR_END` of a range file.
    private var range: [String] {
        [file["IPADDR_START"], file["IPADDR_END"]].compactMap { $0 }
    }

    var addresses6: [String] {
        guard !file.isOff("IPV6INIT") else { return [] }
        return ["IPV6ADDR", "IPV6ADDR_SECONDARIES"].flatMap { (file[$0] ?? "").words }
    }

    var gateways: [String] {
        file.values { IfcfgFiles.number(of: $0, stem: "GATEWAY") != nil || $0 == "IPV6_DEFAULTGW" }
    }
    var nameServers: [String] { file.values { IfcfgFiles.number(of: $0, stem: "DNS") != nil } }
    var searchDomains: [String] { (file["DOMAIN"] ?? file["SEARCH"] ?? "").words }

    /// Keys that go together with a static IPv4 address, or with what keeps DHCP's answers out.
    static func isStatic4(_ key: String, _ file: ShellVariables) -> Bool {
        let stems = ["IPADDR", "PREFIX", "NETMASK", "GENMASK", "NETWORK", "BROADCAST", "GATEWAY", "DNS", "ARPUPDATE"]
        if stems.contains(where: { IfcfgFiles.number(of: key, stem: $0) != nil }) { return true }
        if ["PEERDNS", "PEERROUTES"].contains(key) { return file.isOff(key) }
        return ["DOMAIN", "SEARCH", "SRCADDR", "SCOPE", "IPADDR_START", "IPADDR_END", "CLONENUM_START"].contains(key)
    }

    static func isStatic6(_ key: String, _ file: ShellVariables) -> Bool {
        if ["IPV6_PEERDNS", "IPV6_PEERROUTES"].contains(key) { return file.isOff(key) }
        return ["IPV6ADDR", "IPV6ADDR_SECONDARIES", "IPV6_DEFAULTGW", "IPV6_DEFAULTDEV"].contains(key)
    }
}
