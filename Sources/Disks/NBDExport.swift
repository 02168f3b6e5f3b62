internal import Foundation
internal import Host

/// A disk image served over NBD on a socket of its own, read-only, as long as this value's program runs.
public final class NBDExport: Sendable {
    public let uri: String
    private let program: BackgroundProgram
    private let folder: URL

    /// - Throws: ``DiskImage/Failure`` where qemu-nbd doesn't come up.
    public init(_ image: DiskImage, connections: Int) async throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("rehost-nbd-\(UUID().uuidString)")
        // Nobody else may connect.
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let socket = folder.appendingPathComponent("socket").path
        uri = "nbd+unix:///?socket=\(socket)"
        program = try BackgroundProgram(
            Command(
                "qemu-nbd",
                [
                    "--read-only", "--persistent", "--shared=\(connections + 1)", "--format=\(image.format)",
                    "--cache=writeback", "--aio=threads", "--socket=\(socket)", image.path,
                ]), onOutput: { _ in }, onEnd: {})
        for _ in 0..<500 {
            if FileManager.default.fileExists(atPath: socket), (try? NBDConnection(uri)) != nil { return }
            if program.ending != nil { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        let reason = program.errors.isEmpty ? "it doesn't answer" : program.errors
        close()
        throw DiskImage.Failure(
            "could not serve '\(image.path)' for reading: \(reason)", hint: "is qemu-utils installed?")
    }

    /// Ends the server.
    public func close() {
        program.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    deinit { close() }
}
