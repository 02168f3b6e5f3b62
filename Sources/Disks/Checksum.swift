internal import Foundation
internal import Host

/// A file's SHA-256, by coreutils.
public enum Checksum {
    /// In hexadecimal digits.
    public static func sha256(_ path: String) async throws -> String {
        // --zero: no escapes for names with a newline.
        let output = try await Command("sha256sum", ["--zero", "--", path]).run()
        return String(decoding: output.prefix(64), as: UTF8.self)
    }
}
