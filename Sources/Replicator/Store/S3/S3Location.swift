/// A bucket and what the names of a store's objects begin with: "s3://bucket/prefix".
struct S3Location: Hashable, Sendable, CustomStringConvertible {
    var bucket: String
    /// Without slashes at its ends; empty: the store has the bucket for itself.
    var prefix: String

    /// Taken as it is written: a percent sign is a percent sign, as in every S3 client.
    /// - Throws: ``StoreError`` where the text is no such location.
    init(_ text: String) throws {
        func refusal(_ reason: String) -> StoreError {
            StoreError(
                .unavailable, "could not use the store '\(text)': \(reason)",
                hint: "a store in a bucket is written s3://BUCKET or s3://BUCKET/PREFIX")
        }
        guard text.hasPrefix("s3://") else { throw refusal("it doesn't begin with s3://") }
        let parts = text.dropFirst(5).split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard let bucket = parts.first, text.dropFirst(5).first != "/" else { throw refusal("it names no bucket") }
        // Old buckets have capitals and underscores, too.
        let allowed = bucket.utf8.allSatisfy { SigV4.isUnreserved($0) && $0 != UInt8(ascii: "~") }
        guard allowed, !bucket.hasPrefix("."), (1...255).contains(bucket.utf8.count) else {
            throw refusal("'\(bucket)' can't be the name of a bucket")
        }
        let folders = parts.dropFirst()
        guard !folders.contains("."), !folders.contains("..") else {
            throw refusal("'.' and '..' are no folders here")
        }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 }) else {
            throw refusal("there are control characters in it")
        }
        self.bucket = bucket
        prefix = folders.joined(separator: "/")
    }

    var description: String { prefix.isEmpty ? "s3://\(bucket)" : "s3://\(bucket)/\(prefix)" }

    /// The whole key of an object of the store.
    func key(_ object: String) -> String { prefix.isEmpty ? object : "\(prefix)/\(object)" }
}
