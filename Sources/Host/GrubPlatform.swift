internal import Foundation

/// GRUB for one firmware, from this host's packages.
public struct GrubPlatform: Sendable {
    /// The firmware that GRUB is made for: grub-mkimage's name of the format, which is the folder's, too.
    public enum Target: String, Sendable {
        case bios = "i386-pc"
        case uefi = "x86_64-efi"

        /// What is there where the package is.
        fileprivate var mark: String { self == .bios ? "boot.img" : "kernel.img" }

        fileprivate var missing: (reason: String, hint: String) {
            switch self {
            case .bios: ("GRUB for BIOS is not installed on this host", "apt install grub-pc-bin grub-common")
            case .uefi: ("GRUB for UEFI is not installed on this host", "apt install grub-efi-amd64-bin grub-common")
            }
        }
    }

    /// Where Debian's grub-pc-bin and grub-efi-amd64-bin, and others' modules packages, put theirs.
    private static let folders = ["/usr/lib/grub", "/usr/share/grub2", "/usr/lib/grub2"]

    public var target: Target
    public var folder: String

    public init(_ target: Target) throws {
        self.target = target
        let found = Self.folders.map { "\($0)/\(target.rawValue)" }
            .first { FileManager.default.fileExists(atPath: "\($0)/\(target.mark)") }
        guard let found, Self.mkimage.path != nil else {
            throw Command.Failure(
                program: "grub-mkimage", reason: target.missing.reason, hint: target.missing.hint)
        }
        folder = found
    }

    private static var mkimage: Command {
        let debian = Command("grub-mkimage", [])
        return debian.path == nil ? Command("grub2-mkimage", []) : debian
    }

    /// boot.img: the boot sector's code, 512 bytes; only for BIOS.
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

    /// GRUB's core with these modules: an image for a BIOS boot partition, or a program for UEFI.
    /// - Parameter earlyConfiguration: commands that run before anything is read from the prefix; nil for none.
    public func image(modules: [String], prefix: String, earlyConfiguration: String? = nil) throws -> [UInt8] {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("rehost-grub-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: scratch) }
        let image = scratch.appendingPathComponent("core.img")
        var command = Self.mkimage
        command.arguments = ["-O", target.rawValue, "-d", folder, "-p", prefix, "-o", image.path]
        if let earlyConfiguration {
            let configuration = scratch.appendingPathComponent("early.cfg")
            try Data(earlyConfiguration.utf8).write(to: configuration)
            command.arguments += ["-c", configuration.path]
        }
        command.arguments += modules
        _ = try command.runBlocking()
        return Array(try Data(contentsOf: image))
    }
}
