internal import CLinux
public import Foundation
internal import Glibc
internal import Host
internal import Synchronization

/// Writes a recovery point's disks out as sparse raw files.
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

    /// - Parameter paths: one for each disk, in their order.
    public func run(to paths: [String], progress: @escaping @Sendable (Progress) -> Void) async throws {
        let total = point.size
        var before: UInt64 = 0
        for (disk, path) in zip(point.disks, paths) {
            let start = before
            try await write(disk, to: path) { progress(Progress(done: start + $0, total: total)) }
            before += disk.size
        }
    }

    private func write(
        _ disk: RecoveryPoint.Disk, to path: String, progress: @escaping @Sendable (UInt64) -> Void
    ) async throws {
        let manifest = try await repository.manifest(of: disk)
        let part = path + ".part"
        let target = try RestoreTarget(part, size: disk.size)
        let counter = Counter()
        let done = Done()
        try await Workers.run(workers) {
            while let region = counter.next(below: manifest.regions.count) {
                try Task.checkCancellation()
                try await lay(region, of: manifest, onto: target)
                progress(done.add(UInt64(manifest.length(of: region))))
            }
        }
        try target.finish(as: path)
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

    private func lay(_ region: Int, of manifest: Manifest, onto target: RestoreTarget) async throws {
        let offset = UInt64(region) * UInt64(manifest.regionSize)
        let length = manifest.length(of: region)
        switch manifest.regions[region] {
        case .zero: try target.clear(offset, length)
        case let entry:
            // Left by a restore that was interrupted. A patched region has no checksum of its own.
            if target.isResumed, case .chunk(let id) = entry, let there = try target.read(offset, length),
                there.withUnsafeBytes({ repository.cipher.id(of: $0) }) == id
            {
                return
            }
            let content = try await repository.region(entry, length: length)
            try target.write(content, offset)
        }
    }
}

/// A file that is being written.
final class RestoreTarget: Sendable {
    private let descriptor: Int32
    private let path: String
    /// Whether something was in it.
    let isResumed: Bool

    init(_ path: String, size: UInt64) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, errno) }
        isResumed = status.st_size > 0
        guard ftruncate(descriptor, Int(size)) == 0 else { throw Self.failure(path, errno) }
    }

    deinit { close(descriptor) }

    private static func failure(_ path: String, _ code: Int32) -> StoreError {
        StoreError(
            .unavailable, "could not write '\(path)': \(String(cString: strerror(code)))",
            hint: code == ENOSPC
                ? "make room there, and restore again: what is written already counts"
                : "check the path, and that this user may write there")
    }

    func write(_ bytes: [UInt8], _ offset: UInt64) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, Int(offset) + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path, errno) }
            done += count
        }
    }

    /// nil where it is a hole.
    func read(_ offset: UInt64, _ length: Int) throws -> [UInt8]? {
        let data = lseek(descriptor, Int(offset), rehost_seek_data)
        guard data >= 0, data < Int(offset) + length else { return nil }
        var bytes = [UInt8](repeating: 0, count: length)
        var done = 0
        while done < length {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: done), length - done, Int(offset) + done)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path, errno) }
            done += count
        }
        return bytes
    }

    /// A hole, where the file system has them.
    func clear(_ offset: UInt64, _ length: Int) throws {
        guard isResumed else { return }
        if fallocate(descriptor, rehost_punch_hole, Int(offset), Int(length)) == 0 { return }
        try write([UInt8](repeating: 0, count: length), offset)
    }

    func finish(as name: String) throws {
        guard fsync(descriptor) == 0, rename(path, name) == 0 else { throw Self.failure(path, errno) }
    }
}
