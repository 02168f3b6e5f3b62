internal import Archives
internal import Disks
public import Foundation
internal import Host
internal import Synchronization

/// Makes a recovery point of a machine.
///
/// The order in which things are written keeps a store whole whenever this ends: chunks, then manifests, then the point's
/// record; only then is what an older point needed let go at the source.
public struct Capture: Sendable {
    private let repository: Repository
    private let source: any CaptureSource
    private let machine: String
    private let options: Options

    public struct Options: Sendable {
        /// Regions that are worked on at once; each takes some 12 MiB of memory.
        public var workers: Int
        /// Bytes per second, of what is read; nil: as fast as it goes.
        public var bandwidth: UInt64?
        /// The machine, for whoever boots it one day; it goes into the point as it is.
        public var description: Data?

        public init(workers: Int = max(2, ProcessInfo.processInfo.activeProcessorCount)) { self.workers = workers }
    }

    public struct Progress: Sendable {
        public var disk: String
        /// In bytes, of all disks: what is behind, and what there is.
        public var done: UInt64
        public var total: UInt64
        public var read: UInt64
        public var stored: UInt64
    }

    public struct Outcome: Sendable {
        public var point: RecoveryPoint
        /// In bytes.
        public var read: UInt64
        /// In bytes, read to check the source's word of what hasn't changed.
        public var sampled: UInt64
        public var warnings: [String]
        public var notes: [String]
    }

    public init(
        of source: any CaptureSource, as machine: String, into repository: Repository, options: Options = Options()
    ) {
        self.source = source
        self.machine = machine
        self.repository = repository
        self.options = options
    }

    /// - Throws: ``StoreError``, ``Disks/DiskImage/Failure``, `CancellationError`. Nothing is committed then.
    public func run(progress: @escaping @Sendable (Progress) -> Void) async throws -> Outcome {
        guard MachineName.isValid(machine) else {
            throw StoreError(
                .missing, "'\(machine)' is no name for a machine",
                hint: "letters, digits, dots, dashes and underscores, 100 at most: --machine web01")
        }
        let lease = try await repository.takeLease()
        let keeper = Keeper(repository, lease)
        // The lease goes even where this task was cancelled: others would wait for it.
        let end = { [repository] in try await Task { try await repository.end(keeper.current) }.value }
        var outcome: Outcome
        do {
            outcome = try await keeper.holding { try await capture(keeper, progress) }
        } catch {
            try? await end()
            throw error
        }
        // The point is there, whatever comes now.
        do { try await end() } catch { outcome.warnings.append(Self.line(error)) }
        return outcome
    }

    private func capture(_ keeper: Keeper, _ progress: @escaping @Sendable (Progress) -> Void) async throws -> Outcome {
        let parent = try await repository.points(of: machine).last
        let writer = try await ChunkWriter(repository, lease: keeper.current)
        let tokens = parent?.disks.compactMap { disk in disk.token.map { (disk.name, $0) } } ?? []
        let session = try await source.begin(since: Dictionary(tokens) { first, _ in first })
        var outcome: Outcome
        do {
            outcome = try await read(session, parent, writer, keeper, progress)
        } catch {
            // Where the source fell away, that is why reading failed.
            let cause: any Error
            do {
                if !(error is CancellationError) { try await session.checkStillness() }
                cause = error
            } catch let better { cause = better }
            try? await session.end()
            throw cause
        }
        // The point is there; what the source can't clean up now, it does the next time.
        do { try await session.committed() } catch { outcome.warnings.append(Self.line(error)) }
        do { try await session.end() } catch { outcome.warnings.append(Self.line(error)) }
        return outcome
    }

    private static func line(_ error: any Error) -> String {
        "\(error)".split(separator: "\n").joined(separator: "; ")
    }

    private func read(
        _ session: any CaptureSession, _ parent: RecoveryPoint?, _ writer: ChunkWriter, _ keeper: Keeper,
        _ progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> Outcome {
        let meter = Meter(
            total: session.disks.reduce(0) { $0 + $1.size }, bandwidth: options.bandwidth, report: progress)
        let id = try RecoveryPoint.newID(at: session.time)
        var disks: [RecoveryPoint.Disk] = []
        var warnings = session.warnings
        for disk in session.disks {
            if let loss = disk.trackingLoss {
                warnings.append("\(disk.name): what changed isn't known (\(loss)); all of it is read and compared")
            }
            let old = try await oldManifest(parent?.disks.first { $0.name == disk.name }, &warnings)
            if let old { writer.trust(old.chunks) }
            let reader = DiskReader(
                disk: disk, old: old, repository: repository, writer: writer, workers: options.workers, meter: meter)
            let result = try await reader.run()
            if let alarm = result.alarm { warnings.append("\(disk.name): \(alarm)") }
            let name = "manifests/\(machine)/\(id).\(keeper.current.id).\(disks.count)"
            let digest = try await repository.put(result.manifest, as: name)
            disks.append(
                RecoveryPoint.Disk(
                    name: disk.name, size: disk.size, manifest: name, digest: digest, changed: result.changed,
                    stored: result.stored,
                    tracking: old == nil ? .full : result.isTracked ? .bitmap : .compare,
                    token: session.token(of: disk)))
        }
        try await session.checkStillness()
        try await repository.store.flush()
        try await repository.check(keeper.current)
        let point = RecoveryPoint(
            id: id, machine: machine, time: session.time, consistency: session.consistency, disks: disks,
            lease: keeper.current.id, description: options.description)
        try await repository.commit(point)
        return Outcome(point: point, read: meter.read, sampled: meter.sampled, warnings: warnings, notes: session.notes)
    }

    /// What the disk was; nil where nothing of it can be used.
    private func oldManifest(_ disk: RecoveryPoint.Disk?, _ warnings: inout [String]) async throws -> Manifest? {
        guard let disk else { return nil }
        do {
            let manifest = try await repository.manifest(of: disk)
            return manifest.regionSize == repository.settings.regionSize ? manifest : nil
        } catch let error as StoreError where error.kind == .damaged || error.kind == .missing {
            warnings.append("\(disk.name): the point before can't be used: \(error.message); all of it is stored anew")
            return nil
        }
    }
}

/// Renews a lease while something goes on under it.
private final class Keeper: Sendable {
    private let repository: Repository
    private let lease: Mutex<Lease>

    init(_ repository: Repository, _ lease: Lease) {
        self.repository = repository
        self.lease = Mutex(lease)
    }

    var current: Lease { lease.withLock { $0 } }

    func holding<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let renewal = Task { [self] in
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(Lease.length / 3))
                var renewed = current
                // A store that can't be reached now may be the next time; the last word is said before the commit.
                do { try await repository.renew(&renewed) } catch { continue }
                lease.withLock { $0 = renewed }
            }
        }
        defer { renewal.cancel() }
        return try await body()
    }
}
