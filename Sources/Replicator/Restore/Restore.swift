public import Disks
public import Foundation
internal import Host
internal import Synchronization

/// Writes a recovery point's disks out as sparse files.
///
/// A file gets its name when it is whole and on the disk. Until then it is `NAME.part`; what is in it already counts when the
/// same point is restored again, after a look at it.
public struct Restore: Sendable {
    private let repository: Repository
    private let point: RecoveryPoint
    private let workers: Int

    public init(
        _ point: RecoveryPoint, from repository: Repository,
        workers: Int = max(2, ProcessInfo.processInfo.activeProcessorCount)
    ) {
        self.point = point
        self.repository = repository
        self.workers = workers
    }

    public struct Progress: Sendable {
        /// In bytes, of all disks.
        public var done: UInt64
        public var total: UInt64
    }

    /// - Parameters:
    ///   - paths: one for each disk, in their order.
    ///   - format: one of those that can be written in any order.
    public func run(
        to paths: [String], as format: OutputFormat = .raw, progress: @escaping @Sendable (Progress) -> Void
    ) async throws {
        let total = point.size
        var before: UInt64 = 0
        for (disk, path) in zip(point.disks, paths) {
            let start = before
            try await write(disk, to: path, as: format) { progress(Progress(done: start + $0, total: total)) }
            before += disk.size
        }
    }

    private func write(
        _ disk: RecoveryPoint.Disk, to path: String, as format: OutputFormat,
        progress: @escaping @Sendable (UInt64) -> Void
    ) async throws {
        let manifest = try await repository.manifest(of: disk)
        let part = path + ".part"
        let target: any RestoreTarget =
            format == .raw
            ? try RawTarget(part, size: disk.size)
            : try await ImageTarget(part, size: disk.size, format: format, writers: workers)
        let counter = Counter()
        let done = Done()
        try await Workers.run(workers) {
            let writer = try target.writer()
            while let region = counter.next(below: manifest.regions.count) {
                try Task.checkCancellation()
                try await lay(region, of: manifest, onto: writer, isResumed: target.isResumed)
                progress(done.add(UInt64(manifest.length(of: region))))
            }
        }
        try await target.finish(as: path)
    }

    private final class Done: Sendable {
        private let state = Mutex<UInt64>(0)
        func add(_ bytes: UInt64) -> UInt64 {
            state.withLock {
                $0 += bytes
                return $0
            }
        }
    }

    private func lay(
        _ region: Int, of manifest: Manifest, onto target: any RestoreWriter, isResumed: Bool
    ) async throws {
        let offset = UInt64(region) * UInt64(manifest.regionSize)
        let length = manifest.length(of: region)
        switch manifest.regions[region] {
        case .zero: if isResumed { try target.clear(offset, length) }
        case let entry:
            // Left by a restore that was interrupted. A patched region has no checksum of its own.
            if isResumed, case .chunk(let id) = entry, let there = try target.read(offset, length),
                there.withUnsafeBytes({ repository.cipher.id(of: $0) }) == id
            {
                return
            }
            let content = try await repository.region(entry, length: length)
            try target.write(content, offset)
        }
    }
}
