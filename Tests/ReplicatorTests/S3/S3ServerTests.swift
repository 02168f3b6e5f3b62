import Foundation
import Testing

@testable import Replicator

/// The contract against a real server: REHOST_S3_ENDPOINT and REHOST_S3_BUCKET, with AWS_ACCESS_KEY_ID and the other
/// variables of S3 clients. REHOST_S3_CONDITIONS=ignored says that it is one without conditional writes.
@Suite(.enabled(if: RealS3Server.isThere, "REHOST_S3_ENDPOINT and REHOST_S3_BUCKET aren't set: no real S3 server"))
struct S3ServerTests {
    private let isConditional = RealS3Server.isConditional

    private func store(_ prefix: String, allowsUnconditional: Bool = false) throws -> S3Store {
        try S3Store(
            "s3://\(RealS3Server.environment["REHOST_S3_BUCKET"] ?? "")/\(prefix)",
            settings: S3Settings(
                endpoint: RealS3Server.environment["REHOST_S3_ENDPOINT"], allowsUnconditional: allowsUnconditional),
            environment: RealS3Server.environment)
    }

    private func removeAll(_ store: S3Store) async throws {
        for object in try await store.list("") { try await store.remove(object.name) }
    }

    @Test(arguments: ["test", "with space+plus/ü%25"]) func contract(_ prefix: String) async throws {
        let store = try store("\(prefix)-\(UUID().uuidString)", allowsUnconditional: !isConditional)
        try await ObjectStoreContract().check(store)
        try await removeAll(store)
        #expect(try await store.list("") == [])
    }

    @Test func conditionalWrites() async throws {
        let store = try store("conditions-\(UUID().uuidString)")
        #expect(try await store.conditionalWrites() == isConditional)
        if isConditional {
            #expect(try await store.put("a", [1], .ifAbsent))
        } else {
            await #expect(throws: StoreError.self) { try await store.put("a", [1], .ifAbsent) }
        }
        try await removeAll(store)
    }

    @Test(.enabled(if: RealS3Server.isConditional, "REHOST_S3_CONDITIONS says that there are none"))
    func manyRaces() async throws {
        let store = try store("races-\(UUID().uuidString)")
        for race in 0..<40 {
            let winners = try await withThrowingTaskGroup(of: UInt8?.self) { group in
                for number in UInt8(0)..<12 {
                    group.addTask {
                        try await store.put("\(race)", [number], .ifAbsent) ? number : nil
                    }
                }
                return try await group.reduce(into: []) { winners, winner in winners += winner.map { [$0] } ?? [] }
            }
            #expect(winners.count == 1)
            #expect(try await store.get("\(race)") == winners)
        }
        try await removeAll(store)
    }

    /// More than two pages.
    @Test func manyObjects() async throws {
        let store = try store("many-\(UUID().uuidString)")
        let names = (0..<2100).map { "many/\($0)" }
        func each(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for start in 0..<16 {
                    group.addTask {
                        for index in stride(from: start, to: names.count, by: 16) { try await body(names[index]) }
                    }
                }
                try await group.waitForAll()
            }
        }
        try await each { _ = try await store.put($0, Array($0.utf8), .replacing) }
        #expect(try await Set(store.list("many/").map(\.name)) == Set(names))
        try await each { try await store.remove($0) }
        #expect(try await store.list("many/") == [])
    }

    @Test func refusalsAreNamed() async throws {
        var environment = RealS3Server.environment
        environment["AWS_SECRET_ACCESS_KEY"] = "wrong"
        let settings = S3Settings(endpoint: RealS3Server.environment["REHOST_S3_ENDPOINT"])
        let bucket = RealS3Server.environment["REHOST_S3_BUCKET"] ?? ""
        for (location, environment) in [
            ("s3://\(bucket)/x", environment), ("s3://rehost-no-such-bucket/x", RealS3Server.environment),
        ] {
            let store = try S3Store(location, settings: settings, environment: environment)
            do {
                let size = try await store.size(of: "x")
                print("\(location): \(size.map(String.init) ?? "no such object")")
            } catch {
                print("\(location): \(error)")
            }
        }
    }
}

private enum RealS3Server {
    static let environment = ProcessInfo.processInfo.environment
    static let isThere = environment["REHOST_S3_ENDPOINT"] != nil && environment["REHOST_S3_BUCKET"] != nil
    static let isConditional = environment["REHOST_S3_CONDITIONS"] != "ignored"
}
