import Guest

/// The options of a stanza that belong to a static address.
enum IfupdownOptions {
    /// What a command of `up`, `pre-up`, `down`… is about.
    enum Action {
        case route
        case address
        case mac
        /// It is about more than one thing, or may fail on other hardware.
        case risky
        case other
    }

    private static let commands: Set<String> = ["up", "pre-up", "post-up", "down", "pre-down", "post-down"]

    /// Takes away what DHCP gives, and what needs the old network; `old` keeps it.
    /// - Returns: what is left.
    static func drop(
        from stanza: IfupdownFile.Stanza, in file: inout IfupdownFile, to old: inout StaticNetwork, draft: inout Draft
    ) -> [IfupdownFile.Line] {
        var rest: [IfupdownFile.Line] = []
        let mask = stanza.values("netmask").last
        for option in stanza.options {
            switch IfupdownFile.Stanza.normal(option.keyword) {
            case "address": old.addresses.append(Address.joined(option.value, mask: mask))
            case "gateway": old.gateways.append(option.value)
            case "dns-nameservers", "dns-nameserver": old.nameServers += option.arguments
            case "dns-search", "dns-domain": old.searchDomains += option.arguments
            case "netmask", "broadcast", "network", "pointopoint", "scope", "preferred-lifetime": break
            // 0 would keep router advertisements out.
            case "accept-ra", "autoconf": break
            case "hwaddress", "hw-mac-address": old.macs += option.arguments.suffix(1)
            case "bridge-hw" where Address.mac(option.value) != nil: old.macs.append(option.value)
            case "mtu":
                old.mtu.append(option.value)
                rest.append(option)
                continue
            case let keyword where commands.contains(keyword):
                switch action(of: option) {
                case .route: old.routes.append(option.value)
                case .address: old.addresses += address(in: option)
                case .mac: old.macs += option.arguments.filter { Address.mac($0) != nil }
                case .risky:
                    rest.append(option)
                    guard !isGuarded(option) else { continue }
                    file.replace(option, with: option.words.joined(separator: " ") + " || true")
                    draft.note("\(stanza.name): '\(option.value.prefix(80))' may fail without stopping the interface")
                    continue
                case .other:
                    rest.append(option)
                    continue
                }
            default:
                rest.append(option)
                continue
            }
            file.remove(option)
        }
        return rest
    }

    /// Clouds drop frames from a MAC address that isn't the port's own.
    static func dropMAC(of stanza: IfupdownFile.Stanza, in file: inout IfupdownFile, to old: inout StaticNetwork) {
        for option in stanza.options {
            switch IfupdownFile.Stanza.normal(option.keyword) {
            case "hwaddress", "hw-mac-address": old.macs += option.arguments.suffix(1)
            case "bridge-hw" where Address.mac(option.value) != nil: old.macs.append(option.value)
            case let keyword where commands.contains(keyword) && action(of: option) == .mac:
                old.macs += option.arguments.filter { Address.mac($0) != nil }
            default: continue
            }
            file.remove(option)
        }
    }

    static func action(of option: IfupdownFile.Line) -> Action {
        guard commands.contains(option.keyword) else { return .other }
        let words = unguarded(option)
        let isCompound =
            words.contains { word in
                word.contains { ";|&`".contains($0) } && !["2>&1", ">&2", "&>/dev/null"].contains(word)
            } || option.value.contains("$(")
        let kind = simpleAction(words)
        if !isCompound { return kind }
        return words.indices.contains { simpleAction(Array(words[$0...])) != .other } ? .risky : .other
    }

    private static func simpleAction(_ words: [String]) -> Action {
        let program = words.first?.split(separator: "/").last ?? ""
        let arguments = words.dropFirst().filter { !$0.hasPrefix("-") }
        let verb = arguments.first ?? ""
        switch program {
        case "ip" where ["r", "ro", "rou", "rout", "route", "ru", "rule"].contains(verb): return .route
        case "ip" where ["a", "ad", "addr", "address"].contains(verb): return .address
        case "ip" where ["l", "link"].contains(verb) && arguments.contains("address"): return .mac
        case "route": return .route
        case "ifconfig" where arguments.contains("hw"): return .mac
        case "ifconfig" where arguments.contains("netmask") || arguments.contains("add"): return .address
        case "macchanger": return .mac
        // Settings of a card that virtio has not.
        case "ethtool": return .risky
        default: return .other
        }
    }

    private static func address(in option: IfupdownFile.Line) -> [String] {
        option.arguments.filter { word in
            word.contains { $0 == "." || $0 == ":" }
                && word.unicodeScalars.allSatisfy {
                    $0.isASCII && ($0.properties.isHexDigit || ".:/".unicodeScalars.contains($0))
                }
        }
    }

    private static func isGuarded(_ option: IfupdownFile.Line) -> Bool {
        unguarded(option).count < option.arguments.count
    }

    /// The words of a command without `|| true` behind it.
    private static func unguarded(_ option: IfupdownFile.Line) -> [String] {
        let words = Array(option.arguments)
        let isGuarded =
            words.count > 2 && words[words.count - 2] == "||"
            && ["true", ":", "/bin/true"].contains(words[words.count - 1])
        return isGuarded ? words.dropLast(2) : words
    }
}
