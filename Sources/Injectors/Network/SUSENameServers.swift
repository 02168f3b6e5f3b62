import Guest

/// The name servers that SUSE's netconfig puts into /etc/resolv.conf beside those of DHCP.
struct SUSENameServers {
    private static let file: GuestPath = "/etc/sysconfig/network/config"
    private static let serverKey = "NETCONFIG_DNS_STATIC_SERVERS"
    private static let searchKey = "NETCONFIG_DNS_STATIC_SEARCHLIST"
    private static let policyKey = "NETCONFIG_DNS_POLICY"

    let servers: [String]
    let search: [String]

    init(_ files: any GuestFiles) throws {
        let file = ShellVariables(try files.configuration(Self.file) ?? "")
        servers = (file[Self.serverKey] ?? "").words
        search = (file[Self.searchKey] ?? "").words
    }

    /// Whether netconfig writes /etc/resolv.conf; with an empty policy it keeps its hands off.
    static func writesResolver(_ files: any GuestFiles) throws -> Bool {
        guard let text = try files.configuration(file) else { return false }
        let settings = ShellVariables(text)
        return settings.keys.contains(policyKey) && settings[policyKey] != nil
    }

    /// The new network's servers come from DHCP.
    static func release(_ draft: inout Draft) throws {
        guard let text = try draft.configuration(file) else { return }
        var settings = ShellVariables(text)
        let old = try SUSENameServers(draft)
        let values = ["dns": old.servers, "search": old.search].filter { !$0.value.isEmpty }
        for key in [serverKey, searchKey] where settings[key] != nil { settings.set(key, "") }
        var policy: [String] = []
        if let current = settings[policyKey], current.uppercased() == "STATIC" {
            policy = ["\(policyKey)=\(current)"]
            settings.set(policyKey, "auto")
        }
        guard settings.rendered != text else { return }
        try draft.write(file, text: settings.rendered)
        draft.record(
            "static-network", of: "resolver", in: file,
            values.merging(policy.isEmpty ? [:] : ["setting": policy]) { first, _ in first })
        if !old.servers.isEmpty {
            draft.note("'\(file)' named \(old.servers.joined(separator: ", ")); DHCP gives the new network's servers")
        }
    }
}
