/// A path inside a guest, never on this host: absolute, without `.`, `..` or empty components.
///
/// `..` is taken lexically here; a path out of a symlink is walked component by component by
/// ``GuestFiles/resolve(_:last:)``, where `..` can't climb above the guest's root.
public struct GuestPath: Hashable, Sendable {
    public let components: [String]

    public init(components: [String]) {
        var normal: [String] = []
        for component in components where !component.isEmpty && component != "." {
            if component == ".." { _ = normal.popLast() } else { normal.append(component) }
        }
        self.components = normal
    }

    public init(_ string: String) {
        self.init(components: string.split(separator: "/").map(String.init))
    }

    public static let root = GuestPath(components: [])

    /// The last component, or "/" for the root.
    public var name: String { components.last ?? "/" }

    public var parent: GuestPath { GuestPath(components: Array(components.dropLast())) }

    public var isRoot: Bool { components.isEmpty }

    /// This path with a relative one behind it.
    public func appending(_ relative: String) -> GuestPath {
        GuestPath(components: components + relative.split(separator: "/").map(String.init))
    }

    /// Whether this path is the folder itself or lies below it.
    public func isInside(_ folder: GuestPath) -> Bool {
        components.starts(with: folder.components)
    }

    /// This path as seen from a folder that holds it; nil where it doesn't.
    public func relative(to folder: GuestPath) -> String? {
        guard isInside(folder) else { return nil }
        return components.dropFirst(folder.components.count).joined(separator: "/")
    }
}

extension GuestPath: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, CustomStringConvertible {
    public init(stringLiteral value: String) { self.init(value) }
    public var description: String { "/" + components.joined(separator: "/") }
}

extension GuestPath: Comparable {
    public static func < (left: GuestPath, right: GuestPath) -> Bool {
        left.components.lexicographicallyPrecedes(right.components)
    }
}

extension GuestPath: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
