import Guest

/// /etc/netplan/*.yaml, edited in place.
struct Netplan: NetworkFormat {
    let name = "netplan"

    /// A file of a later folder replaces one of the same name; /run is empty on a disk.
    private static let folders: [GuestPath] = ["/usr/lib/netplan", "/lib/netplan", "/etc/netplan"]
    private static let sections = ["ethernets", "bonds", "bridges", "vlans", "wifis", "tunnels"]

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        try Self.files(files).contains { path in
            guard let text = try files.configuration(path) else { return false }
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
            (try files.configuration(path) ?? "").split(separator: "\n").contains { line in
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

    private typealias Document = (path: GuestPath, bytes: [UInt8], network: YAMLNode)

    private static func document(_ path: GuestPath, _ files: any GuestFiles) throws(YAMLError) -> Document? {
        guard let text = (try? files.configuration(path)) ?? nil else { return nil }
        let bytes = Array(text.utf8)
        guard let network = try YAMLParser.parse(bytes)["network"], network.isMapping else { return nil }
        return (path, bytes, network)
    }

    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let parsed = try Self.files(files).compactMap { try? Self.document($0, files) }
        return NetplanDevices.read(parsed.map { ($0.path, $0.network) }, format: name)
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        var parsed: [Document] = []
        for path in try Self.files(draft) {
            do throws(YAMLError) {
                if let document = try Self.document(path, draft) { parsed.append(document) }
            } catch {
                draft.warn(
                    "'\(path)' can't be edited, as \(error.reason); it stays as it is, "
                        + "and its interfaces keep their static addresses and the names that it gives them",
                    hint: "write its network configuration in plain YAML, or with DHCP")
            }
        }
        let devices = NetplanDevices(parsed.map(\.network), keepsAddresses: cards.addresses == .keep)
        for (path, bytes, network) in parsed {
            var edits = YAMLEdits(bytes)
            try devices.convert(network, in: path, &edits, &draft, &cards)
            if !edits.isEmpty { try draft.write(path, text: String(decoding: edits.result, as: UTF8.self)) }
        }
    }
}
