internal import Converter
internal import Descriptions
internal import Disks
internal import Foundation
internal import Guest

extension GuestRequest {
    /// How many disks the guest has.
    var diskCount: Int { (point?.images.count ?? 0) + (described?.sources.count ?? 0) + disks.count }

    /// This host's files that the disks are in.
    var sourceFiles: [String] { (described?.sources.flatMap { $0.parts.map(\.file) } ?? []) + disks }

    /// Whether a disk is in pieces, or compressed, and can't be read where it is.
    var needsUnpacking: Bool { described?.sources.contains(where: \.needsUnpacking) ?? false }

    /// Opens them all, in the guest's order.
    /// - Parameter folder: takes what can't be read in place.
    func openDisks(
        unpackingTo folder: String, _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> [DiskImage] {
        var images = point?.images ?? []
        for (index, source) in (described?.sources ?? []).enumerated() {
            guard let part = source.parts.first else {
                throw DiskImage.Failure(
                    source.absence ?? "the disk '\(source.name)' is not there",
                    hint: "copy it there, or name the machine's disks yourself, as in: rehost inspect DISK --disk DISK")
            }
            if source.needsUnpacking {
                let path = "\(folder)/source-\(index)"
                try await phases.time("unpack '\(source.name)'") { try unpack(source, to: path, progress) }
                var image = try await DiskImage.open(path)
                image.title = "\(part.file): \(source.name)"
                images.append(image)
            } else if part.offset > 0, let size = part.size {
                images.append(
                    try await DiskImage.open(member: source.name, of: part.file, offset: part.offset, size: size))
            } else {
                images.append(try await DiskImage.open(part.file, format: source.format))
            }
        }
        for path in disks { images.append(try await DiskImage.open(path)) }
        return images
    }

    private func unpack(
        _ source: DiskSource, to path: String, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) throws {
        let total = source.parts.reduce(0 as UInt64) { $0 &+ ($1.size ?? Self.length(of: $1.file)) }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        // Compressed, it takes more.
        if let free = try FreeRoom.missing(total, in: folder) {
            throw DiskImage.Failure(
                "'\(folder)' has \(free >> 20) MiB free; '\(source.name)' is written out there, and takes at least"
                    + " \(total >> 20) MiB",
                hint: "make room; 'convert' takes the room beside its --output, 'inspect' and 'plan' under TMPDIR")
        }
        try Unpacking.write(
            source.parts.map { .init(file: $0.file, offset: $0.offset, size: $0.size) },
            isCompressed: source.compression == .gzip, to: path
        ) { done in
            if total > 0 { progress(.part("unpack '\(source.name)'", Double(done) / Double(total))) }
        }
    }

    private static func length(of file: String) -> UInt64 {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return (attributes?[.size] as? NSNumber)?.uint64Value ?? 0
    }

    /// Reads everything that the description has a checksum for.
    /// - Throws: ``DiskImage/Failure`` that names the file that is another than it was.
    func verifyChecksums(
        _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws {
        guard let checksums = described?.checksums, !checksums.isEmpty else { return }
        let total = checksums.reduce(0 as UInt64) { $0 &+ ($1.part.size ?? 0) }
        try await phases.time("verify the checksums") {
            var before: UInt64 = 0
            for checksum in checksums {
                let part = checksum.part
                let digest = try FileDigest.hex(
                    of: part.file, offset: part.offset, size: part.size, algorithm: checksum.algorithm
                ) { done in
                    if total > 0 { progress(.part("verify the checksums", Double(before + done) / Double(total))) }
                }
                guard digest == checksum.digest else {
                    throw DiskImage.Failure(
                        "'\(checksum.name)' is not what it was: its \(checksum.algorithm) is \(digest), the manifest says"
                            + " \(checksum.digest)",
                        hint: "copy or export the machine anew; where it was changed on purpose, remove the manifest")
                }
                before += part.size ?? 0
            }
        }
    }
}

extension DiskSource {
    var needsUnpacking: Bool { parts.count > 1 || compression != .none }
}

/// Whether a machine's firmware and its disks go together.
enum FirmwareCheck {
    static func findings(_ machine: MachineDescription?, _ inspection: Inspection) -> [Finding] {
        let hasESP = inspection.disks.contains { $0.hasEFISystemPartition }
        let hasCode = inspection.disks.contains { $0.hasBootCode }
        switch machine?.firmware {
        case .uefi? where !hasESP && hasCode:
            return [
                Finding(
                    level: .warning, injector: "description",
                    message:
                        "the machine is described with UEFI, but no disk has an EFI system partition; the disks count")
            ]
        case .bios? where hasESP && !hasCode:
            return [
                Finding(
                    level: .warning, injector: "description",
                    message: "the machine is described with BIOS, but only an EFI system partition starts it; the disks"
                        + " count")
            ]
        default: return []
        }
    }
}
