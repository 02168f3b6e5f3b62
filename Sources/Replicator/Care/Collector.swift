public import Foundation

/// Removes what no recovery point needs any more, while captures go on.
///
/// Two steps, and whoever is killed between them has lost nothing. First the chunks that no point has are *condemned*: a list
/// says so. From then on, a capture that wants one of them says so, too, and uploads it anew. When all captures have ended
/// that had begun before the list was there, the points are looked through again, and what is still nobody's is *deleted*.
///
/// A capture that says it wants a chunk looks for the mark of deleting afterwards; the collector sets that mark before it
/// looks for what captures want. So one of them always sees the other.
public struct Collector: Sendable {
    private let repository: Repository
    private var store: any ObjectStore { repository.store }

    public init(_ repository: Repository) { self.repository = repository }

    public struct Outcome: Codable, Equatable, Sendable {
        public var chunksRemoved = 0
        /// In bytes.
        public var bytesRemoved: UInt64 = 0
        /// Condemned, and waiting for captures that go on.
        public var chunksWaiting = 0
        public var manifestsRemoved = 0
    }

    /// A list of condemned chunks.
    struct Generation: Codable {
        var id: String
        /// Of captures that may have seen its chunks as good ones.
        var leases: [String]
        var chunks: [String]

        static let folder = "condemned/"
        var object: String { Self.folder + id }
        var mark: String { "deleting/" + id }
    }

    static let lockObject = "collector"
    /// In seconds. Renewed at a tenth of it; a collector that can't deletes nothing more.
    private static let lockLength: TimeInterval = 600

    /// - Parameter now: a test's own clock.
    public func run(now: Date = Date()) async throws -> Outcome {
        var lock = try await takeLock(now)
        do {
            let outcome = try await collect(now, &lock)
            try await store.removeLeftovers()
            try await store.remove(Self.lockObject)
            return outcome
        } catch {
            // Even where this task was cancelled: others would wait for it.
            _ = try? await Task { [store] in try await store.remove(Self.lockObject) }.value
            throw error
        }
    }

    /// Whoever has the lock, and may still be deleting; nil where nobody is.
    static func holder(in store: any ObjectStore, now: Date = Date()) async throws -> String? {
        guard let bytes = try? await store.get(lockObject),
            let lock = try? JSONDecoder().decode(Lease.self, from: Data(bytes)), lock.expires > now,
            !lock.isOfDeadProcess
        else { return nil }
        return lock.holder
    }

    /// Called before each removal.
    private func hold(_ lock: inout Lease) async throws {
        guard lock.expires.timeIntervalSinceNow < Self.lockLength * 0.9 else { return }
        let there = try? JSONDecoder().decode(Lease.self, from: Data(await store.get(Self.lockObject)))
        guard there?.id == lock.id else {
            throw StoreError(
                .busy, "another collector took over the store '\(store.name)'", hint: "it finishes what this one began")
        }
        lock.expires = Date().addingTimeInterval(Self.lockLength)
        _ = try await store.put(Self.lockObject, Array(JSONEncoder().encode(lock)), .replacing)
    }

    private func takeLock(_ now: Date) async throws -> Lease {
        let own = Lease.own(until: now.addingTimeInterval(Self.lockLength))
        if try await store.put(Self.lockObject, Array(JSONEncoder().encode(own)), .ifAbsent) { return own }
        if let holder = try await Self.holder(in: store, now: now) {
            throw StoreError(
                .busy, "another collector is at work in the store '\(store.name)' (\(holder))",
                hint: "wait for it; where it was killed, its lock lapses after ten minutes")
        }
        _ = try await store.put(Self.lockObject, Array(JSONEncoder().encode(own)), .replacing)
        return own
    }

    private func collect(_ now: Date, _ lock: inout Lease) async throws -> Outcome {
        var outcome = Outcome()
        for lease in try await repository.leases() where lease.expires < now || lease.isOfDeadProcess {
            try await repository.revoke(lease)
        }
        for generation in try await generations() { try await finish(generation, &lock, &outcome) }
        try await removeManifests(&outcome)
        if let fresh = try await condemn() { try await finish(fresh, &lock, &outcome) }
        return outcome
    }

    func generations() async throws -> [Generation] {
        var found: [Generation] = []
        for object in try await store.list(Generation.folder) {
            let bytes = try await store.get(object.name)
            guard let generation = try? JSONDecoder().decode(Generation.self, from: Data(bytes)) else {
                throw StoreError(
                    .damaged, "'\(object.name)' of the store '\(store.name)' can't be understood",
                    hint: "remove that object: it only lists what may be deleted")
            }
            found.append(generation)
        }
        return found
    }

    /// Every chunk that a point has.
    private func referenced() async throws -> Set<ChunkID> {
        var all: Set<ChunkID> = []
        for point in try await repository.points() {
            for disk in point.disks { all.formUnion(try await repository.manifest(of: disk).chunks) }
        }
        return all
    }

    private func condemn() async throws -> Generation? {
        let known = Set(try await generations().flatMap(\.chunks))
        // Listed before the points are: what comes later isn't in it.
        let present = try await store.list("chunks/").compactMap { ChunkID(object: $0.name) }
        let needed = try await referenced()
        let chunks = present.filter { !needed.contains($0) }.map(\.description).filter { !known.contains($0) }
        guard !chunks.isEmpty else { return nil }
        var generation = Generation(id: UUID().uuidString.lowercased(), leases: [], chunks: chunks)
        let object = generation.object
        _ = try await store.put(object, Array(JSONEncoder().encode(generation)), .ifAbsent)
        // After the list is there: a capture that isn't among these has seen it.
        generation.leases = try await repository.leases().map(\.id)
        _ = try await store.put(object, Array(JSONEncoder().encode(generation)), .replacing)
        return generation
    }

    private func finish(_ generation: Generation, _ lock: inout Lease, _ outcome: inout Outcome) async throws {
        let active = Set(try await repository.leases().map(\.id))
        // A list whose maker was killed before it knew the captures: all of them count.
        let isMarked = try await store.size(of: generation.mark) != nil
        let waitsFor = generation.leases.isEmpty && !isMarked ? active : active.intersection(generation.leases)
        guard waitsFor.isEmpty else {
            outcome.chunksWaiting += generation.chunks.count
            return
        }
        _ = try await store.put(generation.mark, [], .replacing)
        let kept = Set(try await store.list("kept/").compactMap { $0.name.split(separator: "/").last.map(String.init) })
        let needed = try await referenced()
        for name in generation.chunks where !kept.contains(name) {
            guard let id = ChunkID(hex: name), !needed.contains(id), let size = try await store.size(of: id.object)
            else {
                continue
            }
            try await hold(&lock)
            try await store.remove(id.object)
            outcome.chunksRemoved += 1
            outcome.bytesRemoved += size
        }
        try await store.remove(generation.object)
        try await store.remove(generation.mark)
    }

    /// Those of points that were removed, and of captures that were never committed.
    private func removeManifests(_ outcome: inout Outcome) async throws {
        // Listed before points and leases are: a manifest of a capture that goes on is spared by its lease's name in it.
        let manifests = try await store.list("manifests/").map(\.name)
        let active = try await repository.leases().map(\.id)
        let needed = Set(try await repository.points().flatMap { $0.disks.map(\.manifest) })
        for manifest in manifests where !needed.contains(manifest) {
            if active.contains(where: { manifest.contains($0) }) { continue }
            try await store.remove(manifest)
            outcome.manifestsRemoved += 1
        }
    }
}
