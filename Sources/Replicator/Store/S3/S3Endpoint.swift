/// The server of a bucket, and how it wants to be asked.
struct S3Endpoint: Hashable, Sendable {
    enum Scheme: String, Sendable {
        case http
        case https
    }

    var scheme: Scheme
    /// As in a URL: an IPv6 address in brackets.
    var host: String
    /// nil: the scheme's own.
    var port: Int?
    /// What a server behind a proxy has in front of its paths; empty or "/so".
    var base: String
    var addressing: S3Settings.Addressing

    private init(scheme: Scheme, host: String, port: Int?, base: String, addressing: S3Settings.Addressing) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.base = base
        self.addressing = addressing
    }

    /// - Parameter source: where the text is from, for messages.
    /// - Throws: ``StoreError`` where the text is no such URL.
    init(_ text: String, from source: String, addressing: S3Settings.Addressing?) throws {
        let refusal = StoreError(
            .unavailable, "could not use the endpoint '\(text)' of \(source): it is no URL of a server",
            hint: "an endpoint is written https://SERVER or https://SERVER:PORT")
        let halves = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let scheme = Scheme(rawValue: halves[0].lowercased()) else { throw refusal }
        let parts = halves[1].split(separator: "/", omittingEmptySubsequences: true)
        guard let authority = parts.first, halves[1].first != "/" else { throw refusal }
        let (host, port) = try Self.split(authority, refusal)
        let base = parts.dropFirst().map { "/" + $0 }.joined()
        guard base.utf8.allSatisfy({ SigV4.isUnreserved($0) || $0 == UInt8(ascii: "/") }) else { throw refusal }
        // A port that is the scheme's own isn't written into `Host`.
        let usual = scheme == .http ? 80 : 443
        self.init(
            scheme: scheme, host: host, port: port == usual ? nil : port, base: base, addressing: addressing ?? .path)
    }

    private static func split(_ authority: Substring, _ refusal: StoreError) throws -> (host: String, port: Int?) {
        var host = authority
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0 else { throw refusal }
            port = Int(number)
            host = authority[..<colon]
        }
        let isAddress = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
        let name = isAddress ? host.dropFirst().dropLast() : host
        let isAllowed = name.utf8.allSatisfy {
            SigV4.isUnreserved($0) && $0 != UInt8(ascii: "~") || isAddress && $0 == UInt8(ascii: ":")
        }
        guard !name.isEmpty, isAllowed else { throw refusal }
        return (host.lowercased(), port)
    }

    /// AWS's own.
    static func aws(region: String, bucket: String, addressing: S3Settings.Addressing?) -> S3Endpoint {
        // A certificate's asterisk stands for one label, so buckets with dots can't have a host of their own.
        let usual: S3Settings.Addressing = bucket.contains(".") ? .path : .virtualHost
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        return S3Endpoint(
            scheme: .https, host: "s3.\(region).\(domain)", port: nil, base: "", addressing: addressing ?? usual)
    }

    /// The value of `Host`.
    func authority(_ bucket: String) -> String {
        let name = addressing == .virtualHost ? "\(bucket).\(host)" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    /// The path of a request, encoded.
    /// - Parameter key: nil for the bucket itself.
    func path(_ bucket: String, _ key: String?) -> String {
        let folder = addressing == .path ? "\(base)/\(SigV4.encoded(bucket))" : base
        guard let key else { return folder.isEmpty ? "/" : folder }
        return "\(folder)/\(SigV4.encoded(key, keeping: "/"))"
    }

    /// For messages.
    var url: String { "\(scheme.rawValue)://\(host)\(port.map { ":\($0)" } ?? "")\(base)" }
}
