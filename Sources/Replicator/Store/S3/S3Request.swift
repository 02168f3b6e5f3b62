/// One request to a bucket, before it is signed.
struct S3Request: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
        case head = "HEAD"
        case delete = "DELETE"
    }

    var method: Method
    /// The whole key; nil for the bucket itself.
    var key: String?
    var query: [SigV4.Field] = []
    /// Besides those that every request has; names in small letters.
    var headers: [SigV4.Field] = []
    var body: [UInt8] = []
    /// In bytes, of the answer.
    var limit = 64 << 10
    /// For messages: "read 'a/b'".
    var purpose: String
}
