internal import Disks
internal import Foundation
internal import Glibc

/// A disk in a format of QEMU's, which qemu-nbd writes.
final class ImageTarget: RestoreTarget {
    let isResumed: Bool
    private let export: NBDExport
    private let path: String
    /// A descriptor.
    private let lock: Int32

    /// - Parameters:
    ///   - size: in bytes.
    ///   - format: one of `OutputFormat.writable`.
    init(_ path: String, size: UInt64, format: OutputFormat, writers: Int) async throws {
        self.path = path
        lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Self.failure(path, errno) }
        try RawTarget.lock(lock, path)
        // Of the formats, qcow2 is whole after a kill, but for clusters that nobody uses.
        let left = format == .qcow2 ? try? await DiskImage.open(path, format: "qcow2") : nil
        isResumed = left?.virtualSize == size
        if isResumed {
            try await QemuImg.repairLeaks(path)
        } else {
            try await QemuImg.create(path, as: format, size: size)
        }
        export = try await NBDExport(
            try await DiskImage.open(path, format: format.driver), connections: writers, access: .writing)
    }

    deinit { close(lock) }

    func writer() throws -> any RestoreWriter { Writer(connection: try NBDConnection(export.uri)) }

    private struct Writer: RestoreWriter {
        let connection: NBDConnection

        func write(_ bytes: [UInt8], _ offset: UInt64) throws {
            try bytes.withUnsafeBytes { try connection.write($0, offset: offset) }
        }

        func read(_ offset: UInt64, _ length: Int) throws -> [UInt8]? {
            let extents = try connection.extents(NBDConnection.allocation, offset: offset, length: UInt64(length))
            // 1: a hole.
            guard extents.contains(where: { $0.flags & 1 == 0 }) else { return nil }
            var bytes = [UInt8](repeating: 0, count: length)
            try bytes.withUnsafeMutableBytes { try connection.read(into: $0, offset: offset) }
            return bytes
        }

        func clear(_ offset: UInt64, _ length: Int) throws {
            try connection.zero(offset: offset, length: UInt64(length))
        }
    }

    func finish(as name: String) async throws {
        try export.finish()
        guard fsync(lock) == 0, rename(path, name) == 0 else { throw Self.failure(path, errno) }
    }

    private static func failure(_ path: String, _ code: Int32) -> StoreError {
        StoreError(
            .unavailable, "could not write '\(path)': \(String(cString: strerror(code)))",
            hint: "check the path, and that this user may write there")
    }
}
