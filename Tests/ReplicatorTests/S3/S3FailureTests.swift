import Foundation
import Synchronization
import Testing

@testable import Replicator

/// What is said when it can't go on.
struct S3FailureTests {
    private let server: FaultyS3Server

    init() throws { server = try FaultyS3Server() }

    private func failure(_ body: () async throws -> some Any) async -> String {
        do {
            _ = try await body()
            return ""
        } catch {
            return String(describing: error)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var answer: @Sendable () -> HTTPAnswer
        var words: [String]
        var testDescription: String { words.first ?? "" }
    }

    @Test(arguments: [
        Refusal(
            answer: { .error(403, "InvalidAccessKeyId") }, words: ["doesn't know the access key 'AKIDTEST'"]),
        Refusal(
            answer: { .error(403, "SignatureDoesNotMatch") },
            words: ["secret key isn't that of", "AWS_SECRET_ACCESS_KEY"]),
        Refusal(answer: { .error(403, "AccessDenied") }, words: ["AccessDenied: told to", "s3:ListBucket"]),
        Refusal(answer: { .error(400, "ExpiredToken") }, words: ["ExpiredToken", "new temporary credentials"]),
        Refusal(
            answer: {
                var answer = HTTPAnswer.error(403, "RequestTimeTooSkewed")
                answer.headers.append(("Date", "Thu, 01 Jan 1970 00:00:00 GMT"))
                return answer
            }, words: ["the clock of this host", "there it is Thu, 01 Jan 1970"]),
        Refusal(
            answer: {
                var answer = HTTPAnswer.error(301, "PermanentRedirect")
                answer.headers.append(("x-amz-bucket-region", "eu-west-3"))
                return answer
            }, words: ["in the region 'eu-west-3'", "looked for in 'us-east-1'", "AWS_REGION=eu-west-3"]),
        Refusal(
            answer: { .error(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>") },
            words: ["AWS_REGION=eu-west-1"]),
        Refusal(
            answer: { HTTPAnswer(status: 307, headers: [("Location", "http://elsewhere/")]) },
            words: ["sends it elsewhere to 'http://elsewhere/'"]),
        Refusal(answer: { HTTPAnswer(status: 404, body: Array("<html>".utf8)) }, words: ["is 'http://127.0.0.1"]),
        Refusal(answer: { HTTPAnswer(status: 507) }, words: ["the server answered 507", "make room"]),
    ])
    func refusals(_ refusal: Refusal) async throws {
        defer { server.stop() }
        let store = try server.store()
        server.state.withLock { $0.answers = [refusal.answer()] }
        let message = await failure { try await store.get("a/b") }
        #expect(message.hasPrefix("could not read 'a/b' in the store 's3://bucket/store': "))
        for words in refusal.words + ["\nhint: "] { #expect(message.contains(words), "\(message)") }
        #expect(server.state.withLock { $0.log.count } == 1)
    }

    @Test func aBucketThatIsNotThereIsNamed() async throws {
        defer { server.stop() }
        let store = try server.store(bucket: "nothing")
        for message in [
            await failure { try await store.size(of: "a") }, await failure { try await store.get("a") },
            await failure { try await store.list("a/") }, await failure { try await store.put("a", [], .ifAbsent) },
            await failure { try await store.put("a", [], .replacing) }, await failure { try await store.remove("a") },
        ] {
            #expect(message.contains("there is no bucket 'nothing'"), "\(message)")
        }
    }

    @Test func anObjectThatIsNotThereIsMissing() async throws {
        defer { server.stop() }
        await #expect {
            try await server.store().get("a")
        } throws: {
            ($0 as? StoreError)?.kind == .missing
        }
    }

    @Test func aWrongSecretIsNamed() async throws {
        defer { server.stop() }
        let store = try server.store(changing: ["AWS_SECRET_ACCESS_KEY": "wrong"])
        #expect(await failure { try await store.size(of: "a") }.contains("secret key isn't that of"))
    }

    // MARK: No answer

    @Test func whatFailsForEverIsGivenUp() async throws {
        defer { server.stop() }
        let retries = S3Retries(attempts: 5, firstPause: .milliseconds(1))
        let store = try server.store(retries: retries)
        server.state.withLock { $0.faults.first["GET"] = Array(repeating: .slowDown, count: 100) }
        let message = await failure { try await store.get("a") }
        #expect(message.contains("the server answered 503 SlowDown, at the last of 5 attempts"), "\(message)")
        #expect(server.state.withLock { $0.log.count } == 5)
        #expect(store.client.window.limit < 16)
    }

    @Test func whatTheServerAsksForIsWaited() async throws {
        defer { server.stop() }
        let store = try server.store()
        server.state.withLock { state in
            state.objects["store/a"] = [1]
            state.answers = [HTTPAnswer(status: 503, headers: [("Retry-After", "1")])]
        }
        let start = ContinuousClock.now
        #expect(try await store.get("a") == [1])
        #expect(ContinuousClock.now - start > .seconds(1))
        // Longer than everything may take.
        server.state.withLock { $0.answers = [HTTPAnswer(status: 503, headers: [("Retry-After", "600")])] }
        #expect(await failure { try await store.get("a") }.contains("at the last of 1 attempts"))
    }

    @Test func silenceEnds() async throws {
        defer { server.stop() }
        let retries = S3Retries(firstPause: .milliseconds(1), attempt: .milliseconds(200))
        let store = try server.store(retries: retries)
        server.state.withLock { state in
            state.objects["store/a"] = [1]
            state.faults.first["GET"] = [.silence]
        }
        #expect(try await store.get("a") == [1])
        server.state.withLock { $0.faults.first["GET"] = Array(repeating: .silence, count: 100) }
        #expect(await failure { try await store.get("b") }.contains("no answer in time"))
        // Less at once may do.
        #expect(store.client.window.limit < 16)
    }

    @Test func aServerThatIsNotThereIsNamedSoon() async throws {
        server.stop()
        let store = try server.store(retries: S3Retries(firstPause: .milliseconds(1)))
        let message = await failure { try await store.get("a") }
        #expect(
            message.contains("'http://127.0.0.1:\(server.port)': Connection refused, at the last of 3"), "\(message)")
        let nowhere = try server.store(
            retries: S3Retries(firstPause: .milliseconds(1)), changing: ["AWS_ENDPOINT_URL": "http://nowhere.invalid"])
        let unknown = await failure { try await nowhere.get("a") }
        #expect(unknown.contains("nobody knows the name 'nowhere.invalid'"), "\(unknown)")
    }

    @Test func noTLSThereIsNamed() async throws {
        defer { server.stop() }
        let store = try server.store(changing: ["AWS_ENDPOINT_URL": "https://127.0.0.1:\(server.port)"])
        let message = await failure { try await store.get("a") }
        #expect(message.contains("127.0.0.1:\(server.port)': it doesn't speak TLS there"), "\(message)")
    }

    @Test func aCancellationEndsItAtOnce() async throws {
        defer { server.stop() }
        let store = try server.store(retries: S3Retries())
        server.state.withLock { $0.faults.first["GET"] = [.silence, .slowDown, .slowDown] }
        let task = Task { try await store.get("a") }
        try await Task.sleep(for: .milliseconds(100))
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // Nothing is tried again.
        #expect(server.state.withLock { $0.log.count } <= 1)
    }
}
