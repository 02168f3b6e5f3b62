import Guest

/// /etc/network/interfaces and what it includes: interfaces(5).
struct Ifupdown: NetworkFormat {
    let name = "ifupdown"

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        try IfupdownFiles(files).stanzas.contains { $0.name != "lo" && $0.method != "loopback" }
    }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(["/sbin/ifup", "/usr/sbin/ifup"])
    }

    /// Debian's has `inet6 auto`. Busybox, and the ifupdown-ng of Alpine that took its place, refuse a file that has it;
    /// the kernel takes router advertisements there without being told.
    private static func hasAutoMethod(_ files: any GuestFiles) throws -> Bool {
        for path in ["/sbin/ifup", "/usr/sbin/ifup"] as [GuestPath] {
            guard case .symlink(let target) = try files.entry(at: files.resolve(path, last: .keep))?.kind else {
                continue
            }
            let program = target.split(separator: "/").last ?? ""
            if program == "busybox" || program == "bbsuid" || program == "ifupdown" { return false }
        }
        return true
    }

    /// The clients that ifup looks for, wherever PATH of ifup has them.
    static func hasClient(_ files: any GuestFiles) throws -> Bool {
        let folders: [GuestPath] = ["/sbin", "/usr/sbin", "/bin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        let clients = ["dhclient", "dhclient3", "dhcpcd", "udhcpc", "pump"]
        return try folders.contains { folder in
            try clients.contains { client in
                let path = folder.appending(client)
                // An alternative's target may be on a file system that isn't looked at: a link is evidence enough.
                return try files.entry(at: files.resolve(path, last: .keep)) != nil
            }
        }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        var files = try IfupdownFiles(draft)
        for problem in files.problems { draft.warn(problem) }
        let roles = IfupdownRoles(files, keepsAddresses: cards.addresses == .keep)
        roles.cards(&cards, &draft)

        let way = try way(draft)
        let method6 = try Self.hasAutoMethod(draft) ? "auto" : "manual"
        if way == .none, let stanza = files.stanzas.first(where: { roles.isStatic($0) && !$0.isIPv6 }) {
            draft.warn(
                "no DHCP client is installed in the guest (dhclient, dhcpcd, udhcpc, systemd-networkd); "
                    + "\(stanza.name) keeps its static address, and comes up without one that the new network gave",
                hint: "install isc-dhcp-client or dhcpcd-base before the conversion")
        }
        var served: Set<String> = []
        var gone: Set<String> = []
        for index in files.files.indices {
            let path = files.files[index].path
            var file = files.files[index].file
            for stanza in file.stanzas where !roles.isUntouched(stanza.name) {
                let fate = roles.isStatic(stanza) ? roles.fate(of: stanza, served: &served) : nil
                var old = StaticNetwork()
                guard let fate, way != .none || stanza.isIPv6 else {
                    IfupdownOptions.dropMAC(of: stanza, in: &file, to: &old)
                    old.record(of: stanza.name, in: path, fate: .unbound, to: &draft)
                    warnOfHandMadeAddress(stanza, &draft)
                    continue
                }
                let rest = IfupdownOptions.drop(from: stanza, in: &file, to: &old, draft: &draft)
                let isAlias = stanza.name.contains(":")
                switch fate {
                case .dhcp where way == .networkd && roles.hasStaticIPv4(stanza.name):
                    file.setMethod("manual", of: stanza)
                    if roles.isBroughtUp(stanza.name) { try NetworkdFallback.configure(stanza.name, &draft) }
                case .dhcp: file.setMethod(stanza.isIPv6 ? method6 : "dhcp", of: stanza)
                case .gone where isAlias || rest.isEmpty:
                    file.remove(stanza.header)
                    for option in stanza.options { file.remove(option) }
                    if isAlias { gone.insert(stanza.name) }
                // It still says that the interface is a bridge, or runs a command.
                case .gone, .port, .unbound: file.setMethod("manual", of: stanza)
                }
                if fate == .dhcp { cards.converted.append(stanza.name) }
                old.record(of: stanza.name, in: path, fate: fate, to: &draft)
            }
            files.files[index].file = file
        }
        for (path, var file) in files.files {
            file.unlist(gone)
            if try draft.text(path) != file.rendered { try draft.write(path, text: file.rendered) }
        }
        for bridge in roles.isolated {
            StaticNetwork.noteIsolated(bridge, &draft)
        }
    }

    /// How interfaces get their addresses from now on.
    private enum Way { case client, networkd, none }

    private func way(_ files: any GuestFiles) throws -> Way {
        if try Self.hasClient(files) { return .client }
        return try NetworkdFallback.isAvailable(files) ? .networkd : .none
    }

    private func warnOfHandMadeAddress(_ stanza: IfupdownFile.Stanza, _ draft: inout Draft) {
        guard stanza.method == "manual" else { return }
        for option in stanza.options where IfupdownOptions.action(of: option) == .address {
            draft.warn(
                "\(stanza.name): runs '\(option.value.prefix(80))'; it is run as before, "
                    + "and the address may be one that the new network doesn't take")
        }
    }
}

/// The files of one guest's ifupdown, with everything that they include.
struct IfupdownFiles {
    private static let main: GuestPath = "/etc/network/interfaces"
    /// More than any machine has; a hostile guest can't hold us up.
    private static let limit = 256

    var files: [(path: GuestPath, file: IfupdownFile)] = []
    private(set) var problems: [String] = []

    var stanzas: [IfupdownFile.Stanza] { files.flatMap(\.file.stanzas) }

    init(_ guest: any GuestFiles) throws {
        var pending = [Self.main]
        var seen: Set<GuestPath> = []
        while let path = pending.popLast(), files.count < Self.limit {
            // A file that includes itself is read once.
            guard try seen.insert(guest.resolve(path)).inserted, let text = try guest.configuration(path) else {
                continue
            }
            let file = IfupdownFile(text)
            files.append((path, file))
            var included: [GuestPath] = []
            for line in file.sources {
                for pattern in line.arguments {
                    guard !pattern.contains(where: { "$`~{}'\"()\\".contains($0) }) else {
                        problems.append(
                            "'\(path)' includes '\(pattern)', which only a shell can expand; "
                                + "what it includes stays as it is"
                        )
                        continue
                    }
                    let full = pattern.hasPrefix("/") ? GuestPath(pattern) : path.parent.appending(pattern)
                    let found = try guest.glob(full)
                    included += line.keyword == "source" ? found : try found.flatMap { try Self.files(in: $0, guest) }
                }
            }
            pending += included.reversed()
        }
    }

    /// What `source-directory` takes: names of letters, digits, dashes and underscores.
    private static func files(in folder: GuestPath, _ guest: any GuestFiles) throws -> [GuestPath] {
        try guest.list(folder).filter { name in
            name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0"..."9" ~= $0 || $0 == "_" || $0 == "-")
            }
        }.map { folder.appending($0) }
    }
}
