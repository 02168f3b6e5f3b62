import Guest

/// What an interface had by hand, collected before it goes away.
struct StaticNetwork {
    /// With prefix lengths: "192.168.77.10/24".
    var addresses: [String] = []
    var gateways: [String] = []
    var nameServers: [String] = []
    var searchDomains: [String] = []
    /// Routes and rules, in the format's own words.
    var routes: [String] = []
    /// A MAC address by which the card was told from others, or which it was given.
    var macs: [String] = []
    var mtu: [String] = []

    var isEmpty: Bool { values.isEmpty }

    private var values: [String: [String]] {
        let all = [
            "address": addresses, "gateway": gateways, "dns": nameServers, "search": searchDomains, "route": routes,
            "mac": macs, "mtu": mtu,
        ]
        return all.filter { !$0.value.isEmpty }
    }

    /// What becomes of the interface, for the report.
    enum Fate {
        case dhcp
        /// A port of a bond or bridge: it never had use for an address.
        case port
        /// A further address of an interface that gets its own by DHCP.
        case gone
        /// It keeps how it gets its address; only what tied it to the old hardware goes.
        case unbound
    }

    /// A bridge that no port connects to anything has nobody to ask for an address.
    static func noteIsolated(_ bridge: String, _ draft: inout Draft) {
        draft.note("\(bridge): a bridge without ports keeps its static address, as nobody is there to give it one")
    }

    /// Records everything and says one line about it.
    func record(of interface: String, in file: GuestPath, fate: Fate, to draft: inout Draft) {
        guard !isEmpty else { return }
        draft.record("static-network", of: interface, in: file, values)
        let given = addresses.isEmpty ? "a static set-up" : "static " + addresses.joined(separator: ", ")
        let way = gateways.isEmpty ? "" : " (gateway \(gateways.joined(separator: ", ")))"
        switch fate {
        case .dhcp: draft.note("\(interface): \(given)\(way) becomes DHCP; recorded in the report")
        case .port:
            draft.note("\(interface): \(given) goes, as it is a port of another interface; recorded in the report")
        case .gone: draft.note("\(interface): \(given)\(way) goes, as DHCP gives one address; recorded in the report")
        case .unbound where macs.isEmpty: break
        case .unbound:
            draft.note("\(interface): is no longer tied to \(macs.joined(separator: ", ")); recorded in the report")
        }
        if let size = mtu.compactMap({ Int($0) }).max(), size > 1500 {
            draft.note(
                "\(interface): keeps its MTU of \(size)", hint: "lower it where the new network can't carry such frames"
            )
        }
    }
}

/// Addresses as configuration files write them.
enum Address {
    /// "255.255.255.0" as 24; nil for anything else.
    static func prefixLength(ofMask mask: String) -> Int? {
        let parts = mask.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let part else { return nil }
            bits = bits << 8 | UInt32(part)
        }
        let length = (~bits).leadingZeroBitCount
        return bits.nonzeroBitCount == length ? length : nil
    }

    /// An address and its mask, given apart, as one: "192.168.77.10/24".
    static func joined(_ address: String, mask: String?) -> String {
        guard !address.contains("/"), let mask else { return address }
        return "\(address)/\(prefixLength(ofMask: mask).map { String($0) } ?? mask)"
    }

    static func isIPv6(_ address: String) -> Bool { address.contains(":") }

    static func isLoopback(_ address: String) -> Bool { address.hasPrefix("127.") || address == "::1" }

    /// Lower case, with colons; nil where it isn't a MAC address.
    static func mac(_ text: String) -> String? {
        let parts = text.trimmed.lowercased().split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        guard parts.count == 6, parts.allSatisfy({ $0.count == 2 && $0.allSatisfy { $0.isASCII && $0.isHexDigit } })
        else { return nil }
        return parts.joined(separator: ":")
    }
}
