/// A file with a part of the registry.
public struct Hive: Hashable, Sendable {
    /// "/Windows/System32/config/SYSTEM"
    public var file: GuestPath
    /// Where the running system shows it: "HKEY_LOCAL_MACHINE\SYSTEM".
    public var mountPoint: String

    public init(file: GuestPath, mountPoint: String) {
        self.file = file
        self.mountPoint = mountPoint
    }

    /// The short form of the mount point, for people: "SYSTEM".
    public var name: String { String(mountPoint.split(separator: "\\").last ?? "") }
}

/// A key of the registry. Two paths are equal when Windows takes them for the same key: letters' case doesn't count.
public struct RegistryPath: Sendable {
    public let hive: Hive
    /// Names as they are written; a name may hold anything but a backslash.
    public let components: [String]
    private let folded: [String]

    public init(_ hive: Hive, components: [String]) {
        self.hive = hive
        self.components = components
        folded = components.map(Self.fold)
    }

    /// - Parameter path: below the hive's root, with backslashes: "ControlSet001\Services\viostor".
    public init(_ hive: Hive, _ path: String) {
        self.init(hive, components: path.split(separator: "\\").map(String.init))
    }

    /// What two names have in common that Windows doesn't tell apart.
    public static func fold(_ name: String) -> String { name.lowercased() }

    public func appending(_ path: String) -> RegistryPath {
        RegistryPath(hive, components: components + path.split(separator: "\\").map(String.init))
    }

    /// One more component, taken as it is.
    public func child(_ name: String) -> RegistryPath { RegistryPath(hive, components: components + [name]) }

    public var name: String { components.last ?? hive.name }
    public var parent: RegistryPath { RegistryPath(hive, components: Array(components.dropLast())) }
    public var isRoot: Bool { components.isEmpty }

    public func isInside(_ other: RegistryPath) -> Bool {
        hive == other.hive && folded.starts(with: other.folded)
    }

    /// As regedit shows it: "HKEY_LOCAL_MACHINE\SYSTEM\Select".
    public var full: String { ([hive.mountPoint] + components).joined(separator: "\\") }
}

extension RegistryPath: Hashable, Comparable, CustomStringConvertible {
    public static func == (left: Self, right: Self) -> Bool { left.hive == right.hive && left.folded == right.folded }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(hive)
        hasher.combine(folded)
    }

    public static func < (left: Self, right: Self) -> Bool {
        left.hive.file == right.hive.file
            ? left.folded.lexicographicallyPrecedes(right.folded) : left.hive.file < right.hive.file
    }

    public var description: String { ([hive.name] + components).joined(separator: "\\") }
}
