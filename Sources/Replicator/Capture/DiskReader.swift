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
    }

    /// What the workers find out.
    private final class Found: Sendable {
        private let state: Mutex<Result>

        init(_ result: Result) { state = Mutex(result) }

        var result: Result { state.withLock { $0 } }

        func with<Value: Sendable>(_ body: (inout Result) -> Value) -> Value { state.withLock { body(&$0) } }
    }

    /// What is to be done with a region.
    private enum Work: Equatable {
        case read
        case zero
        /// As in the point before.
        case same
    }

    func run() async throws -> Result {
        let regionSize = repository.settings.regionSize
        let work = try plan(regionSize)
        let next = Counter()
        let found = Found(
            Result(
                manifest: Manifest(
                    size: disk.size, regionSize: regionSize,
                    regions: work.indices.map { index in
                        work[index] == .same ? old?.regions[index] ?? .zero : .zero
                    })))
        settle(work, found)
        try await Workers.run(workers) {
            let connection = try NBDConnection(disk.uri, contexts: [])
            let encoder = ZstdEncoder()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: regionSize, alignment: 4096)
            defer { buffer.deallocate() }
            while true {
                try Task.checkCancellation()
                guard let region = next.next(below: work.count, where: { work[$0] == .read }) else { return }
                try await take(region, connection, buffer, encoder, found)
            }
        }
        return found.result
    }

    /// What needs no reading counts as done.
    private func settle(_ work: [Work], _ found: Found) {
        for (index, item) in work.enumerated() where item != .read {
            let length = UInt64(length(of: index, repository.settings.regionSize))
            if item == .zero, let old, index < old.regions.count, old.regions[index] != .zero {
                found.with { $0.changed += length }
            }
            meter.count(disk.name, done: length, stored: 0)
        }
    }

    /// By what the source says of the disk, without reading any of it.
    private func plan(_ regionSize: Int) throws -> [Work] {
        let count = Manifest.count(size: disk.size, regionSize: regionSize)
        var work = [Work](repeating: .read, count: count)
        guard count > 0 else { return [] }
        if let changes = disk.changes, let old {
            for index in work.indices
            where index < old.regions.count && old.length(of: index) == length(of: index, regionSize) {
                work[index] = .same
            }
            for change in changes where change.length > 0 {
                // A source may know more of a disk than it has now.
                let first = min(change.offset, disk.size) / UInt64(regionSize)
                let end = min(change.offset &+ change.length, disk.size)
                for index in Int(first)..<max(Int(first), Int((end + UInt64(regionSize) - 1) / UInt64(regionSize))) {
                    work[index] = .read
                }
            }
        }
        let connection = try NBDConnection(disk.uri)
        guard connection.has(context: NBDConnection.allocation) else { return work }
        // 2: it reads as zeros.
        for extent in try connection.extents(NBDConnection.allocation, offset: 0, length: disk.size)
        where extent.flags & 2 != 0 {
            let end = extent.offset + extent.length
            let first = Int((extent.offset + UInt64(regionSize) - 1) / UInt64(regionSize))
            // The last region may be a short one.
            let last = end == disk.size ? count : Int(end / UInt64(regionSize))
            for index in first..<max(first, last) where work[index] == .read { work[index] = .zero }
        }
        return work
    }

    private func length(of region: Int, _ regionSize: Int) -> Int {
        Int(min(UInt64(regionSize), disk.size - UInt64(region) * UInt64(regionSize)))
    }

    private func take(
        _ region: Int, _ connection: NBDConnection, _ buffer: UnsafeMutableRawBufferPointer, _ encoder: ZstdEncoder,
        _ found: Found
    ) async throws {
        let regionSize = repository.settings.regionSize
        let length = length(of: region, regionSize)
        let content = UnsafeMutableRawBufferPointer(rebasing: buffer[..<length])
        try await meter.admit(length)
        try connection.read(into: content, offset: UInt64(region) * UInt64(regionSize))
        var entry = Manifest.Region.zero
        var stored: UInt64 = 0
        let before = old.flatMap { region < $0.regions.count ? $0.regions[region] : nil }
        if !Zeros.fill(UnsafeRawBufferPointer(content)) {
            let id = repository.cipher.id(of: UnsafeRawBufferPointer(content))
            entry = .chunk(id)
            stored = try await writer.put(UnsafeRawBufferPointer(content), as: id, encoder: encoder)
        }
        found.with { result in
            result.manifest.regions[region] = entry
            if entry != before ?? .zero { result.changed += UInt64(length) }
            result.stored += stored
        }
        meter.count(disk.name, done: UInt64(length), stored: stored)
    }
}

/// Hands out numbers, each once.
final class Counter: Sendable {
    private let state = Mutex(0)

    /// The next number that suits; nil where there is none.
    func next(below end: Int, where suits: (Int) -> Bool = { _ in true }) -> Int? {
        state.withLock { next in
            while next < end, !suits(next) { next += 1 }
            guard next < end else { return nil }
            defer { next += 1 }
            return next
        }
    }
}

/// Whether memory is all zeros.
enum Zeros {
    static func fill(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let block = 4096
        var at = 0
        // Most memory that isn't zero says so soon.
        while at + block <= bytes.count {
            var sum = SIMD8<UInt64>(repeating: 0)
            for index in stride(from: at, to: at + block, by: 64) {
                sum |= bytes.loadUnaligned(fromByteOffset: index, as: SIMD8<UInt64>.self)
            }
            if sum != SIMD8(repeating: 0) { return false }
            at += block
        }
        return bytes[at...].allSatisfy { $0 == 0 }
    }
}
