internal import CCrypto
internal import Foundation

/// Checksums of stretches of files, by OpenSSL: it uses the processor's instructions for them, which reads a disk five
/// times as fast as plain code would.
public enum FileDigest {
    /// - Parameters:
    ///   - offset: in bytes, as `size`; nil is up to the end.
    ///   - algorithm: "SHA1", "SHA256", "SHA384", "SHA512".
    ///   - progress: gets the number of bytes that are done.
    /// - Returns: lower-case hexadecimal digits.
    /// - Throws: ``DiskImage/Failure``; `CancellationError`.
    public static func hex(
        of path: String, offset: UInt64, size: UInt64?, algorithm: String, progress: (UInt64) -> Void
    ) throws -> String {
        guard let method = EVP_get_digestbyname(algorithm), let context = EVP_MD_CTX_new() else {
            throw DiskImage.Failure("'\(algorithm)' is no checksum that is known", hint: "remove it from the manifest")
        }
        defer { EVP_MD_CTX_free(context) }
        EVP_DigestInit_ex(context, method, nil)
        try FileStretch.read(path, offset: offset, size: size) { piece, done in
            EVP_DigestUpdate(context, piece.baseAddress, piece.count)
            progress(done)
        }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        EVP_DigestFinal_ex(context, &digest, &length)
        return digest.prefix(Int(length)).map { String(UInt32($0) + 256, radix: 16).dropFirst() }.joined()
    }
}

/// Reads a stretch of a file piece by piece.
enum FileStretch {
    /// - Parameter body: gets each piece, and the number of bytes up to its end.
    static func read(
        _ path: String, offset: UInt64, size: UInt64?, body: (UnsafeRawBufferPointer, UInt64) throws -> Void
    ) throws {
        let file: FileHandle
        do {
            file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            try file.seek(toOffset: offset)
        } catch {
            throw DiskImage.Failure("could not read '\(path)'", hint: "check the path, and that this user may read it")
        }
        defer { try? file.close() }
        var done: UInt64 = 0
        while true {
            try Task.checkCancellation()
            let wanted = min(size.map { $0 - done } ?? .max, 4 << 20)
            let piece = wanted == 0 ? nil : try file.read(upToCount: Int(wanted))
            guard let piece, !piece.isEmpty else {
                guard done == size ?? done else {
                    throw DiskImage.Failure(
                        "'\(path)' ended while it was read", hint: "copy it anew; it is not complete")
                }
                return
            }
            done += UInt64(piece.count)
            try piece.withUnsafeBytes { try body($0, done) }
        }
    }
}
