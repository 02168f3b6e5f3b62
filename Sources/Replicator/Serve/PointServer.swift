internal import Foundation
internal import Glibc
internal import Host
internal import Synchronization

/// Serves a recovery point's disks over NBD, read-only, on a Unix socket: a machine can be started from it at once, with an
/// overlay for what it writes.
///
/// Each disk is an export of its own name, "disk-0"; the first is the default one, too.
public final class PointServer: Sendable {
    private let exports: [(name: String, disk: RegionCache)]
    private let listener: Int32
    private let pool = WorkerPool(count: max(4, ProcessInfo.processInfo.activeProcessorCount))
    private let path: String
    private let isClosed = Mutex(false)
    private let prefetching = Mutex<[Task<Void, Never>]>([])

    /// Of a disk, in bytes: what of it isn't zeros.
    public func allocated(disk: Int) -> UInt64 {
        let manifest = exports[disk].disk.manifest
        return UInt64(manifest.regions.count { $0 != .zero }) * UInt64(manifest.regionSize)
    }

    /// What was read of a disk.
    public struct Use: Codable, Sendable {
        public var name: String
        /// Of the disk, and those that aren't zeros.
        public var regions: Int
        public var held: Int
        /// That somebody read from, and that were fetched from the store.
        public var read: Int
        public var fetched: Int
    }

    public var use: [Use] {
        get async {
            var uses: [Use] = []
            for (name, disk) in exports {
                let regions = disk.manifest.regions
                uses.append(
                    Use(
                        name: name, regions: regions.count, held: regions.count { $0 != .zero },
                        read: await disk.trace.count, fetched: await disk.fetched))
            }
            return uses
        }
    }

    /// What was read, in its order: what the next start of the machine will want.
    public var trace: BootTrace {
        get async {
            var disks: [String: [Int]] = [:]
            for (name, disk) in exports { disks[name] = await disk.trace }
            return BootTrace(regionSize: exports.first?.disk.manifest.regionSize ?? 0, disks: disks)
        }
    }

    /// Fetches what a start wants before it does.
    public func prefetch(_ trace: BootTrace) {
        for (name, disk) in exports where disk.manifest.regionSize == trace.regionSize {
            guard let numbers = trace.disks[name], !numbers.isEmpty else { continue }
            let task = Task(executorPreference: pool) { await disk.prefetch(numbers) }
            prefetching.withLock { $0.append(task) }
        }
    }

    /// "nbd+unix:///disk-0?socket=PATH", in the disks' order.
    public var uris: [String] { exports.map { "nbd+unix:///\($0.name)?socket=\(path)" } }

    /// - Parameters:
    ///   - socket: the socket's path, which must not be there yet.
    ///   - memory: in bytes, for regions that were read.
    public init(_ point: RecoveryPoint, from repository: Repository, socket path: String, memory: Int = 256 << 20)
        async throws
    {
        let limit = max(4, memory / repository.settings.regionSize / max(1, point.disks.count))
        var exports: [(String, RegionCache)] = []
        for disk in point.disks {
            let manifest = try await repository.manifest(of: disk)
            exports.append((disk.name, RegionCache(manifest, repository, limit: limit, pool: pool)))
        }
        self.exports = exports
        self.path = path
        listener = try Self.listen(path)
        let thread = Thread { [weak self, listener] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0, errno == EINTR || errno == ECONNABORTED { continue }
                if connection < 0, [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(errno) {
                    // Until others have ended.
                    usleep(100_000)
                    continue
                }
                guard connection >= 0 else { return }
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                guard let self else {
                    _ = Glibc.close(connection)
                    return
                }
                serve(connection)
            }
        }
        thread.start()
    }

    private static func listen(_ path: String) throws -> Int32 {
        func failure(_ code: Int32) -> StoreError {
            StoreError(
                .unavailable, "could not listen on '\(path)': \(String(cString: strerror(code)))",
                hint: code == EADDRINUSE
                    ? "another server has it, or left it there: remove it" : "choose another --socket")
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw failure(ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure(errno) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        // Only this user connects.
        guard bound == 0, chmod(path, 0o600) == 0, Glibc.listen(descriptor, 16) == 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw failure(code)
        }
        return descriptor
    }

    private func serve(_ descriptor: Int32) {
        let exports = exports.map { ($0.name, $0.disk) }
        let thread = Thread {
            // Threads of its own: a client that takes nothing holds up none but itself.
            let connection = NBDServing(descriptor, exports: exports, pool: WorkerPool(count: 4))
            connection.run()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Takes no more connections; those that are there go on until their clients end them.
    public func close() {
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        for task in prefetching.withLock({ $0 }) { task.cancel() }
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
        unlink(path)
    }

    deinit { close() }
}
