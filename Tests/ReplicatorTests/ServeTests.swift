import Disks
import Foundation
import GuestTesting
import Host
import Testing

@testable import Replicator

/// A recovery point over NBD, as other programs' clients read it.
struct ServeTests {
    private func server(_ content: [[UInt8]], _ disks: TestDisks) async throws -> (PointServer, String) {
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: TestDisks.regionSize)
        var images: [DiskImage] = []
        for (index, bytes) in content.enumerated() { images.append(try await disks.write("disk-\(index)", bytes)) }
        let point = try await disks.capture(images, into: repository).point
        let socket = disks.path("socket")
        return (
            try await PointServer(point, from: repository, socket: socket, memory: 4 * TestDisks.regionSize), socket
        )
    }

    @Test func otherProgramsReadWhatWasCaptured() async throws {
        let disks = try TestDisks()
        let content = TestDisks.content([1, 0, 2, 3, 4, 5, 0, 6], tail: 1536)
        let (server, _) = try await server([content, TestDisks.content([9])], disks)
        defer { server.close() }
        #expect(server.uris.count == 2)
        // QEMU's client.
        let copy = disks.path("copy.raw")
        try HostTool("qemu-img").output(["convert", "-f", "raw", "-O", "raw", server.uris[0], copy])
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: copy))) == content)
        try HostTool("qemu-img").output(["convert", "-f", "raw", "-O", "raw", server.uris[1], copy])
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: copy))) == TestDisks.content([9]))
        // libnbd's, from several connections and across regions.
        let connection = try NBDConnection(server.uris[0])
        #expect(connection.size == UInt64(content.count))
        let extents = try connection.extents(NBDConnection.allocation, offset: 0, length: connection.size)
        #expect(extents.filter { $0.flags & 2 != 0 }.map(\.offset) == [1, 6].map { UInt64($0 * TestDisks.regionSize) })
        // On threads of their own: the server answers on those of the runtime.
        let numbers = Counter()
        try await Workers.run(8) {
            let connection = try NBDConnection(server.uris[0], contexts: [])
            let number = numbers.next(below: 8) ?? 0
            for round in 0..<20 {
                let offset = (number * 7919 + round * 30_011) % (content.count - 70_000)
                var bytes = [UInt8](repeating: 0, count: 70_000)
                try bytes.withUnsafeMutableBytes { try connection.read(into: $0, offset: UInt64(offset)) }
                #expect(bytes == Array(content[offset..<offset + 70_000]))
            }
        }
    }

    @Test func nothingIsWrittenAndNothingBehindTheEndIsRead() async throws {
        let disks = try TestDisks()
        let (server, _) = try await server([TestDisks.content([1])], disks)
        defer { server.close() }
        let connection = try NBDConnection(server.uris[0])
        var bytes = [UInt8](repeating: 0, count: 512)
        #expect(throws: DiskImage.Failure.self) {
            try bytes.withUnsafeMutableBytes { try connection.read(into: $0, offset: connection.size) }
        }
        #expect(throws: DiskImage.Failure.self) {
            try bytes.withUnsafeBytes { try connection.write($0, offset: 0) }
        }
        #expect(throws: DiskImage.Failure.self) { try NBDConnection(server.uris[0].replacing("disk-0", with: "other")) }
        try bytes.withUnsafeMutableBytes { try connection.read(into: $0, offset: 0) }
        #expect(bytes == Array(TestDisks.content([1])[..<512]))
    }

    /// Clients that send nonsense are let go, and others go on.
    @Test func nonsenseHurtsNobodyElse() async throws {
        let disks = try TestDisks()
        let (server, socket) = try await server([TestDisks.content([1])], disks)
        defer { server.close() }
        for number in 0..<20 {
            let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* (number &+ 3)) }
            let file = disks.path("nonsense")
            try Data([0, 0, 0, 3] + Array("IHAVEOPT".utf8) + bytes).write(to: URL(fileURLWithPath: file))
            _ = try? HostTool("python3").output([
                "-c",
                "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(open(sys.argv[2],'rb').read()); s.close()",
                socket, file,
            ])
        }
        let connection = try NBDConnection(server.uris[0])
        #expect(connection.size == UInt64(TestDisks.regionSize))
    }

    @Test func aRecordedStartIsFetchedBeforehand() async throws {
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(MemoryStore(), regionSize: TestDisks.regionSize)
        let content = TestDisks.content([1, 2, 0, 4, 5, 6])
        let point = try await disks.capture([disks.write("disk", content)], into: repository).point
        #expect(try await repository.bootTrace(of: "web01") == nil)
        let size = UInt64(TestDisks.regionSize)
        func read(_ uri: String, _ regions: [UInt64]) async throws {
            try await Workers.run(1) {
                let connection = try NBDConnection(uri, contexts: [])
                var bytes = [UInt8](repeating: 0, count: 512)
                for region in regions {
                    try bytes.withUnsafeMutableBytes { try connection.read(into: $0, offset: region * size) }
                }
            }
        }
        let recorder = try await PointServer(point, from: repository, socket: disks.path("recorder"))
        try await read(recorder.uris[0], [4, 1, 4, 2])
        try await repository.keep(recorder.trace, of: "web01")
        let use = await recorder.use[0]
        #expect(use.regions == 6 && use.held == 5 && use.read == 2 && use.fetched == 2)
        recorder.close()

        let trace = try #require(try await repository.bootTrace(of: "web01"))
        #expect(trace.disks == ["disk-0": [4, 1]])
        let server = try await PointServer(point, from: repository, socket: disks.path("socket"))
        defer { server.close() }
        server.prefetch(trace)
        for _ in 0..<100 where await server.use[0].fetched < 2 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(await server.use[0].fetched == 2)
        #expect(await server.use[0].read == 0)
        try await read(server.uris[0], [1, 4])
        #expect(await server.use[0].fetched == 2, "they were there")
        // A trace of another disk's layout does no harm.
        server.prefetch(BootTrace(regionSize: TestDisks.regionSize, disks: ["disk-0": [-1, 99, 2], "disk-9": [1]]))
    }
}
