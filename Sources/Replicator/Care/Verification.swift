public import Foundation
internal import Host
internal import Synchronization

/// Looks whether a store still has what its points need.
public struct Verification: Sendable {
    public enum Depth: String, Sendable, CaseIterable, Codable {
        /// Every chunk is there, by its name.
        case quick
        /// One in twenty is read, decrypted and compared with its name, too; other ones each time.
        case sampled
        /// All are.
        case deep
    }

    public struct Outcome: Codable, Equatable, Sendable {
        public var chunks = 0
        /// Read through and found good.
        public var decoded = 0
        /// By name: "chunk 0123…: it isn't there".
        public var damage: [String] = []
        /// Points that can't be restored, as "machine@id".
        public var damagedPoints: [String] = []
    }

    private let repository: Repository
    private let depth: Depth
    private let workers: Int

    public init(
        _ repository: Repository, depth: Depth,
        workers: Int = max(2, ProcessInfo.processInfo.activeProcessorCount)
    ) {
        self.repository = repository
        self.depth = depth
        self.workers = workers
    }

    /// What is damaged is marked in the store: the next capture that has the same content stores it anew.
    /// - Parameter progress: gets the part that is done, 0 to 1.
    public func run(machine: String? = nil, progress: @escaping @Sendable (Double) -> Void) async throws -> Outcome {
        var outcome = Outcome()
        var users: [ChunkID: [String]] = [:]
        var damagedPoints: Set<String> = []
        let now = Date()
        let points = try await repository.points(of: machine)
        for point in points {
            let name = "\(point.machine)@\(point.id)"
            for disk in point.disks {
                do {
                    for chunk in try await repository.manifest(of: disk).chunks {
                        users[chunk, default: []].append(name)
                    }
                } catch let error as StoreError where error.kind == .damaged || error.kind == .missing {
                    outcome.damage.append(error.message)
                    damagedPoints.insert(name)
                }
            }
        }
        let ids = users.keys.sorted { $0.description < $1.description }
        let damaged = try await look(ids, progress)
        outcome.chunks = ids.count
        outcome.decoded = damaged.decoded
        for (id, reason) in damaged.reasons.sorted(by: { $0.key.description < $1.key.description }) {
            outcome.damage.append("chunk \(id): \(reason)")
            damagedPoints.formUnion(users[id] ?? [])
            _ = try await repository.store.put(Repository.damagedFolder + id.description, [], .replacing)
        }
        outcome.damagedPoints = damagedPoints.sorted()
        for (machine, points) in Dictionary(grouping: points, by: \.machine) {
            let checks = points.map { point in
                (
                    point.id,
                    PointHistory.Check(
                        time: now, depth: depth, isGood: !damagedPoints.contains("\(point.machine)@\(point.id)"))
                )
            }
            try await repository.note(Dictionary(checks) { first, _ in first }, of: machine)
        }
        return outcome
    }

    private struct Found: Sendable {
        var decoded = 0
        var done = 0
        var reasons: [ChunkID: String] = [:]
    }

    private final class Findings: Sendable {
        private let state = Mutex(Found())
        var found: Found { state.withLock { $0 } }
        func add(_ id: ChunkID, isDecoded: Bool, _ reason: String?) -> Int {
            state.withLock { state in
                state.done += 1
                if let reason { state.reasons[id] = reason } else if isDecoded { state.decoded += 1 }
                return state.done
            }
        }
    }

    private func look(_ ids: [ChunkID], _ progress: @escaping @Sendable (Double) -> Void) async throws -> Found {
        let counter = Counter()
        let findings = Findings()
        // Another twentieth each time.
        let turn = Int.random(in: 0..<20)
        try await Workers.run(workers) {
            while let index = counter.next(below: ids.count) {
                try Task.checkCancellation()
                let isDecoded = depth == .deep || (depth == .sampled && index % 20 == turn)
                let reason = try await damage(of: ids[index], isDecoded: isDecoded)
                let done = findings.add(ids[index], isDecoded: isDecoded, reason)
                progress(Double(done) / Double(ids.count))
            }
        }
        return findings.found
    }

    private func damage(of id: ChunkID, isDecoded: Bool) async throws -> String? {
        guard let size = try await repository.store.size(of: id.object) else { return "it isn't there" }
        guard size > UInt64(Frame.size) else { return "it is cut off" }
        guard isDecoded else { return nil }
        do {
            _ = try await repository.chunk(id)
            return nil
        } catch let error as StoreError where error.kind == .damaged || error.kind == .missing {
            return error.message.split(separator: ": ").last.map(String.init) ?? error.message
        }
    }
}

extension Repository {
    /// The ids of points that can't be restored, as far as that is known without reading their chunks: those whose manifest
    /// is damaged or gone, and those with chunks that a verification found damaged.
    public func pointsWithDamage() async throws -> Set<String> {
        let damaged = try await damagedChunks()
        var found: Set<String> = []
        for point in try await points() {
            for disk in point.disks {
                do {
                    let chunks = try await manifest(of: disk).chunks
                    if !chunks.isDisjoint(with: damaged) { found.insert(point.id) }
                } catch let error as StoreError where error.kind == .damaged || error.kind == .missing {
                    found.insert(point.id)
                }
            }
        }
        return found
    }
}
