internal import Foundation
internal import Glibc
public import Guest
internal import Hives

/// A guest that is a folder of this host, and raw disk files. Like every guest it answers for one path as it stands: a
/// path that a symlink would lead elsewhere is refused, so that nothing in the folder can lead out of it.
public struct DirectoryGuest: GuestEditor, GuestRegistry, GuestSectors {
    public final class Commands {
        public var run: [GuestCommand] = []
    }

    /// Folders and files of this host.
    public let root: String
    public let diskFiles: [String]
    /// What plans asked to run: nothing is run.
    public let commands = Commands()

    public let caseSensitivity: CaseSensitivity
    /// nil in the view of the files that the registry itself has.
    private let registry: LocalRegistry?

    public init(root: String, diskFiles: [String] = [], caseSensitivity: CaseSensitivity = .sensitive) {
        let files = DirectoryGuest(root: root, diskFiles: [], caseSensitivity: caseSensitivity, registry: nil)
        self.init(
            root: root, diskFiles: diskFiles, caseSensitivity: caseSensitivity,
            registry: LocalRegistry(files: files, mountedAt: URL(fileURLWithPath: root, isDirectory: true)))
    }

    private init(root: String, diskFiles: [String], caseSensitivity: CaseSensitivity, registry: LocalRegistry?) {
        self.root = root
        self.diskFiles = diskFiles
        self.caseSensitivity = caseSensitivity
        self.registry = registry
    }

    public func subkeys(of key: RegistryPath) throws -> [String]? { try registry?.subkeys(of: key) }
    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { try registry?.values(of: key) }
    public func recoveredTransactions(of hive: Hive) throws -> Int? { try registry?.recoveredTransactions(of: hive) }

    // MARK: Reading

    public func entry(at path: GuestPath) throws -> FileEntry? {
        guard try parentIsFolder(path), let status = status(path) else { return nil }
        let kind: FileEntry.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symlink(target: try target(of: path))
            default: .special
            }
        return FileEntry(
            kind: kind, permissions: UInt16(status.st_mode & 0o7777), owner: status.st_uid, group: status.st_gid,
            size: kind == .file ? UInt64(status.st_size) : 0)
    }

    public func contents(ofFile path: GuestPath) throws -> [UInt8] {
        try withDescriptor(path, O_RDONLY) { descriptor in
            Array(try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd() ?? Data())
        }
    }

    public func names(inDirectory path: GuestPath) throws -> [String] {
        guard try entry(at: path)?.kind == .directory else { throw failure(path, ENOTDIR) }
        return try FileManager.default.contentsOfDirectory(atPath: host(path))
    }

    public func sectors(disk: Int, first: UInt64, count: Int) throws -> [UInt8] {
        guard diskFiles.indices.contains(disk), let handle = FileHandle(forReadingAtPath: diskFiles[disk]) else {
            throw GuestPathError(path: .root, reason: "there is no disk \(disk)")
        }
        defer { try? handle.close() }
        let (offset, overflows) = first.multipliedReportingOverflow(by: UInt64(SectorEdit.sectorSize))
        let size = try handle.seekToEnd()
        let wanted = count * SectorEdit.sectorSize
        guard !overflows, offset <= size, size - offset >= UInt64(wanted) else {
            throw GuestPathError(path: .root, reason: "disk \(disk) is shorter")
        }
        try handle.seek(toOffset: offset)
        return wanted == 0 ? [] : Array(try handle.read(upToCount: wanted) ?? Data())
    }

    // MARK: Applying

    @discardableResult
    public func apply(_ plan: Plan, progress: (String) -> Void) throws -> [Finding] {
        for item in plan.items {
            switch item.change {
            case .write(let path, let bytes, let permissions): try write(path, bytes, permissions)
            case .append(let path, let bytes, let offset): try append(path, bytes, offset)
            case .directory(let path, let permissions):
                if status(path) != nil, try entry(at: path)?.kind != .directory { try remove(path) }
                if status(path) == nil { try check(mkdir(host(path), mode_t(permissions)), path) }
                try check(chmod(host(path), mode_t(permissions)), path)
            case .symlink(let path, let target):
                if status(path) != nil { try remove(path) }
                try check(Glibc.symlink(target, host(path)), path)
            case .remove(let path): try remove(path)
            case .disk(let edit):
                let handle = FileHandle(forUpdatingAtPath: diskFiles[edit.disk])
                try handle?.seek(toOffset: edit.firstSector * UInt64(SectorEdit.sectorSize))
                try handle?.write(contentsOf: Data(edit.bytes))
                try handle?.close()
            case .registry: break
            case .run(let command): commands.run.append(command)
            }
        }
        let edits = plan.items.compactMap { if case .registry(let edit) = $0.change { edit } else { nil } }
        if !edits.isEmpty { try registry?.apply(edits) }
        return []
    }

    private func write(_ path: GuestPath, _ bytes: [UInt8], _ permissions: UInt16) throws {
        // In place: the file keeps its owner and labels. A symlink that a plan replaces is no file to write through.
        if case .symlink = try entry(at: path)?.kind { try remove(path) }
        try withDescriptor(path, O_WRONLY | O_CREAT | O_TRUNC) { descriptor in
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: Data(bytes))
            try check(fchmod(descriptor, mode_t(permissions)), path)
        }
    }

    private func append(_ path: GuestPath, _ bytes: [UInt8], _ offset: UInt64) throws {
        try withDescriptor(path, O_WRONLY) { descriptor in
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: Data(bytes))
        }
    }

    private func remove(_ path: GuestPath) throws {
        guard try parentIsFolder(path) else { throw failure(path, ENOTDIR) }
        try check(unlink(host(path)), path)
    }

    // MARK: The host

    private func host(_ path: GuestPath) -> String { path.isRoot ? root : root + path.description }

    private func status(_ path: GuestPath) -> stat? {
        var status = stat()
        return lstat(host(path), &status) == 0 ? status : nil
    }

    private func target(of path: GuestPath) throws -> String {
        let bytes = [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            count = max(0, readlink(host(path), start, buffer.count))
        }
        guard !bytes.isEmpty else { throw failure(path, errno) }
        return String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether a path's parents are folders.
    /// - Throws: where one is a symlink: such a path wasn't resolved.
    private func parentIsFolder(_ path: GuestPath) throws -> Bool {
        var folder = GuestPath.root
        for component in path.components.dropLast() {
            folder = folder.appending(component)
            guard let status = status(folder) else { return false }
            guard status.st_mode & S_IFMT != S_IFLNK else {
                throw GuestPathError(path: path, reason: "'\(folder)' is a symlink")
            }
            guard status.st_mode & S_IFMT == S_IFDIR else { return false }
        }
        return true
    }

    private func withDescriptor<Result>(
        _ path: GuestPath, _ flags: Int32, _ body: (Int32) throws -> Result
    ) throws -> Result {
        guard try parentIsFolder(path) else { throw failure(path, ENOENT) }
        let descriptor = open(host(path), flags | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { close(descriptor) }
        return try body(descriptor)
    }

    private func check(_ status: Int32, _ path: GuestPath) throws {
        guard status == 0 else { throw failure(path, errno) }
    }

    private func failure(_ path: GuestPath, _ code: Int32) -> GuestPathError {
        GuestPathError(path: path, reason: String(cString: strerror(code)))
    }
}
