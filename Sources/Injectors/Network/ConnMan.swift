import Guest

/// ConnMan's provisioning files: connman-service.config(5).
///
/// What it learned by itself is kept by the card's MAC address below /var/lib/connman; a new card starts with DHCP.
struct ConnMan: NetworkFormat {
    let name = "connman"

    private static let folder: GuestPath = "/var/lib/connman"

    func isConfigured(_ files: any GuestFiles) throws -> Bool { try !Self.services(files).isEmpty }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(["/usr/sbin/connmand", "/sbin/connmand", "/usr/bin/connmand"])
    }

    private struct Service {
        var path: GuestPath
        var section: String
        var file: INIFile

        var isIPv4Static: Bool { Self.isStatic(file.value(section, "IPv4")) }
        var isIPv6Static: Bool { Self.isStatic(file.value(section, "IPv6")) }
        var parts: [String] { [file.value(section, "IPv4"), file.value(section, "IPv6")].compactMap { $0 } }

        private static func isStatic(_ value: String?) -> Bool {
            value.map { $0.contains("/") && IPAddress($0) != nil } ?? false
        }
    }

    private static func services(_ files: any GuestFiles) throws -> [Service] {
        try files.files(in: folder, suffix: ".config").flatMap { path -> [Service] in
            guard let text = try files.configuration(path) else { return [] }
            let file = INIFile(text)
            return file.sections.filter { $0.hasPrefix("service_") && file.value($0, "Type") == "ethernet" }
                .map { Service(path: path, section: $0, file: file) }
        }
    }

    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        try Self.services(files).map { service in
            let file = service.file
            let section = service.section
            var interface = NetworkInterface(
                name: file.value(section, "DeviceName") ?? "", role: .card, format: name, files: [service.path])
            interface.profile = section
            interface.ipv4 = service.isIPv4Static ? .static : file.value(section, "IPv4") == "off" ? .none : .dhcp
            interface.ipv6 = service.isIPv6Static ? .static : file.value(section, "IPv6") == "auto" ? .slaac : .none
            for value in service.parts where IPAddress(value) != nil {
                // address/mask/gateway, or address/length/gateway.
                let parts = value.split(separator: "/").map(String.init)
                interface.addresses.append(Address.joined(parts[0], mask: parts.dropFirst().first))
                interface.gateways += parts.dropFirst(2).prefix(1)
            }
            interface.nameServers = (file.value(section, "Nameservers") ?? "").split(separator: ",").map(\.trimmed)
            interface.searchDomains = (file.value(section, "SearchDomains") ?? "").split(separator: ",").map(\.trimmed)
            interface.mac = file.value(section, "MAC").flatMap(Address.mac)
            return interface
        }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let model = try read(draft)
        for (service, interface) in zip(try Self.services(draft), model) {
            guard let text = try draft.configuration(service.path) else { continue }
            var file = INIFile(text)
            var old = StaticNetwork()
            let title = interface.name.isEmpty ? service.section : interface.name
            if !interface.name.isEmpty { cards.use(interface.name, mac: interface.mac) }
            if let mac = file.value(service.section, "MAC") {
                let new = cards.tie(of: interface.name, in: service.path)
                if new != Address.mac(mac) {
                    old.macs.append(mac)
                    file.remove { section, entry in section == service.section && entry.key == "MAC" }
                    if let new { file.set(service.section, "MAC", new) }
                }
            }
            var fate = StaticNetwork.Fate.unbound
            if cards.addresses == .dhcp, service.isIPv4Static || service.isIPv6Static {
                fate = .dhcp
                old.addresses = interface.addresses
                old.gateways = interface.gateways
                old.nameServers = interface.nameServers
                old.searchDomains = interface.searchDomains
                if service.isIPv4Static { file.set(service.section, "IPv4", "dhcp") }
                if service.isIPv6Static { file.set(service.section, "IPv6", "auto") }
                let keys = ["Nameservers", "SearchDomains", "Domain"]
                file.remove { section, entry in section == service.section && keys.contains(entry.key) }
                cards.converted.append(title)
            }
            if file.rendered != text { try draft.write(service.path, text: file.rendered) }
            old.record(of: title, in: service.path, fate: fate, to: &draft)
        }
    }
}
