/// A hive that something has open, key by key. Handles are the library's own numbers.
///
/// libhivex has two conformers: `LocalHive` in this process, and the appliance's, over libguestfs.
public protocol HiveNodes {
    func root() throws -> Int
    func children(of node: Int) throws -> [Int]
    func name(of node: Int) throws -> String
    /// nil: there is none; letters' case doesn't count.
    func child(of node: Int, named name: String) throws -> Int?
    func values(of node: Int) throws -> [HiveValue]
    func addChild(to node: Int, named name: String) throws -> Int
    /// A key with everything in it.
    func remove(_ node: Int) throws
    /// Adds a value, or replaces the one of the same name.
    func set(_ value: HiveValue, on node: Int) throws
    /// Takes values away.
    /// - Returns: the key's handle, which may be another one afterwards, as those of the keys below it.
    func removeValues(_ names: [String], on node: Int) throws -> Int
    /// Writes the file.
    func commit() throws
}

public struct HiveValue: Equatable, Sendable {
    /// Empty for the default value.
    public var name: String
    public var type: UInt32
    public var bytes: [UInt8]

    public init(name: String, type: UInt32, bytes: [UInt8]) {
        self.name = name
        self.type = type
        self.bytes = bytes
    }
}
