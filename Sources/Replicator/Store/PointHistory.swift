public import Foundation

/// What became of a recovery point since it was made.
public struct PointHistory: Codable, Equatable, Sendable {
    public struct Check: Codable, Equatable, Sendable {
        public var time: Date
        public var depth: Verification.Depth
        /// Whether nothing was found damaged.
        public var isGood: Bool
    }

    /// A boot test, of the point's disks or of what they were converted to.
    public struct Boot: Codable, Equatable, Sendable {
        public var time: Date
        /// As `preflight` has it: "boots", "kernel-panic".
        public var verdict: String
        /// What was booted: "web01.qcow2"; nil for the point's own disks.
        public var image: String?

        public init(time: Date, verdict: String, image: String?) {
            self.time = time
            self.verdict = verdict
            self.image = image
        }
    }

    public var verified: Check?
    public var preflight: Boot?

    public init(verified: Check? = nil, preflight: Boot? = nil) {
        self.verified = verified
        self.preflight = preflight
    }
}

extension Repository {
    private static let historyFolder = "history/"

    private static func verifiedObject(_ machine: String) -> String { "\(historyFolder)\(machine)/verified" }

    private static func preflightFolder(_ machine: String) -> String { "\(historyFolder)\(machine)/preflight/" }

    func read<Value: Decodable>(_ type: Value.Type, _ object: String) async throws -> Value? {
        let bytes: [UInt8]
        do { bytes = try await store.get(object) } catch let error as StoreError where error.kind == .missing {
            return nil
        }
        // Nothing depends on it: what can't be read isn't known.
        return (try? unsealed(bytes, as: object)).flatMap { try? Self.decoder.decode(type, from: Data($0)) }
    }

    func write(_ value: some Encodable, _ object: String) async throws {
        _ = try await store.put(object, try sealed(Array(Self.encoder.encode(value)), as: object), .replacing)
    }

    /// By the points' ids.
    public func history(of machine: String) async throws -> [String: PointHistory] {
        var history: [String: PointHistory] = [:]
        for (id, check) in try await read([String: PointHistory.Check].self, Self.verifiedObject(machine)) ?? [:] {
            history[id, default: PointHistory()].verified = check
        }
        for object in try await store.list(Self.preflightFolder(machine)) {
            guard let boot = try await read(PointHistory.Boot.self, object.name) else { continue }
            let id = String(object.name.dropFirst(Self.preflightFolder(machine).count))
            history[id, default: PointHistory()].preflight = boot
        }
        return history
    }

    /// - Parameter checks: by the points' ids, all of the machine's that there are.
    func note(_ checks: [String: PointHistory.Check], of machine: String) async throws {
        try await write(checks, Self.verifiedObject(machine))
    }

    public func note(_ boot: PointHistory.Boot, of point: RecoveryPoint) async throws {
        try await write(boot, Self.preflightFolder(point.machine) + point.id)
    }

    /// With the point.
    func removeHistory(of point: RecoveryPoint) async throws {
        try await store.remove(Self.preflightFolder(point.machine) + point.id)
    }

    // MARK: Sealing

    /// Encrypted where the store is; for this name alone: nobody without the key can make one, or move one.
    func sealed(_ bytes: [UInt8], as object: String) throws -> [UInt8] {
        guard let keys = cipher.keys else { return bytes }
        return try Cipher.seal(bytes, key: keys.content, context: Array(object.utf8))
    }

    func unsealed(_ bytes: [UInt8], as object: String) throws -> [UInt8] {
        guard let keys = cipher.keys else { return bytes }
        return try Cipher.open(bytes, key: keys.content, context: Array(object.utf8))
    }
}
