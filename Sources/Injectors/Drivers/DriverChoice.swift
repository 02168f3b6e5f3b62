internal import Guest

/// The packages of a medium that are for one Windows.
struct DriverChoice: Sendable {
    struct Chosen: Equatable, Sendable {
        var driver: DriverTable.Driver
        var package: DriverPackage
        /// On the medium: "viostor/w10/amd64".
        var folder: String
        var inf: [UInt8]
        /// The package's other files, by the names that its INF has for them, catalog and all.
        var files: [String: [UInt8]]
    }

    /// A driver that can't be had, and why.
    struct Missing: Equatable, Sendable {
        var driver: DriverTable.Driver
        var reason: String
    }

    private(set) var chosen: [Chosen] = []
    private(set) var missing: [Missing] = []

    /// In bytes, for one file; netkvm's largest has less than 1 MiB.
    private static let fileLimit = 64 << 20

    private struct Candidate {
        var path: String
        /// Smaller is better.
        var rank: Int
    }

    /// - Throws: what reading the medium throws.
    init(from media: DriverMedia, for system: WindowsVersion, table: DriverTable = .builtIn) throws {
        let folders = table.system(system)?.folders ?? []
        var candidates: [String: [Candidate]] = [:]
        for path in media.paths {
            let name = Self.name(of: path).lowercased()
            guard table.drivers.contains(where: { $0.inf == name }),
                let rank = Self.rank(of: path, system, folders, all: table.allFolders)
            else { continue }
            candidates[name, default: []].append(Candidate(path: path, rank: rank))
        }
        let infs = try media.read(candidates.values.flatMap { $0.map(\.path) }.sorted())
        var picked: [(driver: DriverTable.Driver, path: String, package: DriverPackage)] = []
        for driver in table.drivers {
            var reasons: [String] = []
            let ordered = (candidates[driver.inf] ?? []).sorted { ($0.rank, $0.path) < ($1.rank, $1.path) }
            let found = ordered.lazy.compactMap { candidate -> (String, DriverPackage)? in
                do {
                    let package = try DriverPackage(
                        inf: driver.inf, infs[candidate.path] ?? [], for: system)
                    return (candidate.path, package)
                } catch {
                    reasons.append("'\(candidate.path)': \(error)")
                    return nil
                }
            }.first
            if let found {
                picked.append((driver, found.0, found.1))
            } else {
                missing.append(
                    Missing(driver: driver, reason: reasons.first ?? Self.absent(driver, system, folders, media)))
            }
        }
        try load(picked, media, infs)
    }

    private mutating func load(
        _ picked: [(driver: DriverTable.Driver, path: String, package: DriverPackage)], _ media: DriverMedia,
        _ infs: [String: [UInt8]]
    ) throws {
        var actual: [String: String] = [:]
        for path in media.paths { actual[path.lowercased()] = path }
        func place(_ name: String, _ path: String) -> String? {
            let folder = Self.folder(of: path)
            return actual[(folder.isEmpty ? name : folder + "/" + name).lowercased()]
        }
        let wanted = picked.flatMap { item in item.package.fileNames.compactMap { place($0, item.path) } }
        let contents = try media.read(Set(wanted).sorted())
        for item in picked {
            var files: [String: [UInt8]] = [:]
            var absent: [String] = []
            for name in item.package.fileNames {
                guard let bytes = place(name, item.path).flatMap({ contents[$0] }), bytes.count <= Self.fileLimit else {
                    absent.append(name)
                    continue
                }
                files[name] = bytes
            }
            guard absent.isEmpty else {
                missing.append(
                    Missing(
                        driver: item.driver,
                        reason: "'\(item.path)' lacks \(absent.joined(separator: ", ")), which it names"))
                continue
            }
            chosen.append(
                Chosen(
                    driver: item.driver, package: item.package, folder: Self.folder(of: item.path),
                    inf: infs[item.path] ?? [], files: files))
        }
    }

    // MARK: Folders

    private static func name(of path: String) -> String { String(path.split(separator: "/").last ?? "") }

    private static func folder(of path: String) -> String {
        path.split(separator: "/").dropLast().joined(separator: "/")
    }

    /// As media write them: the ISO "amd64", the RPM's tree "i386".
    private static let architectures: [WindowsVersion.Architecture: Set<String>] = [
        .amd64: ["amd64", "x64", "x86_64"], .x86: ["x86", "i386"], .arm64: ["arm64"],
    ]

    /// How well the folders on a path suit a system; nil: they are for another one.
    private static func rank(
        of path: String, _ system: WindowsVersion, _ folders: [String], all: Set<String>
    ) -> Int? {
        let components = path.lowercased().split(separator: "/").dropLast().map(String.init)
        // A second driver for virtual functions, of another INF in later releases.
        if components.contains("sriov") { return nil }
        let named = components.filter { component in architectures.values.contains { $0.contains(component) } }
        let own = architectures[system.architecture] ?? []
        guard named.allSatisfy(own.contains) else { return nil }
        let systems = components.filter(all.contains)
        // A folder that names no system: its INF has to tell.
        guard let last = systems.last else { return folders.count }
        return folders.firstIndex { $0.lowercased() == last }
    }

    private static func absent(
        _ driver: DriverTable.Driver, _ system: WindowsVersion, _ folders: [String], _ media: DriverMedia
    ) -> String {
        let there = media.paths.filter { name(of: $0).lowercased() == driver.inf }.map(folder(of:)).sorted()
        let wanted = folders.map { "'\($0)/\(system.architecture.rawValue)'" }.joined(separator: " or ")
        let what = "no \(driver.inf) for \(system.name) (\(system.architecture.rawValue))"
        if there.isEmpty { return what + ": there is none at all" }
        return what + (wanted.isEmpty ? "" : ", which would be in \(wanted)")
            + "; there are \(there.prefix(12).joined(separator: ", "))\(there.count > 12 ? "…" : "")"
    }
}
