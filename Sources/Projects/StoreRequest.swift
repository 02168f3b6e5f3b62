internal import Foundation
public import Replicator

/// What opens stores, whichever they are.
public struct StoreAccess: Sendable {
    public var key: Repository.Key?
    public var s3: S3Settings

    public init(key: Repository.Key? = nil, s3: S3Settings = S3Settings()) {
        self.key = key
        self.s3 = s3
    }
}

/// Which store is meant, and what opens it.
public struct StoreRequest: Sendable {
    /// A folder, or "s3://bucket/prefix".
    public var location: String
    public var access: StoreAccess
    /// In bytes, for a store that isn't there yet.
    public var regionSize: Int?

    public init(location: String, access: StoreAccess = StoreAccess(), regionSize: Int? = nil) {
        self.location = location
        self.access = access
        self.regionSize = regionSize
    }

    /// The same from wherever it is said.
    public var place: String {
        location.contains("://") ? location : URL(fileURLWithPath: location).standardizedFileURL.path
    }

    private func store() throws -> any ObjectStore {
        if location.hasPrefix("s3://") {
            return try S3Store(location, settings: access.s3, environment: ProcessInfo.processInfo.environment)
        }
        guard !location.contains("://") else {
            throw StoreError(
                .unavailable, "'\(location)' is no store that is known",
                hint: "name a folder, as in /backup/store, or a bucket, as in s3://bucket/prefix")
        }
        return FolderStore(location)
    }

    public func open() async throws -> Repository { try await Repository.open(store(), key: access.key) }

    public func openOrMake() async throws -> Repository {
        try await Repository.openOrMake(store(), regionSize: regionSize, key: access.key)
    }
}
