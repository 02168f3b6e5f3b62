internal import CHivex
internal import Glibc
internal import Guest

/// A hive file of this host, opened by libhivex in this process: for guests whose disks are mounted here, and for tests.
///
/// The C calls are safe because a handle is used by one thread at a time, every pointer lives until the call returns,
/// and what comes back is copied and freed here.
public final class LocalHive: HiveNodes {
    public enum Access: Sendable {
        case readOnly
        case readWrite
    }

    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    private let handle: OpaquePointer
    private let path: String

    public init(path: String, access: Access) throws {
        guard let handle = hivex_open(path, access == .readWrite ? HIVEX_OPEN_WRITE : 0) else {
            throw Failure(description: "could not open the hive '\(path)': \(String(cString: strerror(errno)))")
        }
        self.handle = handle
        self.path = path
    }

    deinit { hivex_close(handle) }

    private func failure(_ what: String) -> Failure {
        Failure(description: "could not \(what) in '\(path)': \(String(cString: strerror(errno)))")
    }

    public func root() throws -> Int {
        let node = hivex_root(handle)
        guard node != 0 else { throw failure("find the root") }
        return node
    }

    public func children(of node: Int) throws -> [Int] {
        guard let list = hivex_node_children(handle, node) else { throw failure("list a key") }
        defer { free(list) }
        return Self.handles(list)
    }

    /// Up to the closing 0.
    private static func handles(_ list: UnsafeMutablePointer<Int>) -> [Int] {
        var result: [Int] = []
        while list[result.count] != 0 { result.append(list[result.count]) }
        return result
    }

    public func name(of node: Int) throws -> String {
        guard let name = hivex_node_name(handle, node) else { throw failure("read a key's name") }
        defer { free(name) }
        return String(cString: name)
    }

    public func child(of node: Int, named name: String) throws -> Int? {
        errno = 0
        let child = hivex_node_get_child(handle, node, name)
        guard child == 0 else { return child }
        guard errno == 0 || errno == ENOKEY else { throw failure("look for '\(name)'") }
        return nil
    }

    public func values(of node: Int) throws -> [HiveValue] {
        guard let list = hivex_node_values(handle, node) else { throw failure("list a key's values") }
        defer { free(list) }
        return try Self.handles(list).map { value in
            guard let name = hivex_value_key(handle, value) else { throw failure("read a value's name") }
            defer { free(name) }
            var type = hive_type(0)
            var length = 0
            guard let bytes = hivex_value_value(handle, value, &type, &length) else { throw failure("read a value") }
            defer { free(bytes) }
            return HiveValue(
                name: String(cString: name), type: type.rawValue,
                bytes: Array(UnsafeRawBufferPointer(start: bytes, count: length)))
        }
    }

    public func addChild(to node: Int, named name: String) throws -> Int {
        let child = hivex_node_add_child(handle, node, name)
        guard child != 0 else { throw failure("add the key '\(name)'") }
        return child
    }

    public func remove(_ node: Int) throws {
        guard hivex_node_delete_child(handle, node) == 0 else { throw failure("remove a key") }
    }

    public func set(_ value: HiveValue, on node: Int) throws {
        try withSetValue(value) { item in
            guard hivex_node_set_value(handle, node, item, 0) == 0 else { throw failure("set '\(value.name)'") }
        }
    }

    /// libhivex sets all values of a key at once, so the others are written again.
    public func removeValues(_ names: [String], on node: Int) throws -> Int {
        let gone = Set(names.map(RegistryPath.fold))
        let kept = try values(of: node).filter { !gone.contains(RegistryPath.fold($0.name)) }
        guard hivex_node_set_values(handle, node, 0, nil, 0) == 0 else { throw failure("remove values") }
        for value in kept { try set(value, on: node) }
        return node
    }

    private func withSetValue(_ value: HiveValue, _ body: (UnsafePointer<hive_set_value>) throws -> Void) throws {
        guard let name = strdup(value.name) else { throw failure("set '\(value.name)'") }
        defer { free(name) }
        var bytes = value.bytes.map { CChar(bitPattern: $0) }
        let count = bytes.count
        // A pointer is asked for even where there is no data.
        if bytes.isEmpty { bytes = [0] }
        try bytes.withUnsafeMutableBufferPointer { buffer in
            var item = hive_set_value(
                key: name, t: hive_type(rawValue: value.type), len: count, value: buffer.baseAddress)
            try withUnsafePointer(to: &item, body)
        }
    }

    public func commit() throws {
        guard hivex_commit(handle, nil, 0) == 0 else { throw failure("write the changes") }
    }
}
