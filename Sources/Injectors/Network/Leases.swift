import Guest

/// What DHCP clients remember: which interface had which address, the newest last.
struct Leases {
    private struct Lease {
        var interface: String
        var address: IPAddress
        /// Sorts by age: a date as the client writes it, or seconds since 1970 with leading zeros.
        var time: String
    }

    private static let sizeLimit: UInt64 = 1 << 20
    private static let fileLimit = 512

    private var all: [Lease] = []

    init(_ files: any GuestFiles) throws {
        let dhclient: [GuestPath] = ["/var/lib/dhclient", "/var/lib/dhcp", "/var/lib/dhcp3", "/var/lib/NetworkManager"]
        for folder in dhclient {
            for (path, text) in try Self.texts(in: folder, files) where path.name.contains("lease") {
                readDHClient(text, fallback: Self.interface(inName: path.name))
            }
        }
        try readNetworkManager(files)
        for (path, text) in try Self.texts(in: "/var/lib/wicked", files) where path.name.hasPrefix("lease-") {
            readWicked(text, path.name)
        }
        // netplan's, generated at each boot; a disk has it only where /run was no tmpfs.
        for (path, text) in try Self.texts(in: "/run/systemd/network", files) where path.name.hasSuffix(".network") {
            let file = INIFile(text)
            let names = file.values("Match", "Name").flatMap(\.words)
            for address in file.values("Network", "Address") + file.values("Address", "Address") where names.count == 1
            {
                add(names[0], address, time: "")
            }
        }
    }

    /// The interface that had the address last.
    func interface(with address: IPAddress) -> String? {
        all.filter { $0.address == address }.max { $0.time < $1.time }?.interface
    }

    private mutating func add(_ interface: String?, _ address: String, time: String) {
        guard let interface, let address = IPAddress(address) else { return }
        all.append(Lease(interface: interface, address: address, time: time))
    }

    private static func texts(
        in folder: GuestPath, _ files: any GuestFiles
    ) throws -> [(path: GuestPath, text: String)] {
        try files.list(folder).prefix(fileLimit).compactMap { name in
            let path = folder.appending(name)
            guard let size = try files.status(path)?.size, size <= sizeLimit else { return nil }
            return try files.text(path).map { (path, $0) }
        }
    }

    /// `dhclient-<UUID>-eth0.lease`, `dhclient.eth0.leases`, `dhclient--eth0.lease`.
    private static func interface(inName name: String) -> String? {
        var rest = Substring(name)
        for ending in [".leases", ".lease"] where rest.hasSuffix(ending) { rest = rest.dropLast(ending.count) }
        guard let start = rest.lastIndex(where: { $0 == "-" || $0 == "." }) else { return nil }
        let last = String(rest[rest.index(after: start)...])
        return InterfaceName.isValid(last) && last.contains(where: \.isLetter) ? last : nil
    }

    /// dhclient.leases(5): the last of several for one interface is the newest, but clocks have the last word.
    private mutating func readDHClient(_ text: String, fallback: String?) {
        var interface: String?
        var addresses: [String] = []
        var time = ""
        for line in TextLines(text).lines {
            let words = (line ?? "").split { " \t\r;{\"".contains($0) }.map(String.init)
            switch words.first {
            case "lease", "lease6":
                interface = nil
                addresses = []
                time = ""
            case "interface": interface = words.dropFirst().first
            case "fixed-address", "iaaddr": addresses += words.dropFirst().prefix(1)
            // `expire 3 2025/04/30 17:40:05`, `expire epoch 1746034805`, `expire never`
            case "expire": time = words.contains("never") ? "~" : words.dropFirst(2).joined(separator: " ")
            case "}" where line?.hasPrefix("}") == true:
                for address in addresses { add(interface ?? fallback, address, time: time) }
                addresses = []
            default: break
            }
        }
    }

    /// internal-<UUID>-ens192.lease; `timestamps` tells when each profile was last in use.
    private mutating func readNetworkManager(_ files: any GuestFiles) throws {
        let folder: GuestPath = "/var/lib/NetworkManager"
        var times: [String: String] = [:]
        for line in TextLines(try files.configuration(folder.appending("timestamps")) ?? "").lines {
            let parts = (line ?? "").split(separator: "=").map(\.trimmed)
            if parts.count == 2, let seconds = UInt64(parts[1]) { times[parts[0]] = String(seconds) }
        }
        for (path, text) in try Self.texts(in: folder, files) where path.name.hasPrefix("internal-") {
            // "internal-", 36 characters of UUID, "-", the interface.
            let rest = path.name.dropFirst("internal-".count)
            guard rest.hasSuffix(".lease"), rest.utf8.count > 43 else { continue }
            let uuid = String(rest.prefix(36))
            let name = String(rest.dropFirst(37).dropLast(".lease".count))
            for line in TextLines(text).lines where (line ?? "").hasPrefix("ADDRESS=") {
                add(name, (line ?? "").dropFirst("ADDRESS=".count).trimmed, time: Self.padded(times[uuid] ?? "0"))
            }
        }
    }

    /// lease-eth0-dhcp-ipv4.xml
    private mutating func readWicked(_ text: String, _ fileName: String) {
        guard
            let end = [
                "-dhcp-ipv4.xml", "-dhcp-ipv6.xml", "-static-ipv4.xml", "-static-ipv6.xml", "-auto-ipv6.xml",
            ].first(where: fileName.hasSuffix)
        else { return }
        let name = String(fileName.dropFirst("lease-".count).dropLast(end.count))
        let elements = XMLElements(text).all
        let acquired = elements.first { $0.name == "acquired" }?.text ?? "0"
        for element in elements where element.name == "address" || element.name == "local" {
            add(name, element.text, time: Self.padded(acquired))
        }
    }

    private static func padded(_ seconds: String) -> String {
        String(repeating: "0", count: max(0, 20 - seconds.count)) + seconds
    }
}
