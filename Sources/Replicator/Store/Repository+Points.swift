internal import Foundation

extension Repository {
    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Date(try decoder.singleValueContainer().decode(String.self), strategy: timeStyle)
        }
        return decoder
    }

    /// Two points may be of one second.
    private static var timeStyle: Date.ISO8601FormatStyle {
        .iso8601.year().month().day().time(includingFractionalSeconds: true)
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(timeStyle))
        }
        return encoder
    }

    /// The machines that the store has points of.
    public func machines() async throws -> [String] {
        let names = try await store.list("points/").compactMap { object -> String? in
            let parts = object.name.split(separator: "/")
            return parts.count == 3 ? String(parts[1]) : nil
        }
        return Set(names).sorted()
    }

    /// The points of a machine, or of all, oldest first. A point whose lease was taken away isn't one.
    /// - Parameter known: records that were read before, by their objects: a record never changes.
    public func points(
        of machine: String? = nil, known: [String: RecoveryPoint] = [:]
    ) async throws -> [RecoveryPoint] {
        if let machine, !MachineName.isValid(machine) { throw Self.noMachine(machine, []) }
        let revoked = try await revokedLeases()
        var points: [RecoveryPoint] = []
        for object in try await store.list(machine.map { "points/\($0)/" } ?? "points/")
        where object.name.hasSuffix(".point") {
            do {
                let point = if let known = known[object.name] { known } else { try await point(in: object.name) }
                if !revoked.contains(point.lease) { points.append(point) }
            } catch let error as StoreError where error.kind == .missing {
                // Removed since it was listed.
            }
        }
        return points.sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    }

    private func point(in object: String) async throws -> RecoveryPoint {
        let record = try await store.get(object)
        let bytes = (try? unsealed(record, as: object)) ?? []
        guard let point = try? Self.decoder.decode(RecoveryPoint.self, from: Data(bytes)), point.schema == 1,
            MachineName.isValid(point.machine), point.object == object
        else {
            throw StoreError(
                .damaged, "the record of the point '\(object)' in the store '\(store.name)' can't be understood",
                hint: "remove that object; the machine's other points don't need it")
        }
        return point
    }

    /// "web01", "web01@latest", "web01@20261128T101500Z-3f9a", or the beginning of an id.
    public func point(named name: String) async throws -> RecoveryPoint {
        let parts = name.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let all = try await knownPoints(of: parts[0])
        guard let latest = all.last else { throw Self.noMachine(parts[0], []) }
        guard parts.count == 2, parts[1] != "latest", !parts[1].isEmpty else { return latest }
        let found = all.filter { $0.id == parts[1] || $0.id.hasPrefix(parts[1]) }
        guard found.count == 1 else {
            let few = all.suffix(5).map(\.id).joined(separator: ", ")
            throw StoreError(
                .missing,
                found.isEmpty
                    ? "'\(parts[0])' has no recovery point '\(parts[1])'"
                    : "'\(parts[1])' is the beginning of \(found.count) recovery points of '\(parts[0])'",
                hint: "the newest are: \(few)")
        }
        return found[0]
    }

    /// - Throws: ``StoreError`` of the kind `missing` where the store has none of the machine.
    public func knownPoints(of machine: String) async throws -> [RecoveryPoint] {
        let points = try await points(of: machine)
        if points.isEmpty { throw Self.noMachine(machine, try await machines()) }
        return points
    }

    private static func noMachine(_ name: String, _ there: [String]) -> StoreError {
        StoreError(
            .missing, "the store has no machine '\(name)'",
            hint: there.isEmpty
                ? "it has no recovery points at all" : "there are: \(there.prefix(20).joined(separator: ", "))")
    }

    func manifest(of disk: RecoveryPoint.Disk) async throws -> Manifest {
        let object = try await store.get(disk.manifest)
        let manifest = try Manifest(object, as: disk.manifest, cipher: cipher, store: store.name)
        guard manifest.size == disk.size, ChunkID(bytes: Cipher.sha256(object)).description == disk.digest else {
            throw StoreError(
                .damaged, "the manifest '\(disk.manifest)' of the store '\(store.name)' is for another disk",
                hint: "that recovery point is lost; 'rehost points' lists the others")
        }
        return manifest
    }

    /// - Returns: the object's digest, for the point's record.
    func put(_ manifest: Manifest, as name: String) async throws -> String {
        let object = try manifest.encoded(as: name, cipher: cipher)
        guard try await store.put(name, object, .ifAbsent) else {
            throw StoreError(
                .busy, "the store '\(store.name)' has a manifest '\(name)' already", hint: "capture the machine again")
        }
        return ChunkID(bytes: Cipher.sha256(object)).description
    }

    /// Makes a point one: from now on it counts.
    func commit(_ point: RecoveryPoint) async throws {
        let record = try sealed(Array(Self.encoder.encode(point)), as: point.object)
        guard try await store.put(point.object, record, .ifAbsent) else {
            throw StoreError(
                .busy, "the store '\(store.name)' has the point '\(point.id)' of '\(point.machine)' already",
                hint: "capture the machine again")
        }
        try await store.flush()
    }

    func chunk(_ id: ChunkID) async throws -> [UInt8] {
        try Chunk.decode(await store.get(id.object), id, cipher: cipher, store: store.name)
    }
}
