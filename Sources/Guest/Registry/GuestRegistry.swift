/// Read access to the hives of a Windows guest. What a hive's transaction logs hold is part of what is read.
public protocol GuestRegistry {
    /// The names of a key's subkeys, in the hive's order; nil: there is no such key, or no such hive.
    func subkeys(of key: RegistryPath) throws -> [String]?

    /// A key's values, in the hive's order; nil: there is no such key, or no such hive.
    func values(of key: RegistryPath) throws -> [NamedRegistryValue]?

    /// How many transactions of its logs a hive was brought up to date with; nil for one that was closed cleanly.
    func recoveredTransactions(of hive: Hive) throws -> Int?
}

extension GuestRegistry {
    public func exists(_ key: RegistryPath) throws -> Bool { try values(of: key) != nil }

    /// A value by its name; the default value's is empty.
    public func value(_ name: String, of key: RegistryPath) throws -> RegistryValue? {
        let wanted = RegistryPath.fold(name)
        return try values(of: key)?.first { RegistryPath.fold($0.name) == wanted }?.value
    }

    /// A key with everything in it.
    /// - Parameter limit: of keys, against a hive that is made to be endless.
    public func tree(of key: RegistryPath, limit: Int = 20_000) throws -> RegistryTree? {
        var left = limit
        return try tree(of: key, depth: 0, left: &left)
    }

    private func tree(of key: RegistryPath, depth: Int, left: inout Int) throws -> RegistryTree? {
        guard let values = try values(of: key) else { return nil }
        left -= 1
        guard left > 0, depth < 512 else {
            throw RegistryError(hive: key.hive, reason: "'\(key)' has too many keys in it")
        }
        var tree = RegistryTree(values: values)
        for name in try subkeys(of: key) ?? [] {
            guard let child = try self.tree(of: key.child(name), depth: depth + 1, left: &left) else { continue }
            tree.subkeys.append(RegistryTree.Subkey(name: name, tree: child))
        }
        return tree
    }
}

/// A key's values and what is below it, as a value.
public struct RegistryTree: Equatable, Sendable {
    public struct Subkey: Equatable, Sendable {
        public var name: String
        public var tree: RegistryTree

        public init(name: String, tree: RegistryTree) {
            self.name = name
            self.tree = tree
        }
    }

    public var values: [NamedRegistryValue]
    public var subkeys: [Subkey]

    public init(values: [NamedRegistryValue] = [], subkeys: [Subkey] = []) {
        self.values = values
        self.subkeys = subkeys
    }
}

/// Why a hive can't be read or changed.
public struct RegistryError: Error, Equatable, CustomStringConvertible {
    public var hive: Hive
    public var reason: String
    /// The way out, where there is one other than a new capture.
    public var hint: String?

    public init(hive: Hive, reason: String, hint: String? = nil) {
        self.hive = hive
        self.reason = reason
        self.hint = hint
    }

    public var description: String { "could not read the registry hive '\(hive.file)': \(reason)" }
}

/// A guest that is no Windows.
public struct NoRegistry: GuestRegistry {
    public init() {}
    public func subkeys(of key: RegistryPath) throws -> [String]? { nil }
    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { nil }
    public func recoveredTransactions(of hive: Hive) throws -> Int? { nil }
}
