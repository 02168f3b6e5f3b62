/// What a ``FaultyS3Server`` does instead of answering as it should.
enum S3Fault: CaseIterable, Sendable {
    case slowDown
    case internalError
    case badGateway
    case gatewayTimeout
    case tooManyRequests
    case requestTimeout
    /// Only where a condition was given.
    case conflict
    /// Half of the body, then the end of the connection.
    case cutBody
    case resetBeforeActing
    case resetAfterActing
    case errorAfterActing
    /// Closes the connection after a good answer without a word.
    case closeAfterAnswer
    /// Nothing at all, for five seconds.
    case silence

    /// All but those that take long.
    static let quick = allCases.filter { $0 != .silence }

    /// Those after which the object is there, and the client doesn't know it.
    static let lostAnswers: [S3Fault] = [.resetAfterActing, .errorAfterActing]

    /// The answer that stands for it, where it is one.
    var answer: HTTPAnswer? {
        switch self {
        case .slowDown: .error(503, "SlowDown")
        case .internalError, .errorAfterActing: .error(500, "InternalError")
        case .badGateway: HTTPAnswer(status: 502, body: Array("<html>Bad gateway</html>".utf8))
        case .gatewayTimeout: HTTPAnswer(status: 504)
        case .tooManyRequests: HTTPAnswer(status: 429, headers: [("Retry-After", "0")])
        case .requestTimeout: .error(400, "RequestTimeout")
        case .conflict: .error(409, "ConditionalRequestConflict")
        default: nil
        }
    }
}

/// When there are faults. A seed, a request and how often it came before tell whether this one fails, and how: whatever
/// the order in which requests come, they fare alike.
struct S3Faults: Sendable {
    var seed: UInt64 = 0
    /// Of requests, 0 to 1; but never four times one after the other for one object.
    var rate = 0.0
    var kinds = S3Fault.quick
    /// The first requests with these methods fare so.
    var first: [String: [S3Fault]] = [:]

    func fault(_ method: String, _ path: String, number: Int) -> S3Fault? {
        if let first = first[method], number < first.count { return first[number] }
        guard rate > 0, number % 4 != 3 else { return nil }
        // FNV-1a, then SplitMix64's last steps.
        var hash = seed ^ 0xCBF2_9CE4_8422_2325
        for byte in "\(method) \(path) \(number)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        guard Double(hash >> 40) / Double(1 << 24) < rate else { return nil }
        return kinds[Int(hash % UInt64(kinds.count))]
    }
}
