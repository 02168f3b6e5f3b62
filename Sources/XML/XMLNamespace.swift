/// A namespace with the prefix that a document of ours gives it.
public struct XMLNamespace: Hashable, Sendable {
    public var uri: String
    /// nil for the default namespace, which attributes can't be in.
    public var prefix: String?

    public init(_ uri: String, prefix: String? = nil) {
        self.uri = uri
        self.prefix = prefix
    }
}
