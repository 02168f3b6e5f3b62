internal import Foundation
internal import Glibc

/// A folder beside an output for everything that is made on the way; it goes when the run ends, and one that a killed
/// run left is removed by the next.
final class Workspace: Sendable {
    let path: String
    /// Held while this process lives: a folder whose lock can be had belongs to nobody.
    private let lock: Int32

    struct Failure: Error, CustomStringConvertible {
        var message: String
        var hint: String
        var description: String { "\(message)\nhint: \(hint)" }
    }

    /// - Parameter output: the file that the run will end with; its folder must exist.
    convenience init(for output: String) throws {
        let url = URL(fileURLWithPath: output)
        try self.init(
            in: url.deletingLastPathComponent().path, prefix: ".\(url.lastPathComponent).rehost-",
            hint: "choose an --output in a folder that exists and can be written to")
    }

    /// For large files that nobody keeps: in TMPDIR, else in /var/tmp, since /tmp may be memory.
    static func temporary() throws -> Workspace {
        let named = ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 }
        return try Workspace(
            in: named ?? "/var/tmp", prefix: "rehost-work-", hint: "set TMPDIR to a folder with room for the overlays")
    }

    private init(in folder: String, prefix: String, hint: String) throws {
        Self.removeStale(in: folder, prefix: prefix)
        path = "\(folder)/\(prefix)\(UUID().uuidString.prefix(8))"
        guard mkdir(path, 0o700) == 0 else {
            throw Failure(
                message: "could not make a folder in '\(folder)': \(String(cString: strerror(errno)))", hint: hint)
        }
        lock = open(path + "/lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        _ = flock(lock, LOCK_EX | LOCK_NB)
    }

    func file(_ name: String) -> String { path + "/" + name }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    deinit {
        remove()
        close(lock)
    }

    private static func removeStale(in folder: String, prefix: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where name.hasPrefix(prefix) {
            let stale = folder + "/" + name
            let descriptor = open(stale + "/lock", O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: stale) }
            close(descriptor)
        }
    }
}
