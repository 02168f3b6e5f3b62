internal import CGuestfs
internal import Glibc
internal import Guest
internal import Hives

/// The hive that libguestfs has open in the appliance: it has one at a time.
struct ApplianceHive: HiveNodes {
    private let guest: ApplianceGuest

    init(_ guest: ApplianceGuest) { self.guest = guest }

    private func number(_ value: Int64, _ what: String) throws -> Int {
        guard value >= 0 else { throw guest.withHandle { $0.failure("\(what) in a registry hive") } }
        return Int(value)
    }

    private func check(_ status: Int32, _ what: String) throws {
        try guest.withHandle { try $0.check(status, "\(what) in a registry hive") }
    }

    func root() throws -> Int {
        try number(guest.withHandle { guestfs_hivex_root($0.raw) }, "find the root")
    }

    func children(of node: Int) throws -> [Int] {
        try guest.withHandle { handle in
            guard let list = guestfs_hivex_node_children(handle.raw, Int64(node)) else {
                throw handle.failure("list a key in a registry hive")
            }
            defer { guestfs_free_hivex_node_list(list) }
            return (0..<Int(list.pointee.len)).map { Int(list.pointee.val[$0].hivex_node_h) }
        }
    }

    func name(of node: Int) throws -> String {
        try guest.withHandle { handle in
            guard let name = guestfs_hivex_node_name(handle.raw, Int64(node)) else {
                throw handle.failure("read a key's name in a registry hive")
            }
            defer { free(name) }
            return String(cString: name)
        }
    }

    func child(of node: Int, named name: String) throws -> Int? {
        let child = try number(
            guest.withHandle { guestfs_hivex_node_get_child($0.raw, Int64(node), name) }, "look for '\(name)'")
        return child == 0 ? nil : child
    }

    func values(of node: Int) throws -> [HiveValue] {
        try guest.withHandle { handle in
            guard let list = guestfs_hivex_node_values(handle.raw, Int64(node)) else {
                throw handle.failure("list a key's values in a registry hive")
            }
            defer { guestfs_free_hivex_value_list(list) }
            return try (0..<Int(list.pointee.len)).map { index in
                let value = list.pointee.val[index].hivex_value_h
                guard let name = guestfs_hivex_value_key(handle.raw, value) else {
                    throw handle.failure("read a value's name in a registry hive")
                }
                defer { free(name) }
                let type = guestfs_hivex_value_type(handle.raw, value)
                var size = 0
                guard type != -1, let bytes = guestfs_hivex_value_value(handle.raw, value, &size) else {
                    throw handle.failure("read the value '\(String(cString: name))' in a registry hive")
                }
                defer { free(bytes) }
                return HiveValue(
                    name: String(cString: name), type: UInt32(truncatingIfNeeded: type),
                    bytes: Array(UnsafeRawBufferPointer(start: bytes, count: size)))
            }
        }
    }

    func addChild(to node: Int, named name: String) throws -> Int {
        try number(
            guest.withHandle { guestfs_hivex_node_add_child($0.raw, Int64(node), name) }, "add the key '\(name)'")
    }

    func remove(_ node: Int) throws {
        try check(guest.withHandle { guestfs_hivex_node_delete_child($0.raw, Int64(node)) }, "remove a key")
    }

    func set(_ value: HiveValue, on node: Int) throws {
        let status = guest.withHandle { handle in
            value.bytes.withUnsafeBytes { bytes in
                // A pointer is asked for even where there is no data.
                var nothing: CChar = 0
                return withUnsafePointer(to: &nothing) { nothing in
                    guestfs_hivex_node_set_value(
                        handle.raw, Int64(node), value.name, Int64(value.type),
                        bytes.baseAddress?.assumingMemoryBound(to: CChar.self) ?? nothing, value.bytes.count)
                }
            }
        }
        try check(status, "set '\(value.name)'")
    }

    /// libguestfs 1.48 can't take single values away: the key is made anew without them, with what is below it. It gets
    /// its parent's access rights, which keys without rights of their own have anyway.
    func removeValues(_ names: [String], on node: Int) throws -> Int {
        let gone = Set(names.map(RegistryPath.fold))
        var left = Self.copyLimit
        var tree = try copy(of: node, depth: 0, &left)
        tree.values.removeAll { gone.contains(RegistryPath.fold($0.name)) }
        let parent = try number(
            guest.withHandle { guestfs_hivex_node_parent($0.raw, Int64(node)) }, "find the key above")
        try remove(node)
        return try make(tree, below: parent)
    }

    private struct Copy {
        var name: String
        var values: [HiveValue]
        var children: [Copy]
    }

    /// Keys that are made anew for one; deeper than 512 Windows makes none.
    private static let copyLimit = 20_000

    private func copy(of node: Int, depth: Int, _ left: inout Int) throws -> Copy {
        left -= 1
        guard left > 0, depth < 512 else {
            throw GuestfsError(call: "copy a key of a registry hive", reason: "it has too many keys in it", code: 0)
        }
        var children: [Copy] = []
        for child in try self.children(of: node) { children.append(try copy(of: child, depth: depth + 1, &left)) }
        return Copy(name: try name(of: node), values: try values(of: node), children: children)
    }

    private func make(_ copy: Copy, below parent: Int) throws -> Int {
        let node = try addChild(to: parent, named: copy.name)
        for value in copy.values { try set(value, on: node) }
        for child in copy.children { _ = try make(child, below: node) }
        return node
    }

    func commit() throws {
        try check(guest.withHandle { guestfs_hivex_commit($0.raw, nil) }, "write the changes")
    }
}
