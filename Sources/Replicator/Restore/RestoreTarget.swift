internal import CLinux
internal import Foundation
internal import Glibc

/// A disk that is being written.
protocol RestoreTarget: Sendable {
    /// Whether something was in it.
    var isResumed: Bool { get }

    /// For one task at a time.
    func writer() throws -> any RestoreWriter

    /// Gives it its name, when all of it is on the disk and every writer is gone.
    func finish(as name: String) async throws
}

protocol RestoreWriter {
    func write(_ bytes: [UInt8], _ offset: UInt64) throws
    /// nil where it is a hole.
    func read(_ offset: UInt64, _ length: Int) throws -> [UInt8]?
    func clear(_ offset: UInt64, _ length: Int) throws
}

/// A raw file.
final class RawTarget: RestoreTarget, RestoreWriter {
    private let descriptor: Int32
    private let path: String
    /// Whether something was in it.
    let isResumed: Bool

    init(_ path: String, size: UInt64) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        try Self.lock(descriptor, path)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, errno) }
        isResumed = status.st_size > 0
        guard ftruncate(descriptor, Int(size)) == 0 else { throw Self.failure(path, errno) }
    }

    deinit { close(descriptor) }

    /// As long as it is open: two restores into one file would mix.
    static func lock(_ descriptor: Int32, _ path: String) throws {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StoreError(
                .busy, "another restore is writing '\(path)'", hint: "wait for it, or choose another --output")
        }
    }

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
        if fallocate(descriptor, rehost_punch_hole, Int(offset), Int(length)) == 0 { return }
        try write([UInt8](repeating: 0, count: length), offset)
    }

    func writer() -> any RestoreWriter { self }

    func finish(as name: String) async throws {
        guard fsync(descriptor) == 0, rename(path, name) == 0 else { throw Self.failure(path, errno) }
    }
}
