internal import Foundation
internal import Glibc
internal import Host
internal import Libvirt
internal import Synchronization
internal import XML

/// Where a backup's socket and scratch files are. Its name tells the process, so that another one can clean up.
struct BackupFolder {
    let path: String

    private static let prefix = "rehost-backup-"
    /// A socket's path has 107 bytes (unix(7)).
    private static let pathLimit = 100

    var socket: String { path + "/nbd" }

    func scratch(_ target: String) -> String {
        "\(path)/\(target.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }).qcow2"
    }

    /// - Parameter embedded: QEMU runs as this user; a daemon's runs as another one, which has to write here, too.
    init(in folder: String, embedded: Bool) throws {
        path = "\(folder)/\(Self.prefix)\(getpid())-\(UUID().uuidString.prefix(8).lowercased())"
        guard path.utf8.count + 4 <= Self.pathLimit else {
            throw LibvirtConnection.Failure(
                action: "use '\(folder)' for the backup", reason: "a socket in it would have too long a path",
                hint: "name a folder with a shorter one: --scratch /var/tmp")
        }
        do {
            // Nobody can list it; who knows the random name can't guess it, and QEMU's user is the daemon's business.
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: embedded ? 0o700 : 0o733])
            chmod(path, embedded ? 0o700 : 0o1733)
        } catch {
            throw LibvirtConnection.Failure(
                action: "make the folder '\(path)'", reason: "\(error.localizedDescription)",
                hint: "name another folder: --scratch DIR")
        }
    }

    /// Makes a disk's scratch file, empty. libvirt could, where its storage driver is installed.
    /// - Parameter size: of the disk, in bytes.
    func makeScratch(_ target: String, size: UInt64) throws {
        let path = scratch(target)
        _ = try Command("qemu-img", ["create", "-q", "-f", "qcow2", path, "\(size)"]).runBlocking()
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// The capture that a job belongs to.
    struct Owner {
        var process: Int32
        fileprivate var folder: String

        /// In a container each run may have the same number: this process has no other backup of the domain.
        var isGone: Bool { process == getpid() || kill(process, 0) != 0 && errno == ESRCH }

        func removeFolder() { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// - Returns: nil where the job is another program's.
    static func owner(ofJob xml: String) -> Owner? {
        guard let root = try? XMLDocument(parsing: Array(xml.utf8)).root, let socket = root.first("server")?["socket"]
        else { return nil }
        let folder = (socket as NSString).deletingLastPathComponent
        let name = (folder as NSString).lastPathComponent
        guard name.hasPrefix(prefix),
            let process = Int32(name.dropFirst(prefix.count).prefix { $0 != "-" }), process > 0
        else { return nil }
        return Owner(process: process, folder: folder)
    }
}

/// Looks after the room for what a guest overwrites while it is read. Where that runs out, QEMU fails the *guest's* writes; so
/// the backup is ended before.
final class RoomWatch: Sendable {
    /// In bytes.
    private static let least: UInt64 = 1 << 30

    private let task: Task<Void, Never>
    private let short = Shortage()

    private final class Shortage: Sendable {
        let state = Mutex(false)
    }

    private static func free(_ path: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    static func check(_ path: String) throws {
        guard let free = free(path), free < 2 * least else { return }
        throw LibvirtConnection.Failure(
            action: "begin a backup",
            reason: "'\(path)' has \(free >> 20) MiB free, and what the guest overwrites meanwhile goes there",
            hint: "name a folder with more room: --scratch DIR")
    }

    /// - Parameter end: called once, on a thread of its own, where room runs out.
    init(_ path: String, end: @escaping @Sendable () -> Void) {
        let short = short
        task = Task {
            while !Task.isCancelled {
                if Self.free(path) ?? 0 < Self.least {
                    short.state.withLock { $0 = true }
                    _ = try? await LibvirtConnection.onThread { end() }
                    return
                }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    var isShort: Bool { short.state.withLock { $0 } }

    func end() { task.cancel() }
}
