import Guest

/// /etc/resolv.conf where it is a plain file that names the old network's servers.
enum Resolver {
    static let file: GuestPath = "/etc/resolv.conf"
    private static let stub: GuestPath = "/run/systemd/resolve/stub-resolv.conf"

    /// Only called where an interface has become DHCP: a file that was right beside DHCP stays right.
    static func follow(_ formats: [String], _ draft: inout Draft) throws {
        guard try draft.entry(at: draft.resolve(file, last: .keep))?.kind == .file, let text = try draft.text(file)
        else { return }
        let lines = TextLines(text).lines.map { ($0 ?? "").words }
        let servers = lines.filter { $0.first == "nameserver" }.flatMap { $0.dropFirst().prefix(1) }
        // A resolver in the guest itself moves along.
        guard servers.contains(where: { !Address.isLoopback($0) }) else { return }
        let search = lines.filter { $0.first == "search" || $0.first == "domain" }.flatMap { $0.dropFirst() }

        let list = servers.joined(separator: ", ")
        if try isRewritten(formats, draft) {
            record(servers, search, &draft)
            draft.note("'\(file)' names \(list); the DHCP client will put the new network's servers there")
        } else if try hasResolved(draft) {
            record(servers, search, &draft)
            try draft.symlink(file, to: ".." + stub.description)
            draft.note("'\(file)' named \(list); it becomes systemd-resolved's, which asks the servers that DHCP gives")
        } else {
            draft.warn(
                "'\(file)' names \(list), and nothing in the guest puts the servers there that DHCP gives; "
                    + "it stays as it is, and names resolve only where those servers can be reached",
                hint: "name the new network's servers there, or install systemd-resolved or resolvconf")
        }
    }

    private static func record(_ servers: [String], _ search: [String], _ draft: inout Draft) {
        let values = ["dns": servers, "search": search].filter { !$0.value.isEmpty }
        draft.record("static-network", of: "resolver", in: file, values)
    }

    /// dhclient, dhcpcd and udhcpc write it at each lease, NetworkManager at each connection.
    private static func isRewritten(_ formats: [String], _ draft: Draft) throws -> Bool {
        if formats.contains("ifupdown"), try Ifupdown.hasClient(draft) { return true }
        if formats.contains("suse-ifcfg") || formats.contains("wicked") {
            return try SUSENameServers.writesResolver(draft)
        }
        // initscripts' dhclient-script and NetworkManager both write it, unless PEERDNS=no, which went.
        if formats.contains("ifcfg"), try !NetworkManager().isInstalled(draft) { return true }
        let isManager =
            try formats.contains("networkmanager") || formats.contains("ifcfg") || Netplan.usesNetworkManager(draft)
        guard isManager else { return false }
        let folder: GuestPath = "/etc/NetworkManager/conf.d"
        let settings = try ["/etc/NetworkManager/NetworkManager.conf"] + draft.files(in: folder, suffix: ".conf")
        return try !settings.contains { path in
            guard let text = try draft.text(path) else { return false }
            let settings = INIFile(text)
            return ["none", "systemd-resolved"].contains(settings.value("main", "dns"))
                || settings.value("main", "rc-manager") == "unmanaged"
        }
    }

    private static func hasResolved(_ draft: Draft) throws -> Bool {
        let program = try draft.existsAny(["/usr/lib/systemd/systemd-resolved", "/lib/systemd/systemd-resolved"])
        let links: [GuestPath] = [
            "/etc/systemd/system/multi-user.target.wants/systemd-resolved.service",
            "/etc/systemd/system/sysinit.target.wants/systemd-resolved.service",
            "/etc/systemd/system/dbus-org.freedesktop.resolve1.service",
        ]
        return try program && links.contains { try draft.entry(at: $0) != nil }
    }
}
