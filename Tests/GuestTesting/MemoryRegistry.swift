public import Guest

/// Hives that are a tree of values: for tests in milliseconds. Keys keep the order in which they were made.
public final class MemoryRegistry: GuestRegistry {
    private final class Node {
        var name: String
        var values: [NamedRegistryValue] = []
        var children: [Node] = []

        init(_ name: String) { self.name = name }

        func child(_ name: String) -> Node? {
            children.first { RegistryPath.fold($0.name) == RegistryPath.fold(name) }
        }
    }

    private var roots: [Hive: Node] = [:]
    /// Hives that weren't closed cleanly.
    public var recovered: [Hive: Int] = [:]

    public init() {}

    private func node(_ key: RegistryPath) -> Node? {
        var node = roots[key.hive]
        for component in key.components { node = node?.child(component) }
        return node
    }

    /// Makes a key and sets its values.
    public func put(_ key: RegistryPath, _ values: [String: RegistryValue] = [:]) {
        let root = roots[key.hive] ?? Node("")
        roots[key.hive] = root
        var node = root
        for component in key.components {
            let next = node.child(component) ?? Node(component)
            if node.child(component) == nil { node.children.append(next) }
            node = next
        }
        for (name, value) in values.sorted(by: { $0.key < $1.key }) { set(name, value, on: node) }
    }

    private func set(_ name: String, _ value: RegistryValue?, on node: Node) {
        let index = node.values.firstIndex { RegistryPath.fold($0.name) == RegistryPath.fold(name) }
        switch (index, value) {
        case (let index?, let value?): node.values[index].value = value
        case (let index?, nil): node.values.remove(at: index)
        case (nil, let value?): node.values.append(NamedRegistryValue(name, value))
        case (nil, nil): break
        }
    }

    public func subkeys(of key: RegistryPath) throws -> [String]? { node(key)?.children.map(\.name) }
    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { node(key)?.values }
    public func recoveredTransactions(of hive: Hive) throws -> Int? { recovered[hive] }

    public func apply(_ edit: RegistryEdit) throws {
        switch edit.action {
        case .remove:
            let folded = RegistryPath.fold(edit.key.name)
            node(edit.key.parent)?.children.removeAll { RegistryPath.fold($0.name) == folded }
        case .set:
            guard node(edit.key) != nil else { throw RegistryError(hive: edit.key.hive, reason: "no '\(edit.key)'") }
        case .create:
            guard node(edit.key.parent) != nil else {
                throw RegistryError(hive: edit.key.hive, reason: "no parent of '\(edit.key)'")
            }
            put(edit.key)
        }
        for setting in edit.settings {
            if let node = node(edit.key) { set(setting.name, setting.value, on: node) }
        }
        recovered[edit.key.hive] = nil
    }
}
