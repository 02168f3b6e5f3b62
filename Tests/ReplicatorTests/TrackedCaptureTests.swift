import Disks
import Foundation
import GuestTesting
import Synchronization
import Testing

@testable import Replicator

/// A source that knows what has changed, as a running machine's does.
private struct Tracked: CaptureSource {
    let files: ImageFiles
    let changes: [NBDConnection.Extent]?
    var token = "1"
    let asked = Asked()

    final class Asked: Sendable {
        let tokens = Mutex<[String: String]>([:])
    }

    func begin(since tokens: [String: String]) async throws -> any CaptureSession {
        asked.tokens.withLock { $0 = tokens }
        return Session(inner: try await files.begin(since: tokens), changes: changes, token: token)
    }

    private struct Session: CaptureSession {
        let inner: any CaptureSession
        let changes: [NBDConnection.Extent]?
        let token: String
        var time: Date { inner.time }
        var consistency: RecoveryPoint.Consistency { .fileSystem }
        var disks: [SourceDisk] {
            inner.disks.map { disk in
                var disk = disk
                disk.changes = changes
                return disk
            }
        }
        func token(of disk: SourceDisk) -> String? { token }
        func checkStillness() async throws { try await inner.checkStillness() }
        func committed() async throws { try await inner.committed() }
        func end() async throws { try await inner.end() }
    }
}

struct TrackedCaptureTests {
    private func capture(
        _ image: DiskImage, _ changes: [NBDConnection.Extent]?, into repository: Repository
    ) async throws -> Capture.Outcome {
        let source = Tracked(files: ImageFiles([image], connections: 2), changes: changes)
        return try await Capture(of: source, as: "web01", into: repository, options: .init(workers: 2)).run { _ in }
    }

    private func extent(_ offset: Int, _ length: Int) -> NBDConnection.Extent {
        NBDConnection.Extent(offset: UInt64(offset), length: UInt64(length), flags: 1)
    }

    @Test func onlyWhatTheSourceNamesIsRead() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: TestDisks.regionSize)
        _ = try await disks.capture([disks.write("disk", TestDisks.content([1, 2, 3, 4, 5]))], into: repository)
        let content = TestDisks.content([1, 9, 3, 4, 8])
        let size = TestDisks.regionSize
        let changes = [
            extent(size + 10, 20), extent(5 * size - 1, 1),
            // Behind the end, where the disk was once.
            extent(40 * size, size),
            NBDConnection.Extent(offset: .max - 5, length: .max, flags: 1),
        ]
        let outcome = try await capture(try await disks.write("disk", content), changes, into: repository)
        #expect(outcome.read == 2 * UInt64(size) && outcome.point.changed == 2 * UInt64(size))
        #expect(outcome.sampled == UInt64(size))
        #expect(outcome.point.disks.map(\.tracking) == [.bitmap])
        #expect(outcome.point.consistency == .fileSystem)
        #expect(try await disks.restored(outcome.point, from: repository) == [content])
    }

    @Test func theNextCaptureGetsTheTokenOfTheLastPoint() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: TestDisks.regionSize)
        let image = try await disks.write("disk", TestDisks.content([1, 2]))
        for (token, before) in [("a", nil), ("b", "a"), ("c", "b")] as [(String, String?)] {
            let source = Tracked(files: ImageFiles([image], connections: 2), changes: [], token: token)
            let point = try await Capture(of: source, as: "web01", into: repository).run { _ in }.point
            #expect(source.asked.tokens.withLock { $0["disk-0"] } == before)
            #expect(point.disks[0].token == token)
        }
        #expect(try await repository.points().last?.disks[0].token == "c")
    }

    @Test func aTrackerThatMissesWritesIsFoundOut() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: TestDisks.regionSize)
        _ = try await disks.capture([disks.write("disk", TestDisks.content([1, 2, 3]))], into: repository)
        // The second region is said to have changed, and the other two have.
        let content = TestDisks.content([7, 2, 0])
        let outcome = try await capture(
            try await disks.write("disk", content), [extent(TestDisks.regionSize, 1)], into: repository)
        #expect(outcome.warnings.contains { $0.contains("ALARM") })
        #expect(outcome.point.disks.map(\.tracking) == [.compare])
        #expect(try await disks.restored(outcome.point, from: repository) == [content])
    }

    @Test func aDiskThatGrewIsReadWhereItIsNew() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: TestDisks.regionSize)
        // The old disk's last region is a short one.
        let old = TestDisks.content([1, 2], tail: 1024)
        _ = try await disks.capture([disks.write("disk", old)], into: repository)
        let grown = old + [UInt8](repeating: 7, count: 2 * TestDisks.regionSize)
        let outcome = try await capture(try await disks.write("disk", grown), [], into: repository)
        #expect(try await disks.restored(outcome.point, from: repository) == [grown])
        let shrunk = Array(grown[..<TestDisks.regionSize])
        let again = try await capture(try await disks.write("disk", shrunk), [], into: repository)
        #expect(try await disks.restored(again.point, from: repository, "shrunk") == [shrunk])
    }

    // MARK: Patches

    private static let large = 1 << 20
    private static let block = Patch.blockSize

    /// Four regions of 16 blocks, and a short one.
    private func largeContent() -> [UInt8] {
        TestDisks.content((0..<64).map { UInt8($0 % 200 + 1) }, tail: 3 * Self.block + 512)
    }

    private func write(_ value: UInt8, _ block: Int, _ content: inout [UInt8]) -> NBDConnection.Extent {
        let at = block * Self.block
        for index in at..<at + 512 { content[index] = value }
        return extent(at, 512)
    }

    @Test func scatteredWritesCostTheirBlocks() async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await Repository.openOrMake(
            store, regionSize: Self.large, key: .file(Array("0123456789abcdef".utf8)))
        var content = largeContent()
        let first = try await disks.capture([disks.write("disk", content)], into: repository)
        var points = [(first.point, content)]
        for round in 0..<4 {
            // Of the first region three blocks, of the third one, of the last its short one.
            let changes = [1, 2, 9, 40, 67].map { write(UInt8(200 + round), $0, &content) }
            let outcome = try await capture(try await disks.write("disk", content), changes, into: repository)
            points.append((outcome.point, content))
            let manifest = try await repository.manifest(of: outcome.point.disks[0])
            if round < Patch.limit {
                #expect(manifest.regions[0].chunks.count == round + 2)
                #expect(outcome.read == UInt64(4 * Self.block + 512))
                #expect(outcome.point.changed == outcome.read)
            } else if round == Patch.limit {
                #expect(manifest.regions[0].chunks.count == 1, "two patches are the most")
            }
            #expect(manifest.regions[1] == (try await repository.manifest(of: first.point.disks[0])).regions[1])
        }
        for (point, content) in points {
            #expect(try await disks.restored(point, from: repository, "at-\(point.id)") == [content])
        }
        #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [])
        // What patches lie over stays as long as they do.
        for (point, _) in points.dropLast(2) { try await repository.remove(point) }
        for _ in 0..<2 { _ = try await Collector(repository).run() }
        for (point, content) in points.suffix(2) {
            #expect(try await disks.restored(point, from: repository, "after-\(point.id)") == [content])
        }
        let socket = disks.path("socket")
        let server = try await PointServer(points[3].0, from: repository, socket: socket)
        defer { server.close() }
        let copy = disks.path("served.raw")
        try HostTool("qemu-img").output(["convert", "-f", "raw", "-O", "raw", server.uris[0], copy])
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: copy))) == points[3].1)
    }

    @Test func writesIntoZerosCostTheirBlocks() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: Self.large)
        var content = [UInt8](repeating: 0, count: 3 * Self.large + 3 * Self.block + 512)
        _ = try await disks.capture([disks.write("disk", content)], into: repository)
        // Of the first region some, of the last its short block; and zeros over zeros.
        var changes = [0, 1, 15, 51].map { write(UInt8(200), $0, &content) }
        changes.append(extent(20 * Self.block, 1))
        let outcome = try await capture(try await disks.write("disk", content), changes, into: repository)
        #expect(outcome.read == UInt64(4 * Self.block + 512))
        let regions = try await repository.manifest(of: outcome.point.disks[0]).regions
        #expect(regions.map(\.chunks.count) == [1, 0, 0, 1])
        #expect(try await disks.restored(outcome.point, from: repository) == [content])
    }

    @Test func aPatchedRegionThatIsReadWholeIsRecognised() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: Self.large)
        var content = largeContent()
        _ = try await disks.capture([disks.write("disk", content)], into: repository)
        let change = write(250, 5, &content)
        let image = try await disks.write("disk", content)
        let patched = try await capture(image, [change], into: repository)
        // The bitmap is lost.
        let compared = try await capture(image, nil, into: repository)
        #expect(compared.point.changed == 0 && compared.point.stored == 0)
        let old = try await repository.manifest(of: patched.point.disks[0])
        #expect(try await repository.manifest(of: compared.point.disks[0]) == old)
        // And with one more write, all of the region is stored.
        _ = write(251, 6, &content)
        let written = try await capture(try await disks.write("disk", content), nil, into: repository)
        #expect(written.point.changed == UInt64(Self.large))
        #expect(try await disks.restored(written.point, from: repository) == [content])
    }

    @Test(arguments: [0, 1])
    func damageInAPatchedRegionIsMended(object: Int) async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await Repository.openOrMake(store, regionSize: Self.large)
        var content = largeContent()
        _ = try await disks.capture([disks.write("disk", content)], into: repository)
        let change = write(250, 5, &content)
        let patched = try await capture(try await disks.write("disk", content), [change], into: repository)
        let region = try await repository.manifest(of: patched.point.disks[0]).regions[0]
        store.change(region.chunks[object].object) { $0[$0.count - 1] ^= 1 }
        await #expect(throws: StoreError.self) { try await disks.restored(patched.point, from: repository, "bad") }
        let found = try await Verification(repository, depth: .deep).run { _ in }
        #expect(found.damage.count == 1 && found.damagedPoints.contains("web01@\(patched.point.id)"))
        // Nothing has changed, by the tracker; the region is read all the same.
        let mended = try await capture(try await disks.write("disk", content), [], into: repository)
        #expect(mended.read == UInt64(Self.large))
        #expect(try await disks.restored(mended.point, from: repository, "mended") == [content])
    }

    @Test func aPatchThatFitsNowhereIsRefused() {
        let length = 4 * Patch.blockSize + 512
        let patch = Patch(blocks: [1, 4], content: [UInt8](repeating: 7, count: Patch.blockSize + 512))
        #expect(Patch(patch.encoded, length: length) == patch)
        #expect(Patch(patch.encoded, length: length + 1) == nil)
        #expect(Patch(patch.encoded, length: 4 * Patch.blockSize) == nil)
        #expect(Patch(Array(patch.encoded.dropLast()), length: length) == nil)
        #expect(Patch([], length: length) == nil)
        #expect(Patch([255, 255, 255, 255], length: length) == nil)
        for blocks in [[4, 1], [1, 1]] {
            #expect(Patch(Patch(blocks: blocks, content: patch.content).encoded, length: length) == nil)
        }
    }
}
