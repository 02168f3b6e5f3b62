import Foundation
import Synchronization
import Testing

@testable import Replicator

/// The store against a server that fails as it is told to.
struct S3StoreTests {
    private let server: FaultyS3Server
    private let contract = ObjectStoreContract()

    init() throws { server = try FaultyS3Server() }

    private func set(_ change: (inout FaultyS3Server.State) -> Void) { server.state.withLock { change(&$0) } }

    private var objects: [String: [UInt8]] { server.state.withLock { $0.objects } }

    private var log: [String] { server.state.withLock { $0.log } }

    private func failure(_ body: () async throws -> some Any) async -> String {
        do {
            _ = try await body()
            return ""
        } catch {
            return String(describing: error)
        }
    }

    // MARK: The contract

    @Test(arguments: ["", "store", "a b+c/ü%25"])
    func contract(_ prefix: String) async throws {
        defer { server.stop() }
        try await contract.check(server.store(prefix))
        #expect(objects.keys.allSatisfy { prefix.isEmpty || $0.hasPrefix(prefix + "/") })
        // The probe is gone.
        #expect(objects.count == 3)
    }

    @Test(arguments: 1...16)
    func contractWithFaults(_ seed: Int) async throws {
        defer { server.stop() }
        set { $0.faults = S3Faults(seed: UInt64(seed), rate: seed % 2 == 0 ? 0.3 : 0.7) }
        try await contract.check(server.store())
        #expect(server.state.withLock { $0.faulted } > 5)
    }

    @Test func contractWithoutConditions() async throws {
        defer { server.stop() }
        for conditions in [FaultyS3Server.Conditions.ignored, .notImplemented] {
            set {
                $0.objects = [:]
                $0.conditions = conditions
            }
            try await contract.check(server.store(settings: S3Settings(allowsUnconditional: true)))
        }
    }

    @Test(arguments: [2, 3, 1000]) func pages(_ size: Int) async throws {
        defer { server.stop() }
        set { state in
            state.pageSize = size
            for number in 0..<11 { state.objects["store/a/\(number)"] = [UInt8](repeating: 0, count: number) }
            for key in ["store/a/", "store/", "storeroom/a/x", "store/b/x"] { state.objects[key] = [] }
        }
        let store = try server.store()
        let expected = Set((0..<11).map { StoredObject(name: "a/\($0)", size: UInt64($0)) })
        #expect(try await Set(store.list("a/")) == expected)
        #expect(try await store.list("").count == 12)
    }

    // MARK: Conditional writes

    @Test(arguments: [FaultyS3Server.Conditions.ignored, .notImplemented])
    func aServerWithoutConditionsIsNoticed(_ conditions: FaultyS3Server.Conditions) async throws {
        defer { server.stop() }
        set { $0.conditions = conditions }
        let store = try server.store()
        #expect(try await store.conditionalWrites() == false)
        let message = await failure { try await store.put("lock", [1], .ifAbsent) }
        #expect(message.contains("could not write 'lock' in the store 's3://bucket/store': the server ignores"))
        #expect(objects.isEmpty)
        #expect(try await store.put("lock", [1], .replacing))
    }

    @Test func theProbeIsOnlyOne() async throws {
        defer { server.stop() }
        let store = try server.store()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<20 { group.addTask { try await store.put("\(number)", [1], .ifAbsent) } }
            for try await isPut in group { #expect(isPut) }
        }
        let probes = log.filter { $0.contains("/probe/") }
        #expect(probes.map { String($0.prefix(3)) } == ["PUT", "PUT", "DEL"])
    }

    @Test func probesOfKilledProcessesGoAfterADay() async throws {
        defer { server.stop() }
        set { state in
            for name in ["\(time(nil) - 90_000)-old", "\(time(nil) - 60)-new", "other"] {
                state.objects["store/probe/\(name)"] = [1]
            }
        }
        try await server.store().removeLeftovers()
        #expect(objects.keys.allSatisfy { $0.hasSuffix("new") || $0.hasSuffix("other") })
        #expect(objects.count == 2)
    }

    /// The writer has to learn that the object is its own.
    @Test(arguments: S3Fault.lostAnswers) func aLostAnswer(_ fault: S3Fault) async throws {
        defer { server.stop() }
        let store = try server.store()
        _ = try await store.conditionalWrites()
        set { $0.faults.first["PUT"] = [fault] }
        #expect(try await store.put("lock", [1, 2], .ifAbsent))
        #expect(objects["store/lock"] == [1, 2])
        #expect(try await store.put("lock", [1, 2], .ifAbsent) == false)
        // Somebody else's, found at a second attempt.
        set {
            $0.objects["store/other"] = [9]
            $0.faults.first["PUT"] = [.resetBeforeActing]
        }
        #expect(try await store.put("other", [1, 2], .ifAbsent) == false)
        #expect(objects["store/other"] == [9])
    }

    @Test func conflictsAreTriedAgain() async throws {
        defer { server.stop() }
        let store = try server.store()
        _ = try await store.conditionalWrites()
        set { $0.faults.first["PUT"] = [.conflict, .conflict] }
        #expect(try await store.put("a", [1], .ifAbsent))
        #expect(log.filter { $0 == "PUT /bucket/store/a" }.count == 3)
    }

    // MARK: Bytes

    @Test func aBodyThatIsCutIsReadAgain() async throws {
        defer { server.stop() }
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        set {
            $0.objects["store/a"] = bytes
            $0.faults.first["GET"] = [.cutBody, .cutBody]
        }
        #expect(try await server.store().get("a") == bytes)
        #expect(log.count == 3)
    }

    /// That they are other ones is for the layer above to notice, which knows the hash of every object.
    @Test func wrongBytesArePassedUp() async throws {
        defer { server.stop() }
        set {
            $0.objects["store/a"] = [1, 2, 3]
            $0.flipsBytes = true
        }
        #expect(try await server.store().get("a") == [1, 3, 3])
    }

    @Test func tooMuchIsRefused() async throws {
        defer { server.stop() }
        set { $0.answers = [HTTPAnswer(length: S3Store.limit("large") + 1)] }
        let message = await failure { try await server.store().get("a") }
        #expect(message.contains("the answer has 67108865 bytes, more than 67108864"))
        #expect(log.count == 1)
    }
}
