public import Descriptions
internal import Disks
internal import Foundation
public import Guest
internal import Libvirt
public import Replicator

/// Which store is meant, and what opens it.
public struct StoreRequest: Sendable {
    /// A folder.
    public var location: String
    public var key: Repository.Key?
    /// In bytes, for a store that isn't there yet.
    public var regionSize: Int?

    public init(location: String, key: Repository.Key? = nil, regionSize: Int? = nil) {
        self.location = location
        self.key = key
        self.regionSize = regionSize
    }

    private func store() throws -> any ObjectStore {
        guard !location.contains("://") else {
            throw StoreError(
                .unavailable, "'\(location)' is no store that is known", hint: "name a folder, as in /backup/store")
        }
        return FolderStore(location)
    }

    public func open() async throws -> Repository { try await Repository.open(store(), key: key) }

    public func openOrMake() async throws -> Repository {
        try await Repository.openOrMake(store(), regionSize: regionSize, key: key)
    }
}

/// What a capture is of.
public enum CaptureTarget: Sendable {
    /// Disks that nobody writes to meanwhile.
    case guest(GuestRequest)
    /// A domain of libvirt's, which is running.
    case domain(LibvirtAddress)

    /// - Returns: nil where the source is no domain that is running.
    public static func running(_ source: String) async throws -> CaptureTarget? {
        guard source.hasPrefix(LibvirtAddress.prefix) else { return nil }
        let address = try LibvirtAddress(source)
        let connection = try await LibvirtConnection.open(address.uri)
        return try await LibvirtDomain.isActive(address.domain, on: connection) ? .domain(address) : nil
    }
}

/// Recovery points: made, listed, taken out again.
public enum Replication {
    /// - Parameter scratch: a folder for what a running machine overwrites meanwhile.
    public static func capture(
        _ target: CaptureTarget, as machine: String, into store: StoreRequest, options: Capture.Options,
        scratch: String = "/var/tmp", progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> Capture.Outcome {
        let phases = Phases(report: progress)
        let workspace = try Workspace.temporary()
        defer { workspace.remove() }
        var options = options
        let source: any CaptureSource
        let repository: Repository
        switch target {
        case .guest(let request):
            let images = try await request.openDisks(unpackingTo: workspace.path, phases, progress)
            let targets = request.described?.sources.compactMap(\.target) ?? []
            // A domain's disks are called as when it runs.
            let isDomain = targets.count == images.count
            source = ImageFiles(
                images, names: isDomain ? targets : nil, consistency: isDomain ? .off : .crash,
                connections: options.workers)
            options.description = try MachineRecord(request.machine)?.encoded
            repository = try await store.openOrMake()
        case .domain(let address):
            repository = try await store.openOrMake()
            // Whatever it has that a conversion would refuse, a capture needn't mind.
            options.description = try MachineRecord(try? DescriptionSource.machine(at: address))?.encoded
            source = LibvirtDomain(
                address.domain, on: try await LibvirtConnection.open(address.uri),
                family: LibvirtDomain.family(store: repository.settings.id, machine: machine), scratch: scratch)
        }
        let capture = Capture(of: source, as: machine, into: repository, options: options)
        let rate = Rate("capture", progress)
        return try await phases.time("capture '\(machine)'") {
            try await capture.run { rate.show($0.done, of: $0.total, moved: $0.read) }
        }
    }

    /// - Parameter output: the first disk's file; others get "-disk2" before its ending.
    /// - Returns: the files.
    public static func restore(
        _ point: RecoveryPoint, from repository: Repository, to output: String, existing: Conversion.Existing,
        progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> [String] {
        let paths = point.disks.indices.map { index in Self.path(output, disk: index) }
        if existing == .refuse, let there = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) {
            throw StoreError(.unavailable, "'\(there)' exists already", hint: "choose another --output, or add --force")
        }
        let phases = Phases(report: progress)
        let rate = Rate("restore", progress)
        try await phases.time("restore '\(point.machine)@\(point.id)'") {
            try await Restore(point, from: repository).run(to: paths) {
                rate.show($0.done, of: $0.total, moved: $0.done)
            }
        }
        return paths
    }

    private static func path(_ output: String, disk: Int) -> String {
        guard disk > 0 else { return output }
        let url = URL(fileURLWithPath: output)
        let ending = url.pathExtension.isEmpty ? "" : "." + url.pathExtension
        let stem = String(output.dropLast(ending.count))
        return "\(stem)-disk\(disk + 1)\(ending)"
    }

    /// Removes points by their rules, and then what nobody needs any more.
    /// - Parameter machine: nil: each machine's points by the same rules.
    public static func prune(
        _ repository: Repository, machine: String?, _ retention: Retention, isRehearsal: Bool
    ) async throws -> (kept: [(RecoveryPoint, [String])], removed: [RecoveryPoint], collected: Collector.Outcome?) {
        var kept: [(RecoveryPoint, [String])] = []
        var removed: [RecoveryPoint] = []
        var machines = [machine].compactMap { $0 }
        if machines.isEmpty { machines = try await repository.machines() }
        let damaged = try await repository.pointsWithDamage()
        for machine in machines {
            let points = try await repository.points(of: machine)
            // Without a rule, only what nobody needs goes.
            let staying =
                retention.isEmpty
                ? points.map { ($0, ["no rule"]) } : retention.kept(points) { !damaged.contains($0.id) }
            let ids = Set(staying.map(\.0.id))
            kept += staying
            removed += points.filter { !ids.contains($0.id) }
        }
        guard !isRehearsal else { return (kept, removed, nil) }
        for point in removed { try await repository.remove(point) }
        return (kept, removed, try await Collector(repository).run())
    }
}

/// A machine's description inside its recovery points.
struct MachineRecord: Codable {
    var schema = "rehost.machine/1"
    var machine: MachineDescription

    init?(_ machine: MachineDescription?) {
        guard let machine else { return nil }
        self.machine = machine
    }

    var encoded: Data { get throws { try JSONEncoder().encode(self) } }

    /// - Returns: nil where it is from a version that says other things.
    static func decode(_ bytes: Data?) -> MachineDescription? {
        bytes.flatMap { try? JSONDecoder().decode(Self.self, from: $0).machine }
    }
}

/// A recovery point whose disks are read as they are wanted, straight from its store.
public struct ServedPoint: Sendable {
    public let point: RecoveryPoint
    /// Of the machine that was captured, where something had described it.
    public var machine: MachineDescription? { MachineRecord.decode(point.description) }
    let images: [DiskImage]
    private let server: PointServer

    /// - Parameter name: "STORE#MACHINE", or "STORE#MACHINE@POINT".
    /// - Returns: nil where it is no such name.
    public static func open(_ name: String, key: Repository.Key?) async throws -> ServedPoint? {
        // A file of that name is meant as a file.
        guard let mark = name.lastIndex(of: "#"), !FileManager.default.fileExists(atPath: name) else { return nil }
        let machine = String(name[name.index(after: mark)...])
        let repository = try await StoreRequest(location: String(name[..<mark]), key: key).open()
        let point = try await repository.point(named: machine)
        let socket = "/tmp/rehost-point-\(UUID().uuidString.prefix(13))"
        let server = try await PointServer(point, from: repository, socket: socket)
        return ServedPoint(
            point: point,
            images: try point.disks.enumerated().map { index, disk in
                try DiskImage.open(
                    export: disk.name, on: socket, size: disk.size, allocated: server.allocated(disk: index),
                    title: "\(name): \(disk.name)")
            }, server: server)
    }
}
