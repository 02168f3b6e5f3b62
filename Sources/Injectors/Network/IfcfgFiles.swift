import Guest

/// The ifcfg files of a folder, as RHEL's and SUSE's initscripts both have them.
enum IfcfgFiles {
    /// What initscripts, NetworkManager and wicked pass over between them: copies by editors and package managers.
    private static let skipped = [
        "~", ".bak", ".old", ".orig", ".rpmnew", ".rpmorig", ".rpmsave", ".rpmtemp", ",v", ".swp", ".augnew", ".augtmp",
        ".scpmbackup", ".saved", ".dpkg-old", ".dpkg-new",
    ]

    /// The files that start so, with what stands behind it in their names: `ifcfg-eth0` and "eth0".
    static func files(
        in folder: GuestPath, prefix: String, _ guest: any GuestFiles
    ) throws -> [(path: GuestPath, suffix: String)] {
        try guest.list(folder).filter { name in
            name.hasPrefix(prefix) && name != prefix && !skipped.contains { name.hasSuffix($0) }
        }.map { (folder.appending($0), String($0.dropFirst(prefix.count))) }
    }

    /// Numbered keys, as `IPADDR`, `IPADDR0`, `IPADDR_1`: what stands behind the stem; nil for another key.
    static func number(of key: String, stem: String) -> String? {
        guard key.hasPrefix(stem) else { return nil }
        let rest = key.dropFirst(stem.count)
        return rest.allSatisfy { $0.isASCII && ($0.isNumber || $0 == "_") } ? String(rest) : nil
    }

    /// `mode=802.3ad miimon=100` as its values.
    static func options(_ text: String?) -> [String: String] {
        var result: [String: String] = [:]
        for word in (text ?? "").words {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { result[parts[0]] = parts[1] }
        }
        return result
    }

    /// Bond options without monitoring that asks hosts of the old network: with none to answer, the bond stays down.
    /// - Returns: nil where there is no such monitoring.
    static func withoutARPMonitoring(_ options: String) -> String? {
        let words = options.words
        let rest = words.filter { !$0.hasPrefix("arp_") }
        guard rest.count < words.count, words.contains(where: { $0.hasPrefix("arp_ip_target=") }) else { return nil }
        let hasLinkMonitoring = rest.contains { $0.hasPrefix("miimon=") && $0 != "miimon=0" }
        return (rest.filter { $0 != "miimon=0" } + (hasLinkMonitoring ? [] : ["miimon=100"])).joined(separator: " ")
    }
}
