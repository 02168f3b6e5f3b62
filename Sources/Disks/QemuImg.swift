internal import Foundation
internal import Host

/// qemu-img's jobs, each a child that ends when its task is cancelled.
public enum QemuImg {
    /// What a disk can be written as: qemu-img's names.
    public enum Format: String, Sendable, CaseIterable {
        case qcow2
        case raw
        case vmdk
        case vpc
        case vhdx
    }

    /// A new qcow2 that shows `base` and takes the writes.
    public static func createOverlay(_ path: String, over base: DiskImage) async throws {
        _ = try await Command(
            "qemu-img", ["create", "-q", "-f", "qcow2", "-F", base.format, "-b", base.path, path]
        ).run()
    }

    /// Copies an image, holes left out.
    /// - Parameter progress: gets the part that is done, 0 to 1.
    public static func copy(
        _ image: DiskImage, to path: String, format: Format, progress: @escaping @Sendable (Double) -> Void
    ) async throws {
        var arguments = ["convert", "-p", "-m", "8", "-W", "-f", image.format, "-O", format.rawValue]
        // Without it the size is rounded to a geometry, and a partition table's end no longer fits the disk's.
        if format == .vpc { arguments += ["-o", "force_size=on"] }
        _ = try await Command("qemu-img", arguments + [image.path, path]).run { text in
            // "    (12.34/100%)\r", several at once when it is quick.
            guard let open = text.lastIndex(of: "("), let slash = text[open...].firstIndex(of: "/"),
                let percent = Double(text[text.index(after: open)..<slash])
            else { return }
            progress(percent / 100)
        }
    }

    /// Lays what an overlay holds over a copy of its base.
    public static func merge(_ overlay: String, into copy: String, format: Format) async throws {
        _ = try await Command(
            "qemu-img", ["rebase", "-q", "-u", "-f", "qcow2", "-F", format.rawValue, "-b", copy, overlay]
        ).run()
        _ = try await Command("qemu-img", ["commit", "-q", "-f", "qcow2", "-d", overlay]).run()
    }
}
