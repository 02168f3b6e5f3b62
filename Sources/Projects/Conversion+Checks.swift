internal import Descriptions
internal import Disks
internal import Foundation

extension Conversion {
    /// What was asked for and doesn't go together; nil where all does.
    public var misuse: (message: String, hint: String)? {
        func list(_ formats: [OutputFormat]) -> String { formats.map(\.rawValue).joined(separator: ", ") }
        if compression != nil, !OutputFormat.compressible.contains(format) {
            let reason = format.isAlwaysCompressed ? "is always compressed" : "has no compression"
            return (
                "--compress is of no use for '\(format.rawValue)', which \(reason)",
                "leave it out, or choose a format that has one: \(list(OutputFormat.compressible))"
            )
        }
        if let wrong = metadata.first(where: { !$0.formats.contains(format) }) {
            return (
                "there is no \(wrong.rawValue) metadata for '\(format.rawValue)', which nothing there reads",
                "choose one of the formats \(list(wrong.formats)), or other --metadata"
            )
        }
        return nil
    }

    func refuseExisting(_ paths: [String]) throws {
        let sources = Set(request.sourceFiles.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path })
        for path in paths {
            if sources.contains(URL(fileURLWithPath: path).resolvingSymlinksInPath().path) {
                throw Failure(
                    message: "the output '\(path)' is the source itself", hint: "choose another --output")
            }
            if existing == .refuse, FileManager.default.fileExists(atPath: path) {
                throw Failure(
                    message: "'\(path)' exists already", hint: "choose another --output, or replace it with --force")
            }
        }
    }

    /// Before the work rather than after it.
    func refuseUnwritableReport() throws {
        guard let reportPath else { return }
        let folder = URL(fileURLWithPath: reportPath).deletingLastPathComponent().path
        guard !FileManager.default.isWritableFile(atPath: folder) else { return }
        throw Failure(
            message: "could not write '\(reportPath)': its folder is not there, or can't be written to",
            hint: "make the folder '\(folder)' first, or choose another --report")
    }

    func refuseLargeDisks(_ jobs: [DiskJob]) throws {
        guard let largest = format.largestDisk else { return }
        for job in jobs where job.size > largest {
            throw Failure(
                message: "'\(job.source.title ?? job.source.path)' has \(job.size >> 30) GiB;"
                    + " a disk of the format '\(format.rawValue)' has \(largest >> 30) at most",
                hint: "choose another --output-format, such as vhdx or qcow2")
        }
    }

    /// Early, rather than after an hour of copying. Compressed sources grow, so this is the least that is needed.
    func refuseFullDisk(_ images: [DiskImage]) throws {
        let folder = URL(fileURLWithPath: output).deletingLastPathComponent()
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw Failure(
                message: "could not write to '\(folder.path)': no such folder",
                hint: "make the folder first, or choose another --output")
        }
        let needed = format.leastRoom(for: images.reduce(0) { $0 + $1.allocatedSize }, compression)
        guard let free = try FreeRoom.missing(needed, in: folder.path) else { return }
        throw Failure(
            message: "'\(folder.path)' has \(free >> 20) MiB free; at least \(needed >> 20) MiB are needed",
            hint: "make room, or choose an --output on another file system")
    }
}

extension ConvertedMachine.Metadata {
    /// The formats that what it is written for can take.
    var formats: [OutputFormat] {
        switch self {
        // QEMU doesn't write to the clusters of a streamOptimized VMDK.
        case .libvirt: [.qcow2, .raw, .vmdk, .vpc, .vhdFixed, .vhdx]
        case .openstack: [.qcow2, .raw, .vmdk, .vmdkStreamOptimized, .vpc, .vhdFixed, .vhdx]
        // CDI tells a format by a file's first bytes, where a fixed VHD has none of its own.
        case .kubevirt: [.qcow2, .raw, .vmdk, .vmdkStreamOptimized, .vpc, .vhdx]
        }
    }

    /// What is written where nothing is asked for.
    static func usual(for format: OutputFormat) -> [Self] { Self.libvirt.formats.contains(format) ? [.libvirt] : [] }
}
