internal import Foundation

/// A folder for short-lived files, removed at the end of a run.
final class Scratch: Sendable {
    let path: String

    /// Under the system's folder for temporary files: the appliance's socket has to have a short path.
    init() throws {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("rehost-" + UUID().uuidString.prefix(8)).path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit { remove() }
}
