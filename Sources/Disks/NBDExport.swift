internal import Foundation
internal import Glibc
internal import Host
internal import Synchronization

/// A disk image served over NBD on a socket of its own, as long as this value's program runs.
public final class NBDExport: Sendable {
    public let uri: String
    private let program: BackgroundProgram
    private let folder: URL
    /// Keeps a writing server from ending early.
    private let held = Mutex<NBDConnection?>(nil)

    public enum Access: Sendable {
        case reading
        /// The image is one that nobody else uses. qemu-nbd ends with the last connection.
        case writing
    }

    private static let prefix = "rehost-nbd-"

    /// Folders of processes that were killed go; nothing is in them but a socket.
    private static let sweep: Void = {
        let temporary = FileManager.default.temporaryDirectory
        let names = (try? FileManager.default.contentsOfDirectory(atPath: temporary.path)) ?? []
        for name in names where name.hasPrefix(prefix) {
            let process = name.dropFirst(prefix.count).split(separator: "-").first.flatMap { Int32($0) }
            guard let process, process > 0, kill(process, 0) != 0, errno == ESRCH else { continue }
            try? FileManager.default.removeItem(at: temporary.appendingPathComponent(name))
        }
    }()

    /// - Throws: ``DiskImage/Failure`` where qemu-nbd doesn't come up.
    public init(_ image: DiskImage, connections: Int, access: Access = .reading) async throws {
        _ = Self.sweep
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "\(Self.prefix)\(getpid())-\(UUID().uuidString.prefix(13))")
        // Nobody else may connect.
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let socket = folder.appendingPathComponent("socket").path
        uri = "nbd+unix:///?socket=\(socket)"
        program = try BackgroundProgram(
            Command(
                "qemu-nbd",
                (access == .reading ? ["--read-only", "--persistent"] : ["--discard=unmap"]) + [
                    "--shared=\(connections + 1)", "--format=\(image.format)",
                    "--cache=writeback", "--aio=threads", "--socket=\(socket)", image.path,
                ]), onOutput: { _ in }, onEnd: {})
        for _ in 0..<500 {
            if FileManager.default.fileExists(atPath: socket), let connection = try? NBDConnection(uri) {
                if access == .writing { held.withLock { $0 = connection } }
                return
            }
            if program.ending != nil { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let reason = program.errors.isEmpty ? "it doesn't answer" : program.errors
        close()
        throw DiskImage.Failure(
            "could not serve '\(image.path)' for reading: \(reason)", hint: "is qemu-utils installed?")
    }

    /// Writes everything back, and returns when the server has closed the image.
    /// - Precondition: it is for writing, and all other connections are gone.
    public func finish() throws {
        try held.withLock { connection in
            try connection?.flush()
            connection = nil
        }
        program.wait()
        guard program.ending == .exit(0) else {
            throw DiskImage.Failure(
                "could not finish the image: \(program.errors)", hint: "is there room where it is written?")
        }
    }

    /// Ends the server.
    public func close() {
        program.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    deinit { close() }
}
