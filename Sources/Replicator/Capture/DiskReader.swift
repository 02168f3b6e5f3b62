internal import Archives
internal import Disks
internal import Foundation
internal import Host
internal import Synchronization

/// Reads one disk's regions and puts them into the store. A worker does all of a region: reading, hashing, compressing,
/// writing; so memory is bounded by their number, whatever the disk's size.
struct DiskReader: Sendable {
    let disk: SourceDisk
    /// Of the point before.
    let old: Manifest?
    let repository: Repository
    let writer: ChunkWriter
    let workers: Int
    let meter: Meter

    struct Result: Sendable {
        var manifest: Manifest
        /// In bytes.
        var changed: UInt64 = 0
        var stored: UInt64 = 0
        /// Whether the source's word of what has changed was taken.
        var isTracked = false
        /// Why it wasn't, where it was looked into and found wrong.
        var alarm: String?
    }

    /// What the workers find out.
    private final class Found: Sendable {
        private let state: Mutex<Result>

        init(_ result: Result) { state = Mutex(result) }

        var result: Result { state.withLock { $0 } }

        func with<Value: Sendable>(_ body: (inout Result) -> Value) -> Value { state.withLock { body(&$0) } }
    }

    private var regionSize: Int { repository.settings.regionSize }

    func run() async throws -> Result {
        var plan = try DiskPlan(disk, after: old, regionSize: regionSize, isKnown: writer.isKnown)
        var result = Result(manifest: Manifest(size: disk.size, regionSize: regionSize, regions: []))
        result.isTracked = disk.changes != nil && old != nil
        if result.isTracked, let region = try await wrongSample(plan) {
            plan.distrust()
            result.isTracked = false
            result.alarm =
                "ALARM: at \(UInt64(region) * UInt64(regionSize)) it isn't what it was, and its bitmap doesn't say so; all of"
                + " it was read and compared. Earlier tracked points may lack writes, too"
        }
        result.manifest.regions = plan.work.indices.map { index in
            plan.work[index] == .same ? old?.regions[index] ?? .zero : .zero
        }
        let next = Counter()
        let found = Found(result)
        settle(plan, found)
        try await Workers.run(workers) { [plan] in
            let source = try disk.open()
            let encoder = ZstdEncoder()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: regionSize, alignment: 4096)
            defer { buffer.deallocate() }
            while true {
                try Task.checkCancellation()
                let region = next.next(below: plan.work.count) { plan.work[$0] != .same && plan.work[$0] != .zero }
                guard let region else { return }
                let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<plan.length(of: region)])
                switch plan.work[region] {
                case .patch(let blocks): try await patch(region, blocks, source, bytes, encoder, found)
                case .fill(let stretches): try await fill(region, stretches, source, bytes, encoder, found)
                default: try await take(region, source, bytes, encoder, found)
                }
            }
        }
        return found.result
    }

    /// What needs no reading counts as done.
    private func settle(_ plan: DiskPlan, _ found: Found) {
        for (index, item) in plan.work.enumerated() where item == .same || item == .zero {
            let length = UInt64(plan.length(of: index))
            if item == .zero, let old, index < old.regions.count, old.regions[index] != .zero {
                found.with { $0.changed += length }
            }
            meter.count(disk.name, done: length, stored: 0)
        }
    }

    // MARK: Samples

    /// One in so many regions that are said to be the same is read all the same, but never more than `sampleLimit`: trackers
    /// have had bugs that missed writes.
    private static let sampleShare = 100
    private static let sampleLimit = 16

    /// - Returns: a region that isn't as it was; nil where none was found.
    private func wrongSample(_ plan: DiskPlan) async throws -> Int? {
        guard let old else { return nil }
        // Most of a disk may be zeros, and a write is more often missed where there are others; some of each.
        let same = plan.work.indices.filter { plan.work[$0] == .same }
        let (zeros, held) = (same.filter { old.regions[$0] == .zero }, same.filter { old.regions[$0] != .zero })
        func some(_ regions: [Int], _ limit: Int) -> ArraySlice<Int> {
            regions.shuffled().prefix(min(limit, max(1, regions.count / Self.sampleShare)))
        }
        let sample = some(held, Self.sampleLimit * 3 / 4) + some(zeros, Self.sampleLimit / 4)
        guard !sample.isEmpty else { return nil }
        let source = try disk.open()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: regionSize, alignment: 4096)
        defer { buffer.deallocate() }
        for region in sample {
            try Task.checkCancellation()
            let content = UnsafeMutableRawBufferPointer(rebasing: buffer[..<plan.length(of: region)])
            try source.read(into: content, offset: UInt64(region) * UInt64(regionSize))
            meter.countSample(content.count)
            guard try await self.isContent(UnsafeRawBufferPointer(content), of: old.regions[region]) else {
                return region
            }
        }
        return nil
    }

    private func isContent(_ bytes: UnsafeRawBufferPointer, of entry: Manifest.Region) async throws -> Bool {
        switch entry {
        case .zero: Zeros.fill(bytes)
        case .chunk(let id): repository.cipher.id(of: bytes) == id
        // It has no checksum of its own.
        case .patched: try await repository.region(entry, length: bytes.count).elementsEqual(bytes)
        }
    }

    // MARK: Regions

    private func take(
        _ region: Int, _ disk: any DiskContent, _ buffer: UnsafeMutableRawBufferPointer, _ encoder: ZstdEncoder,
        _ found: Found
    ) async throws {
        try await read(buffer, of: region, at: 0, disk)
        try await store(region, UnsafeRawBufferPointer(buffer), changed: buffer.count, encoder, found)
    }

    /// Reads what isn't zeros of a region.
    private func fill(
        _ region: Int, _ stretches: [Range<Int>], _ disk: any DiskContent, _ buffer: UnsafeMutableRawBufferPointer,
        _ encoder: ZstdEncoder, _ found: Found
    ) async throws {
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        var changed = 0
        for piece in stretches {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[piece])
            try await read(bytes, of: region, at: piece.lowerBound, disk)
            changed += bytes.count
        }
        try await store(region, UnsafeRawBufferPointer(buffer), changed: changed, encoder, found)
    }

    /// Reads a region's changed blocks alone.
    private func patch(
        _ region: Int, _ blocks: [Int], _ disk: any DiskContent, _ buffer: UnsafeMutableRawBufferPointer,
        _ encoder: ZstdEncoder, _ found: Found
    ) async throws {
        guard let old, let base = old.regions[region].chunks.first else { return }
        var content: [UInt8] = []
        for piece in Patch.stretches(blocks, of: buffer.count) {
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[piece])
            try await read(bytes, of: region, at: piece.lowerBound, disk)
            content += bytes
        }
        let bytes = Patch(blocks: blocks, content: content).encoded
        let id = bytes.withUnsafeBytes { repository.cipher.id(of: $0) }
        let stored = try await writer.put(bytes, as: id, encoder: encoder)
        let entry = Manifest.Region.patched(base, old.regions[region].chunks.dropFirst() + [id])
        note(region, entry, changed: content.count, stored, found)
        meter.count(self.disk.name, done: UInt64(buffer.count), stored: stored)
    }

    private func read(
        _ bytes: UnsafeMutableRawBufferPointer, of region: Int, at start: Int, _ disk: any DiskContent
    ) async throws {
        try await meter.admit(bytes.count)
        try disk.read(into: bytes, offset: UInt64(region) * UInt64(regionSize) + UInt64(start))
    }

    /// Puts a region as a whole.
    private func store(
        _ region: Int, _ content: UnsafeRawBufferPointer, changed: Int, _ encoder: ZstdEncoder, _ found: Found
    ) async throws {
        let before = old.flatMap { region < $0.regions.count ? $0.regions[region] : nil } ?? .zero
        var entry = Manifest.Region.zero
        var stored: UInt64 = 0
        // A patched region has no name of its own to be known by.
        if case .patched = before, before.chunks.allSatisfy(writer.isKnown),
            (try? await isContent(content, of: before)) == true
        {
            entry = before
        } else if !Zeros.fill(content) {
            let id = repository.cipher.id(of: content)
            entry = .chunk(id)
            stored = try await writer.put(content, as: id, encoder: encoder)
        }
        note(region, entry, changed: entry == before ? 0 : changed, stored, found)
        meter.count(disk.name, done: UInt64(content.count), stored: stored)
    }

    private func note(_ region: Int, _ entry: Manifest.Region, changed: Int, _ stored: UInt64, _ found: Found) {
        found.with { result in
            result.manifest.regions[region] = entry
            result.changed += UInt64(changed)
            result.stored += stored
        }
    }
}
