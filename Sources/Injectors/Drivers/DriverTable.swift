internal import Guest

/// What `drivers/virtio-win.txt` says: which drivers a Windows guest gets, and which folders have those of its version.
struct DriverTable: Equatable, Sendable {
    enum Need: String, Sendable {
        /// Windows doesn't start without it.
        case boot
        /// What can't be had is a warning.
        case optional
    }

    struct Driver: Equatable, Sendable {
        /// In lower case: "viostor.inf".
        var inf: String
        var need: Need
        /// "disks on virtio-blk"
        var purpose: String

        var name: String { String(inf.prefix { $0 != "." }) }
    }

    struct System: Equatable, Sendable {
        var name: String
        var isServer: Bool
        var major: Int
        var minor: Int
        var leastBuild: Int
        /// The best first: "2k22", "2k19".
        var folders: [String]
    }

    private(set) var drivers: [Driver] = []
    /// Newer ones before older ones of the same version.
    private(set) var systems: [System] = []

    static let builtIn = DriverTable(String(decoding: PackageResources.virtio_win_txt, as: UTF8.self))

    /// Lines that aren't of the table's form are left out; a test holds the built-in one to it.
    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
            let fields = line.split(separator: "|").map(\.trimmed)
            switch fields.first {
            case "driver" where fields.count == 4:
                guard let need = Need(rawValue: fields[2]) else { continue }
                drivers.append(Driver(inf: fields[1].lowercased(), need: need, purpose: fields[3]))
            case "system" where fields.count == 6:
                let version = fields[3].split(separator: ".").compactMap { Int($0) }
                guard version.count == 2, let build = Int(fields[4]) else { continue }
                systems.append(
                    System(
                        name: fields[1], isServer: fields[2] == "server", major: version[0], minor: version[1],
                        leastBuild: build, folders: fields[5].split(separator: " ").map(String.init)))
            default: continue
            }
        }
    }

    /// The row for a guest; nil for a Windows that is older than all of them.
    func system(_ version: WindowsVersion) -> System? {
        systems.first {
            $0.isServer == version.isServer && $0.major == version.major && $0.minor == version.minor
                && version.build >= $0.leastBuild
        }
    }

    /// Every folder name there is, in lower case.
    var allFolders: Set<String> { Set(systems.flatMap(\.folders).map { $0.lowercased() }) }
}
