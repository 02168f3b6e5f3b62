internal import CCrypto
internal import Glibc

/// AWS Signature Version 4 in the header `Authorization`, with S3's rule that a path is encoded once.
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
struct SigV4: Sendable {
    var credentials: S3Credentials
    var region: String
    var service = "s3"

    struct Field: Hashable, Sendable {
        /// A header's in small letters.
        var name: String
        var value: String
    }

    struct Message: Sendable {
        var method: String
        /// As it is sent: encoded, with a slash at its start.
        var path: String
        /// Not encoded yet.
        var query: [Field]
        /// All of them are signed. `host` and `x-amz-date` have to be among them.
        var headers: [Field]
        /// SHA-256 of the body in hexadecimal digits.
        var payload: String
    }

    /// - Parameter timestamp: the value of `x-amz-date`, ``timestamp(_:)``.
    /// - Returns: the value of `Authorization`.
    func authorization(_ message: Message, timestamp: String) -> String {
        let date = String(timestamp.prefix(8))
        let scope = "\(date)/\(region)/\(service)/aws4_request"
        let headers = message.headers.sorted { $0.name < $1.name }
        let signed = headers.map(\.name).joined(separator: ";")
        let canonical = [
            message.method, message.path, Self.query(message.query),
            headers.map { "\($0.name):\(Self.trimmed($0.value))\n" }.joined(), signed, message.payload,
        ].joined(separator: "\n")
        let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n" + Self.hex(Cipher.sha256(Array(canonical.utf8)))
        var key = Array("AWS4\(credentials.secretKey)".utf8)
        for part in [date, region, service, "aws4_request"] { key = Self.hmac(key, part) }
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope), SignedHeaders=\(signed), "
            + "Signature=\(Self.hex(Self.hmac(key, text)))"
    }

    /// A query as it is signed and sent: encoded, in the order of the names.
    static func query(_ fields: [Field]) -> String {
        // Encoded names sort otherwise than plain ones.
        fields.map { (encoded($0.name), encoded($0.value)) }.sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// "20130524T000000Z".
    /// - Parameter seconds: since 1970.
    static func timestamp(_ seconds: Int) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func digits(_ number: Int32, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return digits(parts.tm_year + 1900, 4) + digits(parts.tm_mon + 1, 2) + digits(parts.tm_mday, 2) + "T"
            + digits(parts.tm_hour, 2) + digits(parts.tm_min, 2) + digits(parts.tm_sec, 2) + "Z"
    }

    /// Percent signs for all but letters, digits, and "-._~".
    /// - Parameter kept: one more character that stays: the slash of a path.
    static func encoded(_ text: String, keeping kept: Character? = nil) -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            if isUnreserved(byte) || character == kept {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Without spaces at its ends, and single ones within.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    private static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        _ = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &digest, &length)
        return digest
    }
}
