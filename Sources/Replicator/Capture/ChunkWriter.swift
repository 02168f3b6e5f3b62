internal import Archives
internal import Foundation
internal import Synchronization

/// Puts regions into a store, each content once.
final class ChunkWriter: Sendable {
    private let repository: Repository
    private let lease: String
    /// Chunks that are there, and stay as long as the lease does.
    private let known: Mutex<Set<ChunkID>>
    /// Chunks that a collector is about to delete, by the list's mark.
    private let condemned: [ChunkID: String]
    /// Chunks that a verification found damaged: what is there doesn't count.
    private let damaged: Set<ChunkID>

    private var store: any ObjectStore { repository.store }

    init(_ repository: Repository, lease: Lease) async throws {
        self.repository = repository
        self.lease = lease.id
        var condemned: [ChunkID: String] = [:]
        for generation in try await Collector(repository).generations() {
            for chunk in generation.chunks { if let id = ChunkID(hex: chunk) { condemned[id] = generation.mark } }
        }
        self.condemned = condemned
        damaged = try await repository.damagedChunks()
        known = Mutex([])
    }

    /// Chunks of the point before: no look at the store is needed for them.
    func trust(_ chunks: Set<ChunkID>) {
        let good = chunks.filter { condemned[$0] == nil && !damaged.contains($0) }
        known.withLock { $0.formUnion(good) }
    }

    func isKnown(_ id: ChunkID) -> Bool { known.withLock { $0.contains(id) } }

    /// Bytes that live in an array.
    func put(_ content: [UInt8], as id: ChunkID, encoder: ZstdEncoder) async throws -> UInt64 {
        // A pointer into the array must not live over a suspension.
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: content)
        return try await put(UnsafeRawBufferPointer(buffer), as: id, encoder: encoder)
    }

    /// - Returns: how many bytes that were.
    func put(_ content: UnsafeRawBufferPointer, as id: ChunkID, encoder: ZstdEncoder) async throws -> UInt64 {
        if isKnown(id) { return 0 }
        var isDamaged = damaged.contains(id)
        if let mark = condemned[id] {
            try await rescue(id, mark)
        } else if !isDamaged, let size = try await store.size(of: id.object) {
            if try await isWhole(id, size) {
                known.withLock { _ = $0.insert(id) }
                return 0
            }
            isDamaged = true
        }
        let object = try Chunk.encode(content, id, cipher: repository.cipher, scratch: encoder)
        let isNew = try await store.put(
            id.object, object, isDamaged || condemned[id] != nil ? .replacing : .ifAbsent)
        if isDamaged { try await store.remove(Repository.damagedFolder + id.description) }
        known.withLock { _ = $0.insert(id) }
        return isNew ? UInt64(object.count) : 0
    }

    /// Whether a chunk that no point vouches for is all there: a capture that ended by a power cut may have left parts.
    private func isWhole(_ id: ChunkID, _ size: UInt64) async throws -> Bool {
        guard size > UInt64(Frame.size) else { return false }
        if store.isDurableAtOnce { return true }
        do { return Chunk.isWhole(try await store.get(id.object)) } catch let error as StoreError
            where error.kind == .missing
        { return false }
    }

    /// Says that the chunk is wanted, and waits where it is being deleted at this moment.
    private func rescue(_ id: ChunkID, _ mark: String) async throws {
        _ = try await store.put("kept/\(lease)/\(id)", [], .replacing)
        // A collector that goes on where another one was killed sees that the chunk is wanted; one that is at work may not.
        while try await store.size(of: mark) != nil, try await Collector.holder(in: store) != nil {
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}

extension Repository {
    static let damagedFolder = "damaged/"

    func damagedChunks() async throws -> Set<ChunkID> {
        Set(
            try await store.list(Self.damagedFolder).compactMap {
                ChunkID(hex: $0.name.dropFirst(Self.damagedFolder.count))
            })
    }
}
