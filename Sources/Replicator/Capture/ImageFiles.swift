public import Disks
internal import Foundation
internal import Host

/// Disk images of this host, that nobody writes to meanwhile: all of each is read, and compared.
public struct ImageFiles: CaptureSource {
    private let images: [DiskImage]
    private let connections: Int

    public init(_ images: [DiskImage], connections: Int) {
        self.images = images
        self.connections = connections
    }

    public func begin(since tokens: [String: String]) async throws -> any CaptureSession {
        var exports: [NBDExport] = []
        do {
            for image in images { exports.append(try await NBDExport(image, connections: connections)) }
            return try Session(images, exports)
        } catch {
            for export in exports { export.close() }
            throw error
        }
    }

    private struct Session: CaptureSession {
        let time = Date()
        /// Whether the machine was off isn't known.
        let consistency = RecoveryPoint.Consistency.crash
        let disks: [SourceDisk]
        private let exports: [NBDExport]
        private let stamps: [String: Stamp]

        init(_ images: [DiskImage], _ exports: [NBDExport]) throws {
            self.exports = exports
            disks = images.enumerated().map { index, image in
                SourceDisk(name: "disk-\(index)", size: image.virtualSize, uri: exports[index].uri)
            }
            stamps = Dictionary(try images.map { ($0.path, try Stamp($0.path)) }) { first, _ in first }
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
            for export in exports { export.close() }
        }
    }

    /// What changes when a file is written to.
    private struct Stamp: Equatable {
        var modified: Date
        var size: Int64

        init(_ path: String) throws {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            modified = attributes[.modificationDate] as? Date ?? .distantPast
            size = (attributes[.size] as? NSNumber)?.int64Value ?? 0
        }
    }
}
