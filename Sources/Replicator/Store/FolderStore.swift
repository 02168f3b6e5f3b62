internal import CLinux
internal import Foundation
internal import Glibc

/// A store in a folder of this host: each object a file, which gets its name when it is whole.
public struct FolderStore: ObjectStore {
    private let root: String
    public var name: String { root }

    /// - Parameter path: of a folder that is there, or will be with the first object.
    public init(_ path: String) { root = URL(fileURLWithPath: path).standardizedFileURL.path }

    private func path(_ object: String) -> String { root + "/" + object }

    private func failure(_ what: String, _ object: String, _ code: Int32) -> StoreError {
        let reason = String(cString: strerror(code))
        let hint =
            switch code {
            case ENOSPC, EDQUOT:
                "make room on the file system of '\(root)'; what was stored so far counts the next time"
            case EACCES, EPERM, EROFS: "is the folder writable by this user?"
            default: "is the file system of '\(root)' well?"
            }
        return StoreError(.unavailable, "could not \(what) '\(object)' in the store '\(root)': \(reason)", hint: hint)
    }

    public func put(_ object: String, _ bytes: [UInt8], _ mode: PutMode) async throws -> Bool {
        let target = path(object)
        let folder = (target as NSString).deletingLastPathComponent
        // Temporary files have a prefix that no list shows; what a kill left there is removed by the collector.
        let temporary = "\(folder)/.put-\(getpid())-\(UUID().uuidString)"
        var descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == ENOENT {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw failure("make the folder of", object, errno)
            }
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw failure("write", object, errno) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                close(descriptor)
                unlink(temporary)
                throw failure("write", object, code)
            }
            written += count
        }
        guard close(descriptor) == 0 else {
            let code = errno
            unlink(temporary)
            throw failure("write", object, code)
        }
        if mode == .replacing {
            guard rename(temporary, target) == 0 else {
                let code = errno
                unlink(temporary)
                throw failure("write", object, code)
            }
            return true
        }
        // Unlike rename, link fails where the name is taken.
        let linked = link(temporary, target)
        let code = errno
        unlink(temporary)
        if linked == 0 { return true }
        if code == EEXIST { return false }
        throw failure("write", object, code)
    }

    public func get(_ object: String) async throws -> [UInt8] {
        let descriptor = open(path(object), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw StoreError(
                    .missing, "the store '\(root)' has no '\(object)'",
                    hint: "'rehost verify' shows what is damaged in a store")
            }
            throw failure("read", object, errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", object, errno) }
        let size = Int(status.st_size)
        var done = 0
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while done < size {
                let got = read(descriptor, buffer.baseAddress?.advanced(by: done), size - done)
                if got < 0, errno == EINTR { continue }
                if got <= 0 {
                    code = got < 0 ? errno : EIO
                    break
                }
                done += got
            }
            count = done
        }
        guard code == 0 else { throw failure("read", object, code) }
        return bytes
    }

    public func size(of object: String) async throws -> UInt64? {
        var status = stat()
        guard stat(path(object), &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("look at", object, errno)
        }
        return UInt64(status.st_size)
    }

    public func list(_ prefix: String) async throws -> [StoredObject] {
        var found: [StoredObject] = []
        try walk(prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix, &found)
        return found
    }

    private func walk(_ folder: String, _ found: inout [StoredObject]) throws {
        guard let directory = opendir(folder.isEmpty ? root : path(folder)) else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw failure("list", folder, errno)
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let object = folder.isEmpty ? name : "\(folder)/\(name)"
            var status = stat()
            // Gone since: somebody removed it.
            guard lstat(path(object), &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                try walk(object, &found)
            } else if status.st_mode & S_IFMT == S_IFREG {
                found.append(StoredObject(name: object, size: UInt64(status.st_size)))
            }
        }
    }

    public func remove(_ object: String) async throws {
        guard unlink(path(object)) == 0 || errno == ENOENT else { throw failure("remove", object, errno) }
    }

    /// After a power cut, what wasn't flushed may have its name and lack its bytes.
    public var isDurableAtOnce: Bool { false }

    /// One sync of the file system instead of one of each file.
    public func flush() async throws {
        let descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", "", errno) }
        defer { close(descriptor) }
        guard syncfs(descriptor) == 0 else { throw failure("write back", "", errno) }
    }

    /// Removes files that were never finished, older than a day.
    public func removeLeftovers() async throws {
        // Not an iterator: those aren't for asynchronous code.
        for name in FileManager.default.subpaths(atPath: root) ?? [] {
            guard (name as NSString).lastPathComponent.hasPrefix(".put-") else { continue }
            var status = stat()
            guard lstat(path(name), &status) == 0, time(nil) - status.st_mtim.tv_sec > 86_400 else { continue }
            unlink(path(name))
        }
    }
}
