internal import Guest

/// os-release(5): shell-like assignments; and the files that distributions had before it (systemd brought it in 2012).
enum OSReleaseFile {
    /// What the system at the root is called; "Linux" where no file says, but there are modules for a kernel; else nil.
    static func name(of files: any GuestFiles) throws -> String? {
        if let release = try found(in: files) { return release.prettyName }
        // A link that leads nowhere is for the caller: the rest may lie on a /usr that isn't mounted yet.
        guard try files.entry(at: "/etc/os-release") == nil else { return nil }
        return try ["/lib/modules", "/usr/lib/modules"].contains { try !files.list($0).isEmpty } ? "Linux" : nil
    }

    /// A system without any such file is "linux".
    static func read(_ files: any GuestFiles) throws -> OSRelease { try found(in: files) ?? parse("") }

    /// Bytes; real ones have less than one KiB.
    private static let limit: UInt64 = 64 << 10

    /// A file's text; nil where there is none that could be one: a link that leads to itself is no file.
    private static func text(of path: GuestPath, _ files: any GuestFiles) throws -> String? {
        guard let status = try? files.status(path), status.kind == .file, status.size <= limit else { return nil }
        return try files.text(path)
    }

    private static func found(in files: any GuestFiles) throws -> OSRelease? {
        if let text = try text(of: "/etc/os-release", files) ?? text(of: "/usr/lib/os-release", files) {
            return parse(text)
        }
        // Oracle Linux has Red Hat's file as well, Ubuntu Debian's: their own come first.
        for path in ["/etc/oracle-release", "/etc/centos-release", "/etc/redhat-release", "/etc/system-release"]
            as [GuestPath]
        {
            if let line = try firstLine(of: path, files) { return redHat(line) }
        }
        if let text = try text(of: "/etc/SuSE-release", files) { return suse(text) }
        if let text = try text(of: "/etc/lsb-release", files), let release = lsb(text) { return release }
        for (path, id, name) in bareVersions {
            if let line = try firstLine(of: path, files) { return bare(line, id: id, name: name) }
        }
        if try files.exists("/etc/arch-release") { return OSRelease(id: "arch", prettyName: "Arch Linux") }
        return nil
    }

    static func parse(_ text: String) -> OSRelease {
        let values = assignments(text)
        let id = values["ID"] ?? "linux"
        return OSRelease(
            id: id, like: (values["ID_LIKE"] ?? "").split(separator: " ").map(String.init),
            version: values["VERSION_ID"] ?? "", prettyName: values["PRETTY_NAME"] ?? values["NAME"] ?? id)
    }

    private static func assignments(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            values[parts[0].trimming(" \t")] = parts[1].trimming(" \t").trimming("\"'")
        }
        return values
    }

    private static func firstLine(of path: GuestPath, _ files: any GuestFiles) throws -> String? {
        guard let text = try text(of: path, files) else { return nil }
        return text.split(whereSeparator: \.isNewline).first.map { String($0.prefix(200)).trimming(" \t") }
    }

    // MARK: Older than os-release

    /// "CentOS release 6.10 (Final)", "Red Hat Enterprise Linux Server release 5.11 (Tikanga)".
    private static func redHat(_ line: String) -> OSRelease {
        let words = line.split(separator: " ").map(String.init)
        let place = words.firstIndex(of: "release") ?? words.endIndex
        let name = words[..<place].joined(separator: " ").lowercased()
        let ids = [
            ("centos", "centos"), ("red hat", "rhel"), ("oracle", "ol"), ("enterprise linux enterprise", "ol"),
            ("fedora", "fedora"), ("scientific", "scientific"), ("amazon", "amzn"), ("almalinux", "almalinux"),
            ("rocky", "rocky"), ("cloudlinux", "cloudlinux"),
        ]
        let id = ids.first { name.hasPrefix($0.0) }?.1 ?? name.split(separator: " ").first.map(String.init) ?? "linux"
        let version = words.indices.contains(place + 1) ? words[place + 1] : ""
        // Whoever writes this file is made of Red Hat's packages.
        return OSRelease(
            id: id, like: id == "rhel" ? ["fedora"] : ["rhel", "fedora"], version: version, prettyName: line)
    }

    /// "SUSE Linux Enterprise Server 11 (x86_64)", then "VERSION = 11" and "PATCHLEVEL = 4".
    private static func suse(_ text: String) -> OSRelease {
        let line = text.split(whereSeparator: \.isNewline).first.map { String($0.prefix(200)) } ?? "SUSE Linux"
        let values = assignments(text)
        let version = [values["VERSION"], values["PATCHLEVEL"]].compactMap { $0 }.filter { $0 != "0" }
        let name = line.lowercased()
        let id = name.hasPrefix("opensuse") ? "opensuse" : name.contains("desktop") ? "sled" : "sles"
        return OSRelease(id: id, like: ["suse"], version: version.joined(separator: "."), prettyName: line)
    }

    private static func lsb(_ text: String) -> OSRelease? {
        let values = assignments(text)
        guard let id = values["DISTRIB_ID"], !id.isEmpty else { return nil }
        let version = values["DISTRIB_RELEASE"] ?? ""
        return OSRelease(
            id: id.lowercased(), like: id == "Ubuntu" ? ["debian"] : [], version: version,
            prettyName: values["DISTRIB_DESCRIPTION"] ?? "\(id) \(version)")
    }

    /// Files that hold a version, or a name and a version.
    private static let bareVersions: [(GuestPath, String, String)] = [
        ("/etc/alpine-release", "alpine", "Alpine Linux"), ("/etc/debian_version", "debian", "Debian"),
        ("/etc/gentoo-release", "gentoo", "Gentoo"), ("/etc/slackware-version", "slackware", "Slackware"),
    ]

    private static func bare(_ line: String, id: String, name: String) -> OSRelease {
        let version = line.split(separator: " ").last.map(String.init) ?? ""
        return OSRelease(
            id: id, version: version, prettyName: line.lowercased().hasPrefix(id) ? line : "\(name) \(version)")
    }
}
