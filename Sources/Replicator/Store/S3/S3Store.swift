internal import Foundation
internal import Synchronization

/// A store in a bucket of an S3 server: each object one that is put, read and signed whole.
public struct S3Store: ObjectStore {
    let client: S3Client
    let probe = ConditionalProbe()
    let turns = ObjectTurns()
    let settings: S3Settings
    private let bucket = Bucket()

    /// In bytes: a region has 8 MiB at most; a manifest has 32 for each region of a disk, and more where it has patches.
    static func limit(_ object: String) -> Int { object.hasPrefix("manifests/") ? 2 << 30 : 64 << 20 }

    public var name: String { client.location.description }

    /// Nothing is asked of the server yet.
    /// - Parameters:
    ///   - location: "s3://bucket/prefix".
    ///   - environment: of the process, for what the settings leave out.
    /// - Throws: ``StoreError`` where the location is none, or there are no keys to sign with.
    public init(_ location: String, settings: S3Settings = S3Settings(), environment: [String: String]) throws {
        try self.init(location, settings: settings, environment: environment, retries: S3Retries()) { path in
            do {
                return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
            } catch CocoaError.fileReadNoSuchFile {
                return nil
            } catch {
                throw StoreError(
                    .unavailable, "could not read '\(path)': \(error.localizedDescription)",
                    hint: "is it readable by this user?")
            }
        }
    }

    init(
        _ location: String, settings: S3Settings, environment: [String: String], retries: S3Retries,
        read: (String) throws -> [UInt8]?
    ) throws {
        let location = try S3Location(location)
        let configuration = try S3Configuration(location, settings, environment, read: read)
        client = try S3Client(location, configuration, retries)
        self.settings = settings
    }

    // MARK: Reading

    public func get(_ object: String) async throws -> [UInt8] {
        guard let bytes = try await found(object) else {
            throw StoreError(
                .missing, "the store '\(name)' has no '\(object)'",
                hint: "'rehost verify' shows what is damaged in a store")
        }
        return bytes
    }

    /// nil where the bucket is there and the object isn't.
    func found(_ object: String) async throws -> [UInt8]? {
        let request = S3Request(
            method: .get, key: client.location.key(object), limit: Self.limit(object),
            purpose: "read '\(object)'")
        let response = try await client.send(request)
        if response.status == 200 {
            bucket.isKnown.store(true, ordering: .relaxed)
            return response.body
        }
        guard response.status == 404, response.problem.code == "NoSuchKey" else {
            throw S3Failure(request, client).error(response)
        }
        bucket.isKnown.store(true, ordering: .relaxed)
        return nil
    }

    public func size(of object: String) async throws -> UInt64? {
        let request = S3Request(method: .head, key: client.location.key(object), purpose: "look at '\(object)'")
        let response = try await client.send(request)
        if response.status == 200, let size = response.headers["content-length"].flatMap({ UInt64($0) }) {
            bucket.isKnown.store(true, ordering: .relaxed)
            return size
        }
        if response.status == 404, bucket.isKnown.load(ordering: .relaxed) { return nil }
        // This answer has no body that tells whether it is the object or the bucket that isn't there, or what else is
        // wrong; that to a GET does.
        return try await found(object).map { UInt64($0.count) }
    }

    public func list(_ prefix: String) async throws -> [StoredObject] {
        let location = client.location
        let start = location.prefix.isEmpty ? "" : location.prefix + "/"
        var found: [StoredObject] = []
        var continuation: String?
        repeat {
            var request = S3Request(
                method: .get, limit: S3Listing.limit,
                purpose: prefix.isEmpty ? "list all" : "list '\(prefix)'")
            request.query = [
                .init(name: "list-type", value: "2"), .init(name: "encoding-type", value: "url"),
                .init(name: "prefix", value: start + prefix),
            ]
            if let continuation { request.query.append(.init(name: "continuation-token", value: continuation)) }
            let response = try await client.send(request)
            guard response.status == 200 else { throw S3Failure(request, client).error(response) }
            bucket.isKnown.store(true, ordering: .relaxed)
            // The same page again would go on for ever.
            guard let page = S3Listing(parsing: response.body), page.continuation.map({ $0 != continuation }) ?? true
            else {
                throw StoreError(
                    .unavailable, "could not \(request.purpose) in the store '\(name)': the answer is no list",
                    hint: "is '\(client.configuration.endpoint.url)' an S3 server?")
            }
            for object in page.objects where object.name.hasPrefix(start + prefix) && !object.name.hasSuffix("/") {
                // Names that end so are folders to some programs, and none of a store's objects.
                found.append(StoredObject(name: String(object.name.dropFirst(start.count)), size: object.size))
            }
            continuation = page.continuation
        } while continuation != nil
        return found
    }

    // MARK: Writing

    public func put(_ object: String, _ bytes: [UInt8], _ mode: PutMode) async throws -> Bool {
        // What couldn't be read back must not be written.
        guard bytes.count <= Self.limit(object) else {
            throw StoreError(
                .unavailable, "could not write '\(object)' in the store '\(name)': it has \(bytes.count) bytes",
                hint: "capture into a new store with larger regions: --region-size 8M")
        }
        guard mode == .ifAbsent else {
            try await replace(object, bytes)
            return true
        }
        if try await conditionalWrites() { return try await putIfAbsent(object, bytes) }
        guard settings.allowsUnconditional else {
            throw StoreError(
                .unavailable,
                "could not write '\(object)' in the store '\(name)': the server ignores If-None-Match, so two captures "
                    + "at once could overwrite each other's objects",
                hint:
                    "take a server that does conditional writes (AWS, Ceph, MinIO), or promise with --single-writer that only one process "
                    + "writes to the store at a time")
        }
        return try await turns.run(object) {
            if try await size(of: object) != nil { return false }
            try await replace(object, bytes)
            return true
        }
    }

    func replace(_ object: String, _ bytes: [UInt8]) async throws {
        let request = S3Request(
            method: .put, key: client.location.key(object), body: bytes, purpose: "write '\(object)'")
        let response = try await client.send(request)
        guard response.isSuccess else { throw S3Failure(request, client).error(response) }
        bucket.isKnown.store(true, ordering: .relaxed)
    }

    public func remove(_ object: String) async throws {
        let request = S3Request(method: .delete, key: client.location.key(object), purpose: "remove '\(object)'")
        let response = try await client.send(request)
        if response.isSuccess || (response.status == 404 && response.problem.code == "NoSuchKey") { return }
        throw S3Failure(request, client).error(response)
    }

    /// Nothing to do: what a server has answered is on its disks.
    public func flush() async throws {}

    /// Whether the bucket has shown that it is there.
    private final class Bucket: Sendable {
        let isKnown = Atomic(false)
    }
}
