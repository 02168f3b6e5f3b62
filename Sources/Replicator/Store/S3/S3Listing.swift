/// One page of a list, from `ListObjectsV2`.
struct S3Listing: Equatable, Sendable {
    /// Their names are whole keys.
    var objects: [StoredObject] = []
    /// For the next page; nil: this is the last one.
    var continuation: String?

    /// 1000 keys of 1024 bytes, each of which may be encoded as three.
    static let limit = 4 << 20

    /// nil where the answer is no list.
    init?(parsing bytes: [UInt8]) {
        guard let root = S3Element(parsing: bytes, limit: Self.limit), root.name == "ListBucketResult" else {
            return nil
        }
        // Servers that don't know the parameter leave keys as they are.
        let isEncoded = root.text("EncodingType") == "url"
        for entry in root.all("Contents") {
            guard let key = entry.text("Key"), let size = entry.text("Size").flatMap({ UInt64($0) }),
                let name = isEncoded ? Self.decoded(key) : key
            else { return nil }
            objects.append(StoredObject(name: name, size: size))
        }
        guard root.text("IsTruncated") == "true" else { return }
        guard let token = root.text("NextContinuationToken"), !token.isEmpty else { return nil }
        continuation = token
    }

    /// A plus is a space here; one that is meant comes as %2B.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
