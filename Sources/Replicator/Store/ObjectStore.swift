/// Where a store's objects are: a folder, a bucket. Every conformer passes the same tests, `ObjectStoreContract`.
///
/// Names are relative, with slashes, of letters, digits, dots, dashes and underscores. An object is there whole or not at
/// all, and whoever asks after a put sees it.
public protocol ObjectStore: Sendable {
    /// For messages: "/backup/store", "s3://bucket/prefix".
    var name: String { get }

    /// - Returns: false where `mode` is ``PutMode/ifAbsent`` and the object is there already, which is left as it is.
    func put(_ object: String, _ bytes: [UInt8], _ mode: PutMode) async throws -> Bool

    /// - Throws: ``StoreError`` of the kind `missing` where there is no such object.
    func get(_ object: String) async throws -> [UInt8]

    /// In bytes; nil where there is no such object.
    func size(of object: String) async throws -> UInt64?

    /// Every object whose name begins so; a whole part of a path, with its slash. In no particular order.
    func list(_ prefix: String) async throws -> [StoredObject]

    /// Nothing happens where there is none.
    func remove(_ object: String) async throws

    /// Whether an object that was put is safe from a power cut before ``flush()``.
    var isDurableAtOnce: Bool { get }

    /// Returns when everything that was put is safe from a power cut.
    func flush() async throws

    /// Removes what killed writers never finished, where a store has such a thing.
    func removeLeftovers() async throws
}

extension ObjectStore {
    public func removeLeftovers() async throws {}
    public var isDurableAtOnce: Bool { true }
}

public enum PutMode: Sendable {
    case ifAbsent
    case replacing
}

public struct StoredObject: Hashable, Sendable {
    public var name: String
    /// In bytes.
    public var size: UInt64

    public init(name: String, size: UInt64) {
        self.name = name
        self.size = size
    }
}

/// What went wrong with a store.
public struct StoreError: Error, CustomStringConvertible, Equatable {
    public enum Kind: Sendable {
        /// There is no such object, point, machine or store.
        case missing
        /// What is there isn't what was put.
        case damaged
        /// The key, or its passphrase, is another one.
        case key
        /// It can't be reached, written to or read.
        case unavailable
        /// Somebody else has it.
        case busy
    }

    public var kind: Kind
    public var message: String
    public var hint: String

    public init(_ kind: Kind, _ message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message)\nhint: \(hint)" }
}
