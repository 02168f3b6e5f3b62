public import Guest

/// Paths on top of a hive's nodes: finds keys, remembers what was read, and makes edits.
public struct HiveTree<Nodes: HiveNodes> {
    public let nodes: Nodes
    private var found: [RegistryPath: Int?] = [:]

    public init(_ nodes: Nodes) { self.nodes = nodes }

    public mutating func node(_ key: RegistryPath) throws -> Int? {
        if let known = found[key] { return known }
        let node: Int? =
            if key.isRoot {
                try nodes.root()
            } else if let parent = try self.node(key.parent) {
                try nodes.child(of: parent, named: key.name)
            } else { nil }
        found[key] = node
        return node
    }

    public mutating func subkeys(of key: RegistryPath) throws -> [String]? {
        guard let node = try node(key) else { return nil }
        return try nodes.children(of: node).map { child in
            let name = try nodes.name(of: child)
            found[key.child(name)] = child
            return name
        }
    }

    public mutating func values(of key: RegistryPath) throws -> [NamedRegistryValue]? {
        guard let node = try node(key) else { return nil }
        return try nodes.values(of: node).map {
            NamedRegistryValue($0.name, RegistryValue(type: $0.type, bytes: $0.bytes))
        }
    }

    /// Parents of what is made come before it.
    public mutating func apply(_ edits: [RegistryEdit]) throws {
        for edit in edits {
            switch edit.action {
            case .remove:
                if let node = try node(edit.key) { try nodes.remove(node) }
                found = [:]
            case .set(let settings):
                guard let node = try node(edit.key) else {
                    throw RegistryError(hive: edit.key.hive, reason: "there is no key '\(edit.key)'")
                }
                try write(settings, on: node)
            case .create(let settings):
                try write(settings, on: make(edit.key))
            }
        }
    }

    private mutating func make(_ key: RegistryPath) throws -> Int {
        if let node = try node(key) { return node }
        let node = try nodes.addChild(to: make(key.parent), named: key.name)
        found[key] = node
        return node
    }

    private mutating func write(_ settings: [RegistryEdit.Setting], on node: Int) throws {
        var node = node
        let gone = settings.filter { $0.value == nil }.map(\.name)
        if !gone.isEmpty {
            let old = node
            node = try nodes.removeValues(gone, on: node)
            if node != old { found = [:] }
        }
        for setting in settings {
            guard let value = setting.value else { continue }
            try nodes.set(HiveValue(name: setting.name, type: value.type, bytes: value.bytes), on: node)
        }
    }
}
