import Archives
import Disks
import Foundation
import GuestTesting

@testable import Replicator

/// Raw disks in a folder of their own, with content that a seed tells.
struct TestDisks {
    let scratch: ScratchFolder
    static let regionSize = 64 << 10

    init() throws { scratch = try ScratchFolder() }

    func path(_ name: String) -> String { scratch.file(name) }

    /// Regions by their seeds; 0 is a hole.
    static func content(_ seeds: [UInt8], tail: Int = 0) -> [UInt8] {
        seeds.flatMap { region($0, regionSize) } + [UInt8](repeating: 0xA5, count: tail)
    }

    private static func region(_ seed: UInt8, _ size: Int) -> [UInt8] {
        guard seed != 0 else { return [UInt8](repeating: 0, count: size) }
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
        return (0..<size).map { index in
            // Half of it compresses.
            if index % 2 == 0 { return seed }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) async throws -> DiskImage {
        let path = path(name)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try await DiskImage.open(path, format: "raw")
    }

    func capture(
        _ images: [DiskImage], as machine: String = "web01", into repository: Repository
    ) async throws -> Capture.Outcome {
        let source = ImageFiles(images, connections: 2)
        return try await Capture(of: source, as: machine, into: repository, options: .init(workers: 2)).run { _ in }
    }

    func restored(_ point: RecoveryPoint, from repository: Repository, _ name: String = "restored") async throws
        -> [[UInt8]]
    {
        let paths = point.disks.indices.map { path("\(name)-\($0)") }
        try await Restore(point, from: repository, workers: 2).run(to: paths) { _ in }
        return try paths.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
    }
}

extension ChunkWriter {
    /// One region's content, as a capture puts it.
    func put(_ content: [UInt8], _ repository: Repository) async throws -> UInt64 {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: content)
        let bytes = UnsafeRawBufferPointer(buffer)
        return try await put(bytes, as: repository.cipher.id(of: bytes), encoder: ZstdEncoder())
    }
}
