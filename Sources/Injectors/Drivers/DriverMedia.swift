/// The driver files that an operator has: virtio-win's ISO, the tree of its RPM, or a folder of packages.
public struct DriverMedia: Sendable {
    /// As the operator named it, for messages.
    public var name: String
    /// Every file, relative, with slashes: "viostor/w10/amd64/viostor.inf".
    public var paths: [String]
    /// The contents of some of the paths, by path. One call for many: an archive is read through for each.
    public var read: @Sendable ([String]) throws -> [String: [UInt8]]

    public init(
        name: String, paths: [String], read: @escaping @Sendable ([String]) throws -> [String: [UInt8]]
    ) {
        self.name = name
        self.paths = paths
        self.read = read
    }
}
