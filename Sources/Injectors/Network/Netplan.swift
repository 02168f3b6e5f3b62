import Guest

/// /etc/netplan/*.yaml, edited in place.
struct Netplan: NetworkFormat {
    let name = "netplan"

    /// A file of a later folder replaces one of the same name; /run is empty on a disk.
    private static let folders: [GuestPath] = ["/usr/lib/netplan", "/lib/netplan", "/etc/netplan"]
    private static let sections = ["ethernets", "bonds", "bridges", "vlans", "wifis", "tunnels"]

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        try Self.files(files).contains { path in
            guard let text = try files.text(path) else { return false }
            do throws(YAMLError) {
                let network = try YAMLParser.parse(Array(text.utf8))["network"]
                return Self.sections.contains { network?[$0]?.entries.contains { $0.key != "lo" } == true }
            } catch {
                return true
            }
        }
    }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny([
            "/usr/sbin/netplan", "/sbin/netplan", "/usr/libexec/netplan/generate", "/lib/netplan/generate",
        ])
    }

    /// Whether netplan hands interfaces to NetworkManager.
    static func usesNetworkManager(_ files: any GuestFiles) throws -> Bool {
        try Self.files(files).contains { path in
            (try files.text(path) ?? "").split(separator: "\n").contains { line in
                line.trimmed.hasPrefix("renderer:") && line.contains("NetworkManager")
            }
        }
    }

    private static func files(_ files: any GuestFiles) throws -> [GuestPath] {
        var byName: [String: GuestPath] = [:]
        for folder in folders {
            for path in try files.files(in: folder, suffix: ".yaml") { byName[path.name] = path }
        }
        return byName.keys.sorted().compactMap { byName[$0] }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        var parsed: [(path: GuestPath, bytes: [UInt8], network: YAMLNode)] = []
        for path in try Self.files(draft) {
            guard let text = try draft.text(path) else { continue }
            let bytes = Array(text.utf8)
            do throws(YAMLError) {
                guard let network = try YAMLParser.parse(bytes)["network"], network.isMapping else { continue }
                parsed.append((path, bytes, network))
            } catch {
                draft.warn(
                    "'\(path)' can't be edited, as \(error.reason); it stays as it is, "
                        + "and its interfaces keep their static addresses and the names that it gives them",
                    hint: "write its network configuration in plain YAML, or with DHCP")
            }
        }
        let devices = NetplanDevices(parsed.map(\.network))
        for (path, bytes, network) in parsed {
            var edits = YAMLEdits(bytes)
            try devices.convert(network, in: path, &edits, &draft, &cards)
            if !edits.isEmpty { try draft.write(path, text: String(decoding: edits.result, as: UTF8.self)) }
        }
    }
}
