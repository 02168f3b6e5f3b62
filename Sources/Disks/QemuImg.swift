internal import Foundation
internal import Host

/// qemu-img's jobs, each a child that ends when its task is cancelled.
public enum QemuImg {
    /// A new qcow2 that shows `base` and takes the writes.
    /// - Parameter size: in bytes, where it is to be larger; what is behind the base's end reads as zeros.
    public static func createOverlay(_ path: String, over base: DiskImage, size: UInt64? = nil) async throws {
        let arguments = ["create", "-q", "-f", "qcow2", "-F", base.format, "-b", base.path, path]
        _ = try await Command("qemu-img", arguments + (size.map { [String($0)] } ?? [])).run()
    }

    /// A new disk that reads as zeros.
    /// - Parameter size: in bytes.
    public static func create(_ path: String, as format: OutputFormat, size: UInt64) async throws {
        var arguments = ["create", "-q", "-f", format.driver]
        if !format.creationOptions.isEmpty { arguments += ["-o", format.creationOptions.joined(separator: ",")] }
        _ = try await Command("qemu-img", arguments + [path, "\(size)"]).run()
    }

    /// Gives back the room of clusters that a program which was killed had taken and not used.
    public static func repairLeaks(_ path: String) async throws {
        _ = try await Command("qemu-img", ["check", "-q", "-f", "qcow2", "-r", "leaks", path]).run()
    }

    /// Copies an image, holes left out.
    /// - Parameters:
    ///   - format: only its disks' own; packing is another step.
    ///   - progress: gets the part that is done, 0 to 1.
    public static func copy(
        _ image: DiskImage, to path: String, as format: OutputFormat, progress: @escaping @Sendable (Double) -> Void
    ) async throws {
        try await convert(image.path, image.format, to: path, as: format, compression: nil, progress: progress)
    }

    /// Writes an overlay and what lies under it as one new disk.
    public static func flatten(
        _ overlay: String, to path: String, as format: OutputFormat, compression: ImageCompression?,
        progress: @escaping @Sendable (Double) -> Void
    ) async throws {
        try await convert(overlay, "qcow2", to: path, as: format, compression: compression, progress: progress)
    }

    private static func convert(
        _ source: String, _ sourceFormat: String, to path: String, as format: OutputFormat,
        compression: ImageCompression?, progress: @escaping @Sendable (Double) -> Void
    ) async throws {
        var arguments = ["convert", "-p", "-m", "8", "-W", "-f", sourceFormat, "-O", format.driver]
        var options = format.creationOptions
        if let compression {
            arguments.append("-c")
            options.append("compression_type=\(compression.rawValue)")
        }
        if !options.isEmpty { arguments += ["-o", options.joined(separator: ",")] }
        _ = try await Command("qemu-img", arguments + [source, path]).run { text in
            // "    (12.34/100%)\r", several at once when it is quick.
            guard let open = text.lastIndex(of: "("), let slash = text[open...].firstIndex(of: "/"),
                let percent = Double(text[text.index(after: open)..<slash])
            else { return }
            progress(percent / 100)
        }
    }

    /// Reads an image's metadata through, where its format has any to be wrong; the image stays as it is.
    /// - Throws: ``DiskImage/Failure`` where it is corrupt. Leaked clusters only waste room and are no error.
    public static func check(_ image: DiskImage) async throws {
        guard ["qcow2", "vmdk", "vhdx", "vdi", "qed"].contains(image.format) else { return }
        do {
            _ = try await Command("qemu-img", ["check", "-f", image.format, image.path]).run()
        } catch let error as Command.Failure where error.status == 3 || error.status == 63 {
            // 3: leaks (qemu-img(1)); 63: the format has no check.
        } catch let error as Command.Failure where error.status == 2 || error.status == 1 {
            let words = error.reason.split(separator: "\n").first.map(String.init) ?? error.reason
            throw DiskImage.Failure(
                "'\(image.path)' is corrupt: \(words.replacingOccurrences(of: "qemu-img: ", with: ""))",
                hint: "copy it anew from its source; qemu-img check -r repairs what can be repaired")
        }
    }

    /// The first bytes of a disk, as a guest sees them; fewer where it is smaller.
    public static func start(of image: DiskImage, count: Int, scratch: String) async throws -> [UInt8] {
        let path = scratch + "/start-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try await Command(
            "qemu-img",
            [
                "dd", "-f", image.format, "-O", "raw", "bs=512", "count=\(count / 512)", "if=\(image.path)",
                "of=\(path)",
            ]
        ).run()
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Makes a qcow2 show more zeros at its end.
    public static func grow(_ path: String, to size: UInt64) async throws {
        _ = try await Command("qemu-img", ["resize", "-q", "-f", "qcow2", path, "\(size)"]).run()
    }

    /// Lays what an overlay holds over a copy of its base.
    public static func merge(_ overlay: String, into copy: String, format: OutputFormat) async throws {
        _ = try await Command(
            "qemu-img", ["rebase", "-q", "-u", "-f", "qcow2", "-F", format.driver, "-b", copy, overlay]
        ).run()
        _ = try await Command("qemu-img", ["commit", "-q", "-f", "qcow2", "-d", overlay]).run()
    }
}
