internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Signs requests, sends them, and sends them again where that may help.
final class S3Client: Sendable {
    let location: S3Location
    let configuration: S3Configuration
    let retries: S3Retries
    let window = RequestWindow()
    private let http: HTTPClient
    private let hasAnswered = Atomic(false)

    /// - Throws: ``StoreError``
    init(_ location: S3Location, _ configuration: S3Configuration, _ retries: S3Retries) throws {
        self.location = location
        self.configuration = configuration
        self.retries = retries
        http = try S3Connections.client(trusting: configuration.authorities)
    }

    // MARK: Trying again

    private enum Attempt: Sendable {
        case answered(S3Response)
        case failed(ConnectionFailure)
    }

    /// - Returns: the first answer that isn't about a passing trouble; it may well be a refusal.
    /// - Throws: ``StoreError`` where there was none in time.
    func send(_ request: S3Request) async throws -> S3Response {
        var firstFailure: ContinuousClock.Instant?
        // Tried again, a body is the same.
        let payload = SigV4.hex(Cipher.sha256(request.body))
        var attempts = 0
        while true {
            attempts += 1
            let attempt = try await window.run {
                try await self.attempt(request, payload)
            } judging: {
                Self.verdict($0)
            }
            var asked: Int?
            var reason: String
            switch attempt {
            case .answered(var response):
                hasAnswered.store(true, ordering: .relaxed)
                response.attempts = attempts
                guard Self.isPassing(response) else { return response }
                reason = Self.reason(response)
                asked = response.headers["retry-after"].flatMap { Int($0) }
            case .failed(let failure):
                guard failure.kind == .passing || failure.kind == .timedOut else {
                    throw S3Failure(request, self).error(failure)
                }
                reason = failure.reason
            }
            let most = hasAnswered.load(ordering: .relaxed) ? retries.attempts : retries.attemptsToReach
            let pause = retries.pause(after: attempts, asked: asked)
            let now = ContinuousClock.now
            let start = firstFailure ?? now
            firstFailure = start
            guard attempts < most, now - start + pause < retries.overall else {
                throw S3Failure(request, self).error(reason, attempts: attempts)
            }
            try await Task.sleep(for: pause)
        }
    }

    private static func verdict(_ attempt: Attempt) -> RequestWindow.Verdict {
        switch attempt {
        case .answered(let response) where response.status == 503 || response.status == 429: .tooMuch
        case .answered(let response) where response.status < 500: .well
        case .failed(let failure) where failure.kind == .timedOut: .tooMuch
        default: .otherwise
        }
    }

    private static func isPassing(_ response: S3Response) -> Bool {
        switch response.status {
        case 429, 500, 502, 503, 504: true
        // Another writer of the same object was at work.
        case 409: ["ConditionalRequestConflict", "OperationAborted"].contains(response.problem.code)
        // The request didn't arrive whole.
        case 400: ["RequestTimeout", "IncompleteBody"].contains(response.problem.code)
        default: false
        }
    }

    private static func reason(_ response: S3Response) -> String {
        let code = response.problem.code
        return "the server answered \(response.status)" + (code.isEmpty ? "" : " \(code)")
    }

    // MARK: One attempt

    private func attempt(_ request: S3Request, _ payload: String) async throws -> Attempt {
        do {
            return .answered(try await timed { try await self.once(request, payload) })
        } catch {
            // A cancellation of this task, not one of the client's own.
            try Task.checkCancellation()
            return .failed(ConnectionFailure(error))
        }
    }

    /// The client's own deadline ends where the body begins.
    private func timed(_ body: @escaping @Sendable () async throws -> S3Response) async throws -> S3Response {
        try await withThrowingTaskGroup(of: S3Response.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: self.retries.attempt)
                throw ConnectionFailure.timedOut
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    private func once(_ request: S3Request, _ payload: String) async throws -> S3Response {
        let message = signed(request, payload: payload, timestamp: SigV4.timestamp(time(nil)))
        let query = message.query.isEmpty ? "" : "?" + SigV4.query(message.query)
        let scheme = configuration.endpoint.scheme.rawValue
        let authority = configuration.endpoint.authority(location.bucket)
        var outgoing = HTTPClientRequest(url: "\(scheme)://\(authority)\(message.path)\(query)")
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        for header in message.headers { outgoing.headers.add(name: header.name, value: header.value) }
        if request.method == .put { outgoing.body = .bytes(request.body) }
        let incoming = try await http.execute(outgoing, deadline: .distantFuture)
        var response = S3Response(status: Int(incoming.status.code), headers: [:], body: [])
        for header in incoming.headers { response.headers[header.name.lowercased()] = header.value }
        guard request.method != .head else { return response }
        let expected = response.headers["content-length"].flatMap { Int($0) }
        let limit = response.isSuccess ? request.limit : 64 << 10
        if let expected, expected > limit {
            throw ConnectionFailure(.tooLarge, "the answer has \(expected) bytes, more than \(limit)")
        }
        response.body.reserveCapacity(expected ?? 0)
        for try await part in incoming.body {
            guard response.body.count + part.readableBytes <= limit else {
                throw ConnectionFailure(.tooLarge, "the answer has more than \(limit) bytes")
            }
            part.withUnsafeReadableBytes { response.body.append(contentsOf: $0) }
        }
        if let expected, expected != response.body.count {
            throw ConnectionFailure(.passing, "\(response.body.count) of \(expected) bytes came")
        }
        return response
    }

    /// - Parameter payload: SHA-256 of the body in hexadecimal digits.
    func signed(_ request: S3Request, payload: String, timestamp: String) -> SigV4.Message {
        let authority = configuration.endpoint.authority(location.bucket)
        var headers: [SigV4.Field] = [
            .init(name: "host", value: authority), .init(name: "x-amz-date", value: timestamp),
            .init(name: "x-amz-content-sha256", value: payload),
        ]
        if let token = configuration.credentials.sessionToken {
            headers.append(.init(name: "x-amz-security-token", value: token))
        }
        var message = SigV4.Message(
            method: request.method.rawValue, path: configuration.endpoint.path(location.bucket, request.key),
            query: request.query, headers: headers + request.headers, payload: payload)
        let signer = SigV4(credentials: configuration.credentials, region: configuration.region)
        let signature = signer.authorization(message, timestamp: timestamp)
        message.headers.append(.init(name: "authorization", value: signature))
        return message
    }
}
