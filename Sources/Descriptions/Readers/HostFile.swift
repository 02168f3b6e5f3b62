internal import Foundation
internal import Glibc

/// Bounded reads of this host's files.
enum HostFile {
    /// Nothing that describes one machine is larger; VMware's are some kilobytes.
    static let documentLimit = 4 << 20

    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    static func folder(of path: String) -> String {
        URL(fileURLWithPath: absolute(path)).deletingLastPathComponent().path
    }

    /// "web01" of "/x/web01.vmx".
    static func stem(_ path: String) -> String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// A regular file's size; nil for all else, so that no pipe or device is waited for.
    static func size(_ path: String) -> UInt64? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return UInt64(clamping: status.st_size)
    }

    /// Up to `count` bytes from `offset` on; fewer at the file's end.
    static func read(_ path: String, at offset: UInt64 = 0, count: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DescriptionFailure(
                "could not open '\(path)': \(String(cString: strerror(errno)))",
                hint: "check the path, and that this user may read it")
        }
        defer { close(descriptor) }
        return try read(descriptor, path, at: offset, count: count)
    }

    static func read(_ descriptor: Int32, _ path: String, at offset: UInt64, count: Int) throws -> [UInt8] {
        guard let start = off_t(exactly: offset), count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress?.advanced(by: done), count - done, start + off_t(done))
            }
            if got == 0 { break }
            guard got > 0 else {
                if errno == EINTR { continue }
                throw DescriptionFailure(
                    "could not read '\(path)': \(String(cString: strerror(errno)))", hint: "is its disk in order?")
            }
            done += got
        }
        return Array(bytes[..<done])
    }

    /// A whole document.
    static func document(_ part: FilePart, name: String) throws -> [UInt8] {
        guard let size = part.size ?? size(part.file) else {
            throw DescriptionFailure("could not read '\(name)': it is no file", hint: "check the path")
        }
        guard size <= documentLimit else {
            throw DescriptionFailure(
                "'\(name)' has \(size >> 20) MiB; a machine's description has some kilobytes",
                hint: "is it a disk? its name or its first bytes say that it is a description")
        }
        return try read(part.file, at: part.offset, count: Int(size))
    }
}
