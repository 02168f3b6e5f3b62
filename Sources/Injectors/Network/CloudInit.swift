import Guest

/// Network configurations that cloud-init would write out anew: in its own configuration, or in a seed on the disk.
struct CloudInit: NetworkFormat {
    let name = "cloud-init"

    private struct Document {
        var path: GuestPath
        var bytes: [UInt8]
        var network: YAMLNode
    }

    private struct Source {
        var path: GuestPath
        /// A seed's file is the network configuration itself; elsewhere it is one key of many.
        var isWhole: Bool
    }

    private static let seeds: [GuestPath] = [
        "/var/lib/cloud/seed/nocloud/network-config", "/var/lib/cloud/seed/nocloud-net/network-config",
    ]

    func isConfigured(_ files: any GuestFiles) throws -> Bool {
        let (documents, problems) = try Self.documents(files)
        return !documents.isEmpty || !problems.isEmpty
    }

    func isInstalled(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(["/usr/bin/cloud-init", "/usr/local/bin/cloud-init"])
    }

    private static func documents(
        _ files: any GuestFiles
    ) throws -> (documents: [Document], problems: [(path: GuestPath, reason: String)]) {
        let settings = try ["/etc/cloud/cloud.cfg"] + files.files(in: "/etc/cloud/cloud.cfg.d", suffix: ".cfg")
        let sources = settings.map { Source(path: $0, isWhole: false) } + seeds.map { Source(path: $0, isWhole: true) }
        var documents: [Document] = []
        var problems: [(path: GuestPath, reason: String)] = []
        for source in sources {
            guard let text = try files.configuration(source.path) else { continue }
            let bytes = Array(text.utf8)
            let range = networkKey(bytes)
            if range == nil, !source.isWhole { continue }
            do throws(YAMLError) {
                let root = try YAMLParser.parse(bytes, in: range)
                guard let network = range == nil ? root : root["network"] else { continue }
                // `network: {config: disabled}` keeps cloud-init away, which is fine.
                if network["version"] != nil {
                    documents.append(Document(path: source.path, bytes: bytes, network: network))
                }
            } catch {
                problems.append((source.path, error.reason))
            }
        }
        return (documents, problems)
    }

    /// The lines of the top-level key `network`, so that what stands around it needn't be understood.
    private static func networkKey(_ bytes: [UInt8]) -> Range<Int>? {
        var at = 0
        var start: Int?
        while at < bytes.count {
            let next = (bytes[at...].firstIndex(of: 10) ?? bytes.count - 1) + 1
            let line = bytes[at..<next]
            if let start {
                // A sequence or comment at the left margin still belongs to the key.
                let goesOn = line.first.map { [32, 9, 10, 13, 35, 45].contains($0) } ?? true
                if !goesOn || line.starts(with: "---".utf8) { return start..<at }
            } else if line.starts(with: "network:".utf8) {
                start = at
            }
            at = next
        }
        return start.map { $0..<bytes.count }
    }

    func read(_ files: any GuestFiles) throws -> [NetworkInterface] {
        let documents = try Self.documents(files).documents
        let second = documents.filter { $0.network["version"]?.scalar == "2" }
        return NetplanDevices.read(second.map { ($0.path, $0.network) }, format: name)
            + documents.filter { $0.network["version"]?.scalar == "1" }
            .flatMap { CloudInitDevices.read($0.network, in: $0.path, format: name) }
    }

    func convert(_ draft: inout Draft, cards: inout NetworkCards) throws {
        let (documents, problems) = try Self.documents(draft)
        for problem in problems {
            draft.warn(
                "the network configuration for cloud-init in '\(problem.path)' can't be edited, as \(problem.reason); "
                    + "it stays as it is, and cloud-init may write it over the converted one",
                hint: "put 'network: {config: disabled}' there")
        }
        let devices = NetplanDevices(documents.map(\.network), keepsAddresses: cards.addresses == .keep)
        for document in documents {
            var edits = YAMLEdits(document.bytes)
            switch document.network["version"]?.scalar {
            case "2": try devices.convert(document.network, in: document.path, &edits, &draft, &cards)
            case "1": CloudInitDevices.convert(document.network, in: document.path, &edits, &draft, &cards)
            case let version:
                draft.warn(
                    "'\(document.path)' has a network configuration of version \(version ?? "?"), which isn't known; "
                        + "it stays as it is, and cloud-init may write it over the converted one")
            }
            if !edits.isEmpty {
                try draft.write(document.path, text: String(decoding: edits.result, as: UTF8.self))
            }
        }
    }
}
