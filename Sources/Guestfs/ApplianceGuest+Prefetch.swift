internal import Archives
internal import CGuestfs
internal import Foundation
internal import Glibc
public import Guest

extension ApplianceGuest {
    /// More than any /etc or /boot without kernels holds; beyond it, files are read one by one, as they are asked for.
    private static var prefetchLimit: Int { 64 << 20 }

    public func prefetch(_ folder: GuestPath, excluding: [String]) throws {
        guard let archive = try tarOut(folder, excluding: excluding) else { return }
        let entries = try Tar.read(archive, limit: Self.prefetchLimit)
        var names: [GuestPath: [String]] = [:]
        for item in entries where !item.path.isEmpty {
            let path = folder.appending(item.path)
            names[path.parent, default: []].append(path.name)
            var entry = FileEntry(
                kind: .special, permissions: item.permissions, owner: item.owner, group: item.group)
            switch item.kind {
            case .file(let bytes):
                entry.kind = .file
                entry.size = UInt64(bytes.count)
                cache.remember(contents: bytes, at: path)
            case .directory:
                entry.kind = .directory
                names[path, default: []] += []
            case .symlink(let target): entry.kind = .symlink(target: target)
            case .special: break
            // Its first name has the content; this one is asked for in its own right.
            case .hardLink: continue
            }
            cache.remember(entry, at: path)
            cache.remember(attributes: item.attributes, at: path)
        }
        // A folder with something left out is listed afresh when asked for.
        let incomplete = Set(excluding.map { folder.appending($0).parent })
        for (path, found) in names where !incomplete.contains(path) { cache.remember(names: found, in: path) }
    }

    /// The folder as a tar archive; nil where it isn't there or is too large.
    private func tarOut(_ folder: GuestPath, excluding: [String]) throws -> [UInt8]? {
        guard try entry(at: folder)?.kind == .directory else { return nil }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw GuestfsError(call: "make a pipe", reason: String(cString: strerror(errno)), code: errno)
        }
        // A child that held the writing end would keep the reader waiting.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reader = PipeReader(descriptor: ends[0], limit: Self.prefetchLimit)
        let raw = UInt(bitPattern: withHandle { $0.raw })
        // The one libguestfs call that may come from another thread; it ends the transfer.
        reader.start { _ = guestfs_user_cancel(OpaquePointer(bitPattern: raw)) }
        let status = Handle.withStrings(excluding.map { "./" + $0 }) { patterns in
            withHandle { handle in
                var options = guestfs_tar_out_opts_argv()
                options.bitmask =
                    rehost_tar_out_numericowner | rehost_tar_out_excludes | rehost_tar_out_xattrs
                    | rehost_tar_out_selinux
                options.numericowner = 1
                options.excludes = UnsafePointer(patterns)
                options.xattrs = 1
                options.selinux = 1
                return guestfs_tar_out_opts_argv(handle.raw, folder.description, "/dev/fd/\(ends[1])", &options)
            }
        }
        let failure = withHandle { $0.failure("read '\(folder)'") }
        close(ends[1])
        let bytes = reader.finish()
        guard let bytes else { return nil }
        guard status == 0 else { throw failure }
        return bytes
    }
}

/// Drains a pipe on a thread of its own, up to a limit.
private final class PipeReader: @unchecked Sendable {
    // Written by the thread before the semaphore is signalled, read after it.
    private var bytes: [UInt8] = []
    private var isTooLarge = false
    private let done = DispatchSemaphore(value: 0)
    private let descriptor: Int32
    private let limit: Int

    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
    }

    func start(tooLarge: @escaping @Sendable () -> Void) {
        Thread.detachNewThread { [self] in
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { break }
                if isTooLarge { continue }
                bytes.append(contentsOf: buffer[..<count])
                if bytes.count > limit {
                    isTooLarge = true
                    bytes = []
                    tooLarge()
                }
            }
            close(descriptor)
            done.signal()
        }
    }

    /// Waits for the pipe's end; nil where there was too much.
    func finish() -> [UInt8]? {
        done.wait()
        return isTooLarge ? nil : bytes
    }
}
