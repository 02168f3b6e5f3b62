internal import Foundation
internal import Host

/// A disk file of this host's, as qemu-img sees it.
public struct DiskImage: Sendable, Equatable {
    /// Absolute.
    public var path: String
    /// "qcow2", "raw", "vmdk".
    public var format: String
    /// In bytes, as a guest sees it.
    public var virtualSize: UInt64
    /// What the file takes on this host's disk, in bytes.
    public var allocatedSize: UInt64
    /// What it is called where its path doesn't tell: "web01.ova: web01-disk1.vmdk".
    public var title: String?
    /// All files of this host that it is in: its own, backing files, extents, an archive. Empty where a server has it.
    public var files: [String] = []

    public struct Failure: Error, CustomStringConvertible {
        public var message: String
        public var hint: String

        public init(_ message: String, hint: String) {
            self.message = message
            self.hint = hint
        }

        public var description: String { "\(message)\nhint: \(hint)" }
    }

    /// Looks at an image without changing it.
    ///
    /// An image can name other files: a backing file, the extents of a VMDK. One that was made to read this host's files
    /// into a guest would name them by paths elsewhere, so only files beside the image, or below its folder, are taken.
    /// - Parameter format: qemu-img's name, where it is known; else the image tells.
    public static func open(_ path: String, format: String? = nil) async throws -> DiskImage {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw Failure("could not open '\(path)': no such file", hint: "check the path of the disk image")
        }
        guard FileManager.default.isReadableFile(atPath: url.path) else {
            throw Failure(
                "could not open '\(path)': permission denied", hint: "run as a user who can read it, or copy it first")
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue {
            throw Failure("could not open '\(path)': it is a folder", hint: "name the disk file inside it")
        }
        let chain = try await info(url.path, format: format)
        guard let top = chain.first else {
            throw Failure("could not read '\(path)': qemu-img says nothing about it", hint: "is it a disk image?")
        }
        let folder = url.deletingLastPathComponent().resolvingSymlinksInPath().path
        var files: [String] = []
        for layer in chain {
            for file in [layer.filename] + layer.others {
                guard isPlain(file) else {
                    throw Failure(
                        "'\(path)' names '\(file)', which is not a file beside it",
                        hint: "only chains of local files are read; flatten it with qemu-img convert first")
                }
                let real = URL(fileURLWithPath: file, relativeTo: URL(fileURLWithPath: folder + "/"))
                    .standardizedFileURL.resolvingSymlinksInPath().path
                if !files.contains(real) { files.append(real) }
                guard
                    real.hasPrefix(folder == "/" ? "/" : folder + "/") || layer.filename == url.path && file == url.path
                else {
                    throw Failure(
                        "'\(path)' names '\(file)', outside its own folder",
                        hint: "if that is meant, flatten it first: qemu-img convert -O qcow2 IMAGE NEW")
                }
            }
        }
        var image = DiskImage(
            path: url.path, format: top.format, virtualSize: top.virtualSize,
            allocatedSize: chain.reduce(0) { $0 + $1.actualSize })
        image.files = files
        if format == nil, top.format == "raw", VHDFooter(endOf: url.path)?.kind == .fixed,
            let disk = try await info(url.path, format: "vpc").first
        {
            image.format = disk.format
            image.virtualSize = disk.virtualSize
        }
        return image
    }

    /// The same disk, seen larger; the file stays as it is.
    /// - Parameters:
    ///   - size: in bytes.
    ///   - path: of a new file that holds nothing but the difference.
    public func grown(to size: UInt64, at path: String) async throws -> DiskImage {
        try await QemuImg.createOverlay(path, over: self, size: size)
        return DiskImage(
            path: path, format: "qcow2", virtualSize: size, allocatedSize: allocatedSize, title: title ?? self.path)
    }

    struct Layer {
        var filename: String
        var format: String
        var virtualSize: UInt64
        var actualSize: UInt64
        /// Extents, and a qcow2's external data file.
        var others: [String]
    }

    /// - Parameters:
    ///   - format: nil to find it out.
    ///   - title: for messages, where the path isn't one.
    static func info(_ path: String, format: String? = nil, title: String? = nil) async throws -> [Layer] {
        let output: Data
        do {
            // The chain's files are listed before any of them is used for data.
            output = try await Command(
                "qemu-img",
                ["info", "--output=json", "--backing-chain"] + (format.map { ["-f", $0] } ?? []) + [path]
            ).run()
        } catch let error as Command.Failure {
            throw Failure(
                "could not read '\(title ?? path)': \(explained(error.reason, path))",
                hint: error.reason.contains("lock")
                    ? "it is in use: shut the machine down, or take a snapshot and use that"
                    : error.hint ?? "is it a disk image, complete, with its extents and backing files beside it?")
        }
        guard let list = try JSONSerialization.jsonObject(with: output) as? [[String: Any]] else { return [] }
        return list.compactMap { item in
            guard let name = item["filename"] as? String, let format = item["format"] as? String,
                let size = item["virtual-size"] as? NSNumber
            else { return nil }
            var others: [String] = []
            let data = (item["format-specific"] as? [String: Any])?["data"] as? [String: Any] ?? [:]
            if let file = data["data-file"] as? String { others.append(file) }
            for extent in data["extents"] as? [[String: Any]] ?? [] {
                if let file = extent["filename"] as? String { others.append(file) }
            }
            return Layer(
                filename: name, format: format, virtualSize: size.uint64Value,
                actualSize: (item["actual-size"] as? NSNumber)?.uint64Value ?? 0, others: others)
        }
    }

    /// qemu-img's words, without its name and the path that the reader has already.
    private static func explained(_ reason: String, _ path: String) -> String {
        let line = reason.split(separator: "\n").first.map(String.init) ?? reason
        return line.replacingOccurrences(of: "qemu-img: ", with: "")
            .replacingOccurrences(of: "Could not open '\(path)': ", with: "")
    }

    /// A path, rather than a protocol ("nbd:…", "json:{…}").
    private static func isPlain(_ file: String) -> Bool {
        guard let colon = file.firstIndex(of: ":") else { return true }
        guard let slash = file.firstIndex(of: "/") else { return false }
        return slash < colon
    }
}
