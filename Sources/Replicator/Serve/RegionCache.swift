internal import Foundation

/// One disk of a recovery point, read by regions: those that were read last stay in memory, and of many who want one at once,
/// one fetches it.
actor RegionCache {
    private let repository: Repository
    nonisolated let manifest: Manifest
    private let limit: Int
    private var regions: [ChunkID: [UInt8]] = [:]
    /// The one that wasn't wanted for longest is first.
    private var order: [ChunkID] = []
    private var fetching: [ChunkID: Task<[UInt8], any Error>] = [:]

    /// - Parameter limit: regions that are kept.
    init(_ manifest: Manifest, _ repository: Repository, limit: Int) {
        self.manifest = manifest
        self.repository = repository
        self.limit = max(1, limit)
    }

    /// Bytes of the disk.
    /// - Precondition: they are inside it.
    nonisolated func read(_ offset: UInt64, _ length: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        var at = offset
        let end = offset + UInt64(length)
        while at < end {
            let index = Int(at / UInt64(manifest.regionSize))
            let start = Int(at % UInt64(manifest.regionSize))
            let count = min(manifest.regionSize - start, Int(end - at))
            switch manifest.regions[index] {
            case .zero: bytes += repeatElement(0, count: count)
            case .chunk(let id):
                let region = try await self.region(id)
                guard region.count >= start + count else {
                    throw StoreError(
                        .damaged, "the chunk '\(id)' is shorter than its region", hint: "capture the machine again")
                }
                bytes += region[start..<start + count]
            }
            at += UInt64(count)
        }
        return bytes
    }

    private func region(_ id: ChunkID) async throws -> [UInt8] {
        if let region = regions[id] {
            touch(id)
            return region
        }
        if let task = fetching[id] { return try await task.value }
        let task = Task { [repository] in try await repository.chunk(id) }
        fetching[id] = task
        defer { fetching[id] = nil }
        let region = try await task.value
        regions[id] = region
        touch(id)
        if order.count > limit { regions[order.removeFirst()] = nil }
        return region
    }

    private func touch(_ id: ChunkID) {
        // The lists are short: a region has megabytes.
        if let index = order.firstIndex(of: id) { order.remove(at: index) }
        order.append(id)
    }

    /// What is zeros, in order and without gaps.
    nonisolated func extents(_ offset: UInt64, _ length: UInt64) -> [(length: UInt64, isZero: Bool)] {
        var extents: [(length: UInt64, isZero: Bool)] = []
        var at = offset
        let end = min(offset + length, manifest.size)
        while at < end {
            let index = Int(at / UInt64(manifest.regionSize))
            let next = min(end, UInt64(index + 1) * UInt64(manifest.regionSize))
            let isZero = manifest.regions[index] == .zero
            if let last = extents.last, last.isZero == isZero {
                extents[extents.count - 1].length += next - at
            } else {
                extents.append((next - at, isZero))
            }
            at = next
        }
        return extents
    }
}
