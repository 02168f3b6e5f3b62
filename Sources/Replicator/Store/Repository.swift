public import Foundation

/// A store that was opened: its settings, its key, and what is in it.
public struct Repository: Sendable {
    public let store: any ObjectStore
    public let settings: Settings
    let cipher: Cipher

    /// The object `rehost-store.json`: what a store was made with, for good.
    public struct Settings: Codable, Equatable, Sendable {
        public var schema = 1
        public var id: String
        /// In bytes.
        public var regionSize: Int
        public var encryption: Encryption?

        public struct Encryption: Codable, Equatable, Sendable {
            public var cipher = "AES-256-GCM"
            /// "scrypt" of a passphrase, or "file": 32 bytes.
            public var derivation: String
            public var salt: Data
            /// scrypt's N; its r is 8 and its p 1.
            public var cost: UInt64
            /// The store's own two keys, sealed by the one that the user has.
            public var keys: Data
        }
    }

    /// What opens an encrypted store: all of a file.
    public enum Key: Sendable {
        case passphrase([UInt8])
        case file([UInt8])
    }

    static let settingsObject = "rehost-store.json"
    public static let usualRegionSize = 4 << 20
    private static let scryptCost: UInt64 = 1 << 15
    private static let keyContext = Array("rehost store keys".utf8)

    private init(store: any ObjectStore, settings: Settings, cipher: Cipher) {
        self.store = store
        self.settings = settings
        self.cipher = cipher
    }

    // MARK: Opening

    /// - Throws: ``StoreError``: `missing` where there is no store, `key` where the key isn't its own.
    public static func open(_ store: any ObjectStore, key: Key? = nil) async throws -> Repository {
        guard try await store.size(of: settingsObject) != nil else {
            throw StoreError(
                .missing, "there is no store in '\(store.name)'",
                hint: "check its name; 'rehost capture' makes one with the first recovery point")
        }
        let bytes = try await store.get(settingsObject)
        guard let settings = try? JSONDecoder().decode(Settings.self, from: Data(bytes)), settings.schema == 1,
            RegionSize.isValid(settings.regionSize)
        else {
            throw StoreError(
                .damaged, "'\(settingsObject)' of the store '\(store.name)' can't be understood",
                hint: "is it from a newer version of rehost?")
        }
        return Repository(store: store, settings: settings, cipher: try cipher(settings, key, store.name))
    }

    private static func cipher(_ settings: Settings, _ key: Key?, _ store: String) throws -> Cipher {
        guard let encryption = settings.encryption else {
            guard key == nil else {
                throw StoreError(
                    .key, "the store '\(store)' isn't encrypted, and a key was given for it",
                    hint: "leave the key out; a store is encrypted when it is made, or not at all")
            }
            return .plain
        }
        guard let key else {
            throw StoreError(
                .key, "the store '\(store)' is encrypted",
                hint: "give its key with --store-key or --store-passphrase-file")
        }
        do {
            let outer = try outerKey(key, encryption)
            let keys = try Cipher.open(Array(encryption.keys), key: outer, context: keyContext)
            guard keys.count == 64 else { throw Cipher.Failure() }
            return Cipher(keys: .init(content: Array(keys[..<32]), names: Array(keys[32...])))
        } catch {
            throw StoreError(
                .key, "the key isn't that of the store '\(store)'",
                hint: encryption.derivation == "scrypt"
                    ? "the store was made with a passphrase; nothing opens it without it"
                    : "the store was made with a key file; nothing opens it without it")
        }
    }

    private static func outerKey(_ key: Key, _ encryption: Settings.Encryption) throws -> [UInt8] {
        switch (key, encryption.derivation) {
        case (.passphrase(let text), "scrypt"):
            guard encryption.cost <= 1 << 20 else { throw Cipher.Failure() }
            return try Cipher.scrypt(text, salt: Array(encryption.salt), cost: encryption.cost)
        case (.file(let bytes), "file"): return Cipher.sha256(Array(encryption.salt) + bytes)
        default: throw Cipher.Failure()
        }
    }

    // MARK: Making

    /// Opens a store, or makes one where there is none. Of two that make it at once, one wins, and both have the same.
    /// - Parameters:
    ///   - regionSize: in bytes, for a new store; nil is 4 MiB.
    ///   - key: encrypts a new store.
    public static func openOrMake(
        _ store: any ObjectStore, regionSize: Int? = nil, key: Key? = nil
    ) async throws -> Repository {
        if try await store.size(of: settingsObject) == nil {
            let settings = Settings(
                id: UUID().uuidString.lowercased(), regionSize: regionSize ?? usualRegionSize,
                encryption: try key.map(encryption))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            _ = try await store.put(settingsObject, Array(try encoder.encode(settings)), .ifAbsent)
            try await store.flush()
        }
        let repository = try await open(store, key: key)
        if let regionSize, regionSize != repository.settings.regionSize {
            throw StoreError(
                .unavailable, "the store '\(store.name)' has regions of \(repository.settings.regionSize) bytes",
                hint: "leave --region-size out: it is for a new store")
        }
        return repository
    }

    private static func encryption(_ key: Key) throws -> Settings.Encryption {
        let salt = try Cipher.random(32)
        let derivation =
            switch key {
            case .passphrase: "scrypt"
            case .file: "file"
            }
        var encryption = Settings.Encryption(
            derivation: derivation, salt: Data(salt), cost: derivation == "scrypt" ? scryptCost : 0, keys: Data())
        encryption.keys = Data(
            try Cipher.seal(Cipher.random(64), key: outerKey(key, encryption), context: keyContext))
        return encryption
    }
}

/// In bytes: a power of two from 64 KiB to 8 MiB.
public enum RegionSize {
    public static func isValid(_ size: Int) -> Bool { (64 << 10...8 << 20).contains(size) && size & (size - 1) == 0 }
}
