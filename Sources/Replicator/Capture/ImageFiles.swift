public import Disks
internal import Foundation
internal import Glibc
internal import Host

/// Disk images of this host, that nobody writes to meanwhile: all of each is read, and compared.
public struct ImageFiles: CaptureSource {
    private let images: [DiskImage]
    private let connections: Int
    private let names: [String]
    private let consistency: RecoveryPoint.Consistency

    /// - Parameters:
    ///   - names: of the disks; "disk-0" and so on where nil.
    ///   - consistency: off, where it is known that the machine is.
    public init(
        _ images: [DiskImage], names: [String]? = nil, consistency: RecoveryPoint.Consistency = .crash, connections: Int
    ) {
        self.images = images
        self.names = names ?? images.indices.map { "disk-\($0)" }
        self.consistency = consistency
        self.connections = connections
    }

    public func begin(since tokens: [String: String]) async throws -> any CaptureSession {
        var exports: [NBDExport?] = []
        do {
            for image in images {
                exports.append(Self.isPlain(image) ? nil : try await NBDExport(image, connections: connections))
            }
            return try Session(self, exports)
        } catch {
            for export in exports { export?.close() }
            throw error
        }
    }

    /// Whether its bytes are the disk's.
    private static func isPlain(_ image: DiskImage) -> Bool { image.format == "raw" && !image.isMember }

    private struct Session: CaptureSession {
        let time = Date()
        let consistency: RecoveryPoint.Consistency
        let disks: [SourceDisk]
        private let exports: [NBDExport?]
        private let stamps: [String: Stamp]

        init(_ source: ImageFiles, _ exports: [NBDExport?]) throws {
            self.exports = exports
            consistency = source.consistency
            disks = source.images.enumerated().map { index, image in
                SourceDisk(
                    name: source.names[index], size: image.virtualSize,
                    place: exports[index].map { .export($0.uri) } ?? .file(image.path))
            }
            let files = Set(source.images.flatMap(\.files))
            stamps = Dictionary(uniqueKeysWithValues: try files.map { ($0, try Stamp($0)) })
        }

        func token(of disk: SourceDisk) -> String? { nil }

        func committed() async throws {}

        func checkStillness() async throws {
            for (path, stamp) in stamps where try Stamp(path) != stamp {
                throw DiskImage.Failure(
                    "'\(path)' was written to while it was read", hint: "capture it while nothing writes to it")
            }
        }

        func end() async throws {
            for export in exports { export?.close() }
        }
    }

    /// What changes when a file is written to, or another one takes its place.
    private struct Stamp: Equatable {
        var numbers: [Int]

        init(_ path: String) throws {
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw DiskImage.Failure(
                    "could not look at '\(path)': \(String(cString: strerror(errno)))",
                    hint: "was it moved while it was read?")
            }
            numbers = [
                Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
            ]
        }
    }
}
