internal import Foundation
internal import Host

/// Disks in tar archives. GNU tar does the work: memory stays small whatever the size, and holes stay holes.
public enum DiskArchive {
    /// What Compute Engine takes: a gzipped archive in GNU tar's old format with one sparse file named "disk.raw".
    /// - Parameters:
    ///   - folder: holds the "disk.raw".
    ///   - size: of the file, in bytes; progress is told in parts of it.
    public static func writeGCP(
        folder: String, size: UInt64, to path: String, progress: @escaping @Sendable (Double) -> Void
    ) async throws {
        let step = 64 << 20
        let arguments =
            common + [
                "--format=oldgnu", "--sparse", "--gzip", "--mode=0644",
                // tar counts records of 10 KiB that it writes, and holes are none: a disk is seldom done by parts of 1.
                "--checkpoint=\(step / 10240)", "--checkpoint-action=exec=echo $TAR_CHECKPOINT", "--file=\(path)",
                "--directory=\(folder)", "--", "disk.raw",
            ]
        _ = try await Command("tar", arguments).run { text in
            guard let record = text.split(separator: "\n").last.flatMap({ Double($0) }), size > 0 else { return }
            progress(min(1, record * 10240 / Double(size)))
        }
    }

    /// A file may have 8 GiB less a byte in a ustar header: eleven octal digits.
    static let largestUstar: UInt64 = 0o77777777777

    /// An OVA: the files in their order, the descriptor first, so that an importer learns from the start of the stream what
    /// will come (DSP0243, section 5.3: ustar; pax where a file is too large for that).
    public static func writeOVA(folder: String, files: [String], to path: String) async throws {
        let format = try format(for: files.map { "\(folder)/\($0)" })
        _ = try await Command(
            "tar",
            common + format + ["--mode=0644", "--file=\(path)", "--directory=\(folder)", "--"] + files
        ).run()
    }

    static func format(for paths: [String]) throws -> [String] {
        let isLarge = try paths.contains { path in
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return (attributes[.size] as? NSNumber)?.uint64Value ?? 0 > largestUstar
        }
        // Without times in fractions, only what is too large gets a header of its own.
        return isLarge
            ? ["--format=posix", "--pax-option=delete=atime,delete=ctime,delete=mtime"] : ["--format=ustar"]
    }

    /// Nobody's names, and a path with a colon is no other host's.
    private static let common = [
        "--create", "--force-local", "--owner=0", "--group=0", "--numeric-owner",
    ]
}
