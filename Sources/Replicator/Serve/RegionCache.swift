internal import Foundation
internal import Host

/// One disk of a recovery point, read by regions: those that were read last stay in memory, and of many who want one at once,
/// one fetches it.
actor RegionCache {
    private let repository: Repository
    nonisolated let manifest: Manifest
    private let limit: Int
    /// Fetching isn't left to the threads that everything shares: somebody who waits for this disk may hold them.
    private let pool: WorkerPool
    private var regions: [Manifest.Region: [UInt8]] = [:]
    /// The one that wasn't wanted for longest is first.
    private var order: [Manifest.Region] = []
    /// Regions of the disk that were wanted, by their numbers, in the order of their first time.
    private var wanted: [Int] = []
    private var isWanted: Set<Int> = []
    /// Objects that were fetched for them, and those that were before they were wanted.
    private(set) var fetched = 0
    private var fetching: [Manifest.Region: Task<[UInt8], any Error>] = [:]

    /// - Parameter limit: regions that are kept.
    init(_ manifest: Manifest, _ repository: Repository, limit: Int, pool: WorkerPool) {
        self.pool = pool
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
            case let entry:
                let region = try await self.region(entry, index)
                bytes += region[start..<start + count]
            }
            at += UInt64(count)
        }
        return bytes
    }

    private func region(_ entry: Manifest.Region, _ index: Int) async throws -> [UInt8] {
        if isWanted.insert(index).inserted { wanted.append(index) }
        return try await region(entry, length: manifest.length(of: index))
    }

    private func region(_ entry: Manifest.Region, length: Int) async throws -> [UInt8] {
        if let region = regions[entry], region.count == length {
            touch(entry)
            return region
        }
        if let task = fetching[entry] { return try await task.value }
        let task = Task(executorPreference: pool) { [repository] in
            try await repository.region(entry, length: length)
        }
        fetching[entry] = task
        defer { fetching[entry] = nil }
        let region = try await task.value
        fetched += 1
        regions[entry] = region
        touch(entry)
        if order.count > limit { regions[order.removeFirst()] = nil }
        return region
    }

    /// Objects that are fetched side by side: a bucket's answers take their time.
    private static let prefetchers = 8

    /// What a boot wants, in its order, for the next one: ``prefetch(_:)``.
    var trace: [Int] { wanted }

    /// Fetches regions before they are wanted; as many as are kept. What can't be fetched, a reader will be told.
    func prefetch(_ numbers: [Int]) async {
        let numbers = numbers.filter { manifest.regions.indices.contains($0) && manifest.regions[$0] != .zero }
        let counter = Counter()
        let kept = Array(numbers.prefix(limit))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.prefetchers {
                group.addTask { [self] in
                    while !Task.isCancelled, let next = counter.next(below: kept.count) {
                        _ = try? await region(manifest.regions[kept[next]], length: manifest.length(of: kept[next]))
                    }
                }
            }
        }
    }

    private func touch(_ entry: Manifest.Region) {
        // The lists are short: a region has megabytes.
        if let index = order.firstIndex(of: entry) { order.remove(at: index) }
        order.append(entry)
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
