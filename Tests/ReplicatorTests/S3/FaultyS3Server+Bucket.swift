import Foundation
import Synchronization

@testable import Replicator

extension FaultyS3Server {
    /// What a good server does.
    func act(_ request: HTTPExchange) -> HTTPAnswer {
        if let refusal = refusal(request) { return refusal }
        let parts = request.path.dropFirst().split(separator: "/", maxSplits: 1).map { String($0) }
        guard parts.first == Self.bucket else { return .error(404, "NoSuchBucket") }
        guard parts.count == 2, let key = parts[1].removingPercentEncoding else { return list(request) }
        return state.withLock { state in
            switch request.method {
            case "PUT":
                if request.headers["if-none-match"] == "*" {
                    if state.conditions == .notImplemented { return .error(501, "NotImplemented") }
                    if state.conditions == .honoured, state.objects[key] != nil {
                        return .error(412, "PreconditionFailed")
                    }
                }
                state.objects[key] = request.body
                return HTTPAnswer()
            case "GET", "HEAD":
                guard var bytes = state.objects[key] else { return .error(404, "NoSuchKey") }
                if state.flipsBytes, !bytes.isEmpty { bytes[bytes.count / 2] ^= 1 }
                return HTTPAnswer(body: bytes)
            case "DELETE":
                state.objects[key] = nil
                return HTTPAnswer(status: 204)
            default: return .error(405, "MethodNotAllowed")
            }
        }
    }

    private func list(_ request: HTTPExchange) -> HTTPAnswer {
        guard request.method == "GET", request.parameter("list-type") == "2" else {
            return .error(501, "NotImplemented")
        }
        let prefix = request.parameter("prefix") ?? ""
        let start = request.parameter("continuation-token") ?? ""
        let (objects, size) = state.withLock { ($0.objects, $0.pageSize) }
        let all = objects.filter { $0.key.hasPrefix(prefix) && $0.key >= start }.sorted { $0.key < $1.key }
        let isEncoded = request.parameter("encoding-type") == "url"
        var text = "<ListBucketResult><KeyCount>\(min(size, all.count))</KeyCount>"
        if isEncoded { text += "<EncodingType>url</EncodingType>" }
        for (key, bytes) in all.prefix(size) {
            let name = isEncoded ? SigV4.encoded(key, keeping: "/").replacingOccurrences(of: "%20", with: "+") : key
            text += "<Contents><Key>\(name)</Key><Size>\(bytes.count)</Size></Contents>"
        }
        text += "<IsTruncated>\(all.count > size)</IsTruncated>"
        if all.count > size { text += "<NextContinuationToken>\(all[size].key)</NextContinuationToken>" }
        return HTTPAnswer(body: Array((text + "</ListBucketResult>").utf8))
    }

    /// The signature is made again from what came over the wire.
    private func refusal(_ request: HTTPExchange) -> HTTPAnswer? {
        let words = (request.headers["authorization"] ?? "").split(separator: " ").map {
            $0.split(separator: "=", maxSplits: 1).last.map(String.init)?.trimmingCharacters(in: [","]) ?? ""
        }
        guard words.count == 4, words[0] == "AWS4-HMAC-SHA256" else { return .error(403, "AccessDenied") }
        let scope = words[1].split(separator: "/").map(String.init)
        guard scope.first == Self.credentials.accessKey, scope.count == 5 else {
            return .error(403, "InvalidAccessKeyId")
        }
        let names = words[2].split(separator: ";").map(String.init)
        let needed = request.headers.keys.filter { $0.hasPrefix("x-amz-") || $0 == "host" || $0 == "if-none-match" }
        guard Set(needed).isSubset(of: names), names == names.sorted(),
            request.headers["host"] == "127.0.0.1:\(port)",
            request.headers["x-amz-security-token"] == Self.credentials.sessionToken
        else { return .error(403, "AccessDenied") }
        let payload = SigV4.hex(Cipher.sha256(request.body))
        guard request.headers["x-amz-content-sha256"] == payload else {
            return .error(400, "XAmzContentSHA256Mismatch")
        }
        let message = SigV4.Message(
            method: request.method, path: request.path,
            query: request.query.map { .init(name: $0.name, value: $0.value) },
            headers: names.map { .init(name: $0, value: request.headers[$0] ?? "") }, payload: payload)
        let timestamp = request.headers["x-amz-date"] ?? ""
        let expected = SigV4(credentials: Self.credentials, region: scope[2]).authorization(
            message, timestamp: timestamp)
        guard request.headers["authorization"] == expected else { return .error(403, "SignatureDoesNotMatch") }
        return nil
    }
}
