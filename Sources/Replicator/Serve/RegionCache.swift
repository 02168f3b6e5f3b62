internal import Foundation

/// One disk of a recovery point, read by regions: those that were read last stay in memory, and of many who want one at once,
/// one fetches it.
actor RegionCache {
    private let repository: Repository
    nonisolated let manifest: Manifest
    private let limit: Int
    private var regions: [Manifest.Region: [UInt8]] = [:]
    /// The one that wasn't wanted for longest is first.
    private var order: [Manifest.Region] = []
    private var fetching: [Manifest.Region: Task<[UInt8], any Error>] = [:]

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
            case let entry:
                let region = try await self.region(entry, length: manifest.length(of: index))
                bytes += region[start..<start + count]
            }
            at += UInt64(count)
        }
        return bytes
    }

    private func region(_ entry: Manifest.Region, length: Int) async throws -> [UInt8] {
        if let region = regions[entry], region.count == length {
            touch(entry)
            return region
        }
        if let task = fetching[entry] { return try await task.value }
        let task = Task { [repository] in try await repository.region(entry, length: length) }
        fetching[entry] = task
        defer { fetching[entry] = nil }
        let region = try await task.value
        regions[entry] = region
        touch(entry)
        if order.count > limit { regions[order.removeFirst()] = nil }
        return region
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
