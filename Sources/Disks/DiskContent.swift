internal import CLinux
internal import Foundation
internal import Glibc

/// A disk's bytes, for one task at a time.
public protocol DiskContent {
    /// In bytes.
    var size: UInt64 { get }

    /// - Precondition: the stretch lies inside the disk.
    func read(into buffer: UnsafeMutableRawBufferPointer, offset: UInt64) throws

    /// What of a stretch is known to read as zeros without reading it, ascending.
    func zeros(in stretch: Range<UInt64>) throws -> [Range<UInt64>]
}

extension NBDConnection: DiskContent {
    public func zeros(in stretch: Range<UInt64>) throws -> [Range<UInt64>] {
        guard has(context: Self.allocation) else { return [] }
        let found = try extents(
            Self.allocation, offset: stretch.lowerBound, length: stretch.upperBound - stretch.lowerBound)
        // 2: it reads as zeros.
        return found.filter { $0.flags & 2 != 0 }.map { $0.offset..<$0.offset + $0.length }
    }
}

/// A raw disk in a file or block device of this host. Nothing lies between: a server's copies cost a sixth of a capture.
public final class RawFile: DiskContent {
    public let size: UInt64
    private let path: String
    private let descriptor: Int32
    /// Of the file; a disk's last sector may be cut short in it.
    private let end: UInt64

    /// - Parameter size: of the disk, in bytes.
    /// - Throws: ``DiskImage/Failure``
    public init(_ path: String, size: UInt64) throws {
        self.path = path
        self.size = size
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        let last = lseek(descriptor, 0, SEEK_END)
        end = last < 0 ? size : UInt64(last)
        guard lockOutWriters() else {
            throw DiskImage.Failure(
                "'\(path)' is in use: a program of QEMU's writes to it",
                hint: "shut the machine down, or capture it live")
        }
    }

    /// As QEMU's own readers do, so that no machine starts on it meanwhile: a byte for what this does, a byte for what it
    /// won't have others do, each locked for reading (QEMU's block/file-posix.c, RAW_LOCK_PERM_BASE and
    /// RAW_LOCK_SHARED_BASE). The locks go with the descriptor.
    /// - Returns: false where somebody has it for writing.
    private func lockOutWriters() -> Bool {
        // 0: consistent reads; 1: writes; 3: another size.
        for byte in [100, 201, 203] {
            var lock = flock()
            lock.l_type = Int16(F_RDLCK)
            lock.l_start = byte
            lock.l_len = 1
            // A file system without locks has none to be held back by.
            _ = fcntl(descriptor, rehost_ofd_setlk, &lock)
        }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_start = 101
        lock.l_len = 1
        guard fcntl(descriptor, rehost_ofd_getlk, &lock) == 0 else { return true }
        return lock.l_type == Int16(F_UNLCK)
    }

    deinit { close(descriptor) }

    private static func failure(_ path: String, _ code: Int32) -> DiskImage.Failure {
        DiskImage.Failure(
            "could not read '\(path)': \(String(cString: strerror(code)))", hint: "is its disk well, and readable?")
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer, offset: UInt64) throws {
        var done = 0
        while done < buffer.count {
            let at = offset + UInt64(done)
            guard at < end else {
                buffer[done...].initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            let count = pread(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, Int(at))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw count < 0
                    ? Self.failure(path, errno)
                    : DiskImage.Failure(
                        "'\(path)' became shorter while it was read", hint: "capture it while nothing writes to it")
            }
            done += count
        }
    }

    public func zeros(in stretch: Range<UInt64>) throws -> [Range<UInt64>] {
        var holes: [Range<UInt64>] = []
        var at = stretch.lowerBound
        while at < stretch.upperBound {
            let data = lseek(descriptor, Int(at), rehost_seek_data)
            // ENXIO: nothing but a hole follows. Devices and some file systems know no holes.
            guard data >= 0 || errno == ENXIO else { return holes }
            let next = data < 0 ? stretch.upperBound : min(UInt64(data), stretch.upperBound)
            if next > at { holes.append(at..<next) }
            guard next < stretch.upperBound else { break }
            let hole = lseek(descriptor, Int(next), rehost_seek_hole)
            guard hole > Int(next) else { return holes }
            at = UInt64(hole)
        }
        return holes
    }
}
