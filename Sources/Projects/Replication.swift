public import Descriptions
public import Disks
internal import Foundation
internal import Guest
internal import Libvirt
public import Preflight
public import Replicator

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

    /// Records what came of a boot test of what was converted from a point.
    public static func note(
        _ report: ImageReport, of origin: PointReference, access: StoreAccess
    ) async throws {
        let repository = try await StoreRequest(location: origin.store, access: access).open()
        let point = try await repository.point(named: "\(origin.machine)@\(origin.point)")
        try await repository.note(PointHistory.Boot(report, image: report.image), of: point)
    }

    /// - Parameters:
    ///   - output: the first disk's file; others get "-disk2" before its ending.
    ///   - format: whatever a single file can be.
    /// - Returns: the files.
    public static func restore(
        _ point: RecoveryPoint, from repository: Repository, to output: String, as format: OutputFormat,
        existing: Conversion.Existing, progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> [String] {
        guard [.vmdkStreamOptimized, .vhdFixed].contains(format) || OutputFormat.writable.contains(format) else {
            throw StoreError(
                .unavailable, "a point can't be restored as '\(format.rawValue)', which is a package",
                hint: "restore a raw or qcow2 disk, or write the package with 'rehost convert STORE#MACHINE'")
        }
        let paths = point.disks.indices.map { index in Self.path(output, disk: index) }
        if existing == .refuse, let there = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) {
            throw StoreError(.unavailable, "'\(there)' exists already", hint: "choose another --output, or add --force")
        }
        let phases = Phases(report: progress)
        let rate = Rate("restore", progress)
        try await phases.time("restore '\(point.machine)@\(point.id)'") {
            guard OutputFormat.writable.contains(format) else {
                return try await write(point, from: repository, to: paths, as: format, progress)
            }
            try await Restore(point, from: repository).run(to: paths, as: format) {
                rate.show($0.done, of: $0.total, moved: $0.done)
            }
        }
        return paths
    }

    /// In a format that can only be written from its start to its end.
    private static func write(
        _ point: RecoveryPoint, from repository: Repository, to paths: [String], as format: OutputFormat,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws {
        let (server, images) = try await ServedPoint.serve(point, from: repository, titles: point.disks.map(\.name))
        defer { server.close() }
        for (index, image) in images.enumerated() {
            let part = paths[index] + ".part"
            do {
                try await QemuImg.copy(image, to: part, as: format) {
                    progress(.part("restore", (Double(index) + $0) / Double(point.disks.count)))
                }
                try DurableFile.rename(part, to: paths[index])
            } catch {
                try? FileManager.default.removeItem(atPath: part)
                throw error
            }
        }
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
