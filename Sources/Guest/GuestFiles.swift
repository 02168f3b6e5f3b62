/// What one name in a guest's directory is, as lstat tells it.
public struct FileEntry: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case file
        case directory
        case symlink(target: String)
        /// A device, socket or FIFO: never read, never replaced.
        case special
    }

    public var kind: Kind
    /// The low twelve bits of st_mode.
    public var permissions: UInt16
    public var owner: UInt32
    public var group: UInt32
    /// In bytes; 0 for everything but files.
    public var size: UInt64

    public init(
        kind: Kind, permissions: UInt16, owner: UInt32 = 0, group: UInt32 = 0, size: UInt64 = 0
    ) {
        self.kind = kind
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.size = size
    }
}

/// How a guest compares file names.
public enum CaseSensitivity: Sendable {
    case sensitive
    /// Windows: `\Windows\System32` and `/WINDOWS/system32` are one folder.
    case insensitive
}

/// What went wrong with a path inside the guest.
public struct GuestPathError: Error, CustomStringConvertible, Equatable {
    public var path: GuestPath
    public var reason: String

    public init(path: GuestPath, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "could not read '\(path)' in the guest: \(reason)" }
}

/// Read access to a guest's mounted file systems.
///
/// Conformers answer for one path as it stands and never follow a symlink; symlinks are resolved here, in one place,
/// inside the guest. The three requirements get paths whose parents are real directories.
public protocol GuestFiles {
    var caseSensitivity: CaseSensitivity { get }

    /// nil: there is nothing of that name.
    func entry(at path: GuestPath) throws -> FileEntry?

    /// The bytes of a regular file.
    func contents(ofFile path: GuestPath) throws -> [UInt8]

    /// The names in a directory, in no particular order, without `.` and `..`.
    func names(inDirectory path: GuestPath) throws -> [String]

    /// The first bytes of a file, however large that is; nil where there is none of that name.
    func start(ofFile path: GuestPath, count: Int) throws -> [UInt8]?
}

extension GuestFiles {
    public var caseSensitivity: CaseSensitivity { .sensitive }

    public func start(ofFile path: GuestPath, count: Int) throws -> [UInt8]? {
        guard try entry(at: path)?.kind == .file else { return nil }
        return try Array(contents(ofFile: path).prefix(count))
    }
}

/// What to do where the last component of a path is a symlink.
public enum LastComponent: Sendable {
    case follow
    case keep
}

extension GuestFiles {
    /// Linux's own limit for symlinks in one look-up (path_resolution(7)).
    private static var linkLimit: Int { 40 }

    /// The path with every symlink on it followed, inside the guest: an absolute target starts at the guest's root, and
    /// `..` stops there. Components that don't exist are kept as they are written.
    public func resolve(_ path: GuestPath, last: LastComponent = .follow) throws -> GuestPath {
        var pending = Array(path.components.reversed())
        var done: [String] = []
        var links = 0
        while let component = pending.popLast() {
            if component == ".." {
                _ = done.popLast()
                continue
            }
            var next = GuestPath(components: done + [component])
            var found = try entry(at: next)
            if found == nil, caseSensitivity == .insensitive,
                let actual = try actualName(of: component, in: GuestPath(components: done))
            {
                next = GuestPath(components: done + [actual])
                found = try entry(at: next)
            }
            guard let found else {
                // Nothing there: what follows can't be a symlink either.
                return GuestPath(components: next.components + pending.reversed())
            }
            guard case .symlink(let target) = found.kind, !(pending.isEmpty && last == .keep) else {
                done = next.components
                continue
            }
            links += 1
            guard links <= Self.linkLimit else {
                throw GuestPathError(path: path, reason: "too many levels of symbolic links")
            }
            if target.hasPrefix("/") { done = [] }
            pending += target.split(separator: "/").map(String.init).filter { $0 != "." }.reversed()
        }
        return GuestPath(components: done)
    }

    private func actualName(of component: String, in folder: GuestPath) throws -> String? {
        guard try entry(at: folder)?.kind == .directory || folder.isRoot else { return nil }
        let wanted = component.lowercased()
        return try names(inDirectory: folder).sorted().first { $0.lowercased() == wanted }
    }

    /// What is at a path, symlinks followed; nil where nothing is.
    public func status(_ path: GuestPath) throws -> FileEntry? {
        try entry(at: resolve(path))
    }

    public func exists(_ path: GuestPath) throws -> Bool { try status(path) != nil }

    public func isDirectory(_ path: GuestPath) throws -> Bool { try status(path)?.kind == .directory }

    /// A file's bytes, symlinks followed; nil where there is none, or where it isn't a regular file.
    public func read(_ path: GuestPath) throws -> [UInt8]? {
        let real = try resolve(path)
        guard try entry(at: real)?.kind == .file else { return nil }
        return try contents(ofFile: real)
    }

    /// A file as text; bytes that aren't UTF-8 are read as Latin-1, so that a rewrite of one line can't lose another.
    public func text(_ path: GuestPath) throws -> String? {
        try read(path).map(GuestText.decode)
    }

    /// The names in a directory, sorted, symlinks followed; empty where there is none.
    public func list(_ path: GuestPath) throws -> [String] {
        let real = try resolve(path)
        guard try real.isRoot || entry(at: real)?.kind == .directory else { return [] }
        return try names(inDirectory: real).sorted()
    }

    /// The files of a directory whose names end so, as paths, sorted.
    public func files(in folder: GuestPath, suffix: String) throws -> [GuestPath] {
        try list(folder).filter { $0.hasSuffix(suffix) && $0 != suffix }.map { folder.appending($0) }
    }
}

/// Text files of a guest as strings and back, byte for byte.
public enum GuestText {
    public static func decode(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    /// The bytes of an edited text, in the encoding of the original.
    public static func encode(_ text: String, like original: [UInt8]?) -> [UInt8] {
        guard let original, String(validating: original, as: UTF8.self) == nil else { return Array(text.utf8) }
        let scalars = text.unicodeScalars
        guard scalars.allSatisfy({ $0.value < 256 }) else { return Array(text.utf8) }
        return scalars.map { UInt8($0.value) }
    }
}
