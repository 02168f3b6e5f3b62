internal import Foundation

/// GRUB for BIOS, from this host's packages.
public struct GrubPlatform: Sendable {
    /// Where Debian's grub-pc-bin, and others' grub2-pc-modules, put it.
    private static let folders = ["/usr/lib/grub/i386-pc", "/usr/share/grub2/i386-pc", "/usr/lib/grub2/i386-pc"]

    public var folder: String

    public init() throws {
        guard let folder = Self.folders.first(where: { FileManager.default.fileExists(atPath: $0 + "/boot.img") }),
            Self.mkimage.path != nil
        else {
            throw Command.Failure(
                program: "grub-mkimage", reason: "GRUB for BIOS is not installed on this host",
                hint: "apt install grub-pc-bin grub-common")
        }
        self.folder = folder
    }

    private static var mkimage: Command {
        let debian = Command("grub-mkimage", [])
        return debian.path == nil ? Command("grub2-mkimage", []) : debian
    }

    /// boot.img: the boot sector's code, 512 bytes.
    public func bootImage() throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/boot.img")))
    }

    /// The modules and their lists, by file name: what GRUB loads from its prefix.
    public func modules() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name.hasSuffix(".mod") || name.hasSuffix(".lst") {
            files[name] = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
        return files
    }

    /// A core image for the i386-pc format.
    public func coreImage(modules: [String], prefix: String, earlyConfiguration: String) throws -> [UInt8] {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("rehost-grub-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let configuration = scratch.appendingPathComponent("early.cfg")
        let image = scratch.appendingPathComponent("core.img")
        try Data(earlyConfiguration.utf8).write(to: configuration)
        var command = Self.mkimage
        command.arguments =
            [
                "-O", "i386-pc", "-d", folder, "-c", configuration.path, "-p", prefix, "-o", image.path,
            ] + modules
        _ = try command.runBlocking()
        return Array(try Data(contentsOf: image))
    }
}
