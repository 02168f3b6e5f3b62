import Guest

/// systemd-networkd as the DHCP client of guests that have no other.
enum NetworkdFallback {
    private static let unit = "systemd-networkd.service"
    private static let units: GuestPath = "/etc/systemd/system"

    static func isAvailable(_ files: any GuestFiles) throws -> Bool {
        let program = try files.existsAny([
            "/usr/lib/systemd/systemd-networkd", "/lib/systemd/systemd-networkd",
        ])
        return try program && home(of: unit, files) != nil
    }

    static func file(for interface: String) -> GuestPath { "/etc/systemd/network/10-rehost-\(interface).network" }

    /// One interface asks for an address by DHCP, and takes router advertisements, which is networkd's default.
    static func configure(_ interface: String, _ draft: inout Draft) throws {
        let text = """
            # Laid by rehost: there is no DHCP client that ifupdown could call.
            [Match]
            Name=\(interface)

            [Network]
            DHCP=yes

            """
        try draft.write(file(for: interface), text: text)
        try enable(unit, &draft)
    }

    /// Makes the symlinks that `systemctl enable` would make: those of the unit's [Install] section, and of the units
    /// that it names as Also=.
    private static func enable(_ unit: String, _ draft: inout Draft) throws {
        var pending = [unit]
        var done: Set<String> = []
        while let unit = pending.popLast(), done.count < 16 {
            guard !unit.contains("/"), done.insert(unit).inserted, let path = try home(of: unit, draft),
                let text = try draft.text(path)
            else { continue }
            let file = INIFile(text)
            for (key, suffix) in [("WantedBy", "wants"), ("RequiredBy", "requires")] {
                for target in file.values("Install", key).flatMap(\.words) where !target.contains("/") {
                    try link(units.appending("\(target).\(suffix)/\(unit)"), to: path, &draft)
                }
            }
            for alias in file.values("Install", "Alias").flatMap(\.words) where !alias.contains("/") {
                try link(units.appending(alias), to: path, &draft)
            }
            pending += file.values("Install", "Also").flatMap(\.words)
        }
    }

    private static func link(_ path: GuestPath, to target: GuestPath, _ draft: inout Draft) throws {
        guard try draft.entry(at: draft.resolve(path, last: .keep)) == nil else { return }
        try draft.symlink(path, to: target.description)
    }

    /// Where a unit's file is; nil where it is missing or masked.
    private static func home(of unit: String, _ files: any GuestFiles) throws -> GuestPath? {
        let local = units.appending(unit)
        if case .symlink("/dev/null") = try files.entry(at: local)?.kind { return nil }
        let folders: [GuestPath] = ["/usr/lib/systemd/system", "/lib/systemd/system"]
        return try folders.map { $0.appending(unit) }.first { try files.exists($0) }
    }
}
