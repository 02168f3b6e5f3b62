internal import Foundation
internal import Synchronization

/// The folders `appliance-KEY` in the cache folder, and who uses them.
///
/// `appliance.lock` is held by the one process that builds. A lock on `appliance-KEY/lock` is shared by all who use
/// that appliance, for as long as they live: what can be locked exclusively may be removed.
struct ApplianceCache {
    private let root: URL

    init(folder: URL) {
        root = folder
    }

    func folder(key: String) -> URL {
        root.appendingPathComponent("appliance-\(key)", isDirectory: true)
    }

    /// Descriptors of locks, which only the end of the process closes.
    private static let held = Mutex<[String: Int32]>([:])

    /// Whether the folder is there and complete; it then stays there while this process lives.
    func hold(_ folder: URL) -> Bool {
        Self.held.withLock { held in
            if held[folder.path] != nil { return true }
            let descriptor = open(folder.appendingPathComponent("lock").path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return false }
            // README.fixed is asked for after the lock: a pruner may have been just before us.
            guard flock(descriptor, LOCK_SH) == 0,
                FileManager.default.fileExists(atPath: folder.appendingPathComponent("README.fixed").path)
            else {
                close(descriptor)
                return false
            }
            held[folder.path] = descriptor
            return true
        }
    }

    /// Fills a folder beside `folder` and renames it into place, unless another process does so first; then holds it.
    func build(_ folder: URL, fill: (URL) throws -> Void) throws {
        let descriptor = open(root.appendingPathComponent("appliance.lock").path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
            throw FixedApplianceError(
                "could not lock '\(root.path)': \(String(cString: strerror(errno)))",
                hint: "set XDG_CACHE_HOME to a folder on a local file system")
        }
        defer { close(descriptor) }
        if hold(folder) { return }
        prune()
        let partial = root.appendingPathComponent("partial-\(folder.lastPathComponent)", isDirectory: true)
        defer { try? FileManager.default.removeItem(at: partial) }
        do {
            try FileManager.default.createDirectory(
                at: partial, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            try fill(partial)
            try Data().write(to: partial.appendingPathComponent("lock"))
            try Data().write(to: partial.appendingPathComponent("README.fixed"))
            // Left by a pruner that was stopped half way.
            try? FileManager.default.removeItem(at: folder)
            try FileManager.default.moveItem(at: partial, to: folder)
        } catch let error as FixedApplianceError {
            throw error
        } catch {
            throw FixedApplianceError(
                "could not make the appliance in '\(root.path)': \(error)",
                hint: "1.5 GB of room are needed there; set XDG_CACHE_HOME for another place")
        }
        guard hold(folder) else {
            throw FixedApplianceError(
                "could not lock the appliance in '\(folder.path)'",
                hint: "set XDG_CACHE_HOME to a folder on a local file system")
        }
    }

    /// Removes what nobody uses. Called with the lock on building, so every partial folder is a dead process's.
    private func prune() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? [] {
            let folder = root.appendingPathComponent(name, isDirectory: true)
            if name.hasPrefix("partial-appliance-") {
                try? FileManager.default.removeItem(at: folder)
            } else if name.hasPrefix("appliance-") {
                let descriptor = open(folder.appendingPathComponent("lock").path, O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { continue }
                if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(at: folder) }
                close(descriptor)
            }
        }
    }
}
