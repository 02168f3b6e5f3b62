import Foundation
import Synchronization
import Testing

@testable import Replicator

/// Captures into a bucket whose server has its bad moments: a point is there whole, or not at all.
struct S3CaptureTests {
    private let server: FaultyS3Server

    init() throws { server = try FaultyS3Server() }

    private func set(_ change: (inout FaultyS3Server.State) -> Void) { server.state.withLock { change(&$0) } }

    private static let key = Repository.Key.file(Array("0123456789abcdef".utf8))

    /// What a machine's disk holds in a round.
    private func content(_ round: Int) -> [UInt8] {
        TestDisks.content((0..<6).map { UInt8(1 + (round * ($0 + 1)) % 11) }, tail: 512)
    }

    @Test(arguments: 1...4)
    func whatIsTriedAgainGoesWell(_ seed: Int) async throws {
        defer { server.stop() }
        set { $0.faults = S3Faults(seed: UInt64(seed), rate: 0.4) }
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(
            server.store(), regionSize: TestDisks.regionSize, key: Self.key)
        var points: [(RecoveryPoint, [UInt8])] = []
        for round in 0..<4 {
            let image = try await disks.write("disk", content(round))
            points.append((try await disks.capture([image], into: repository).point, content(round)))
        }
        try await repository.remove(points.removeFirst().0)
        for _ in 0..<2 { _ = try await Collector(repository).run() }
        for (point, content) in points {
            #expect(try await disks.restored(point, from: repository, point.id) == [content])
        }
        #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [])
        #expect(server.state.withLock { $0.faulted } > 20)
    }

    @Test(arguments: 1...4)
    func whatIsGivenUpLeavesNoHalfPoint(_ seed: Int) async throws {
        defer { server.stop() }
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(server.store(), regionSize: TestDisks.regionSize)
        // One attempt more, and no patience.
        let hasty = S3Retries(
            attempts: 2, attemptsToReach: 2, firstPause: .milliseconds(1), longestPause: .milliseconds(2),
            attempt: .seconds(5))
        var written: [String: [UInt8]] = [:]
        var failed = 0
        for round in 0..<12 {
            set { $0.faults = S3Faults(seed: UInt64(seed * 100 + round), rate: 0.25) }
            let image = try await disks.write("disk", content(round))
            do {
                let store = try server.store(retries: hasty)
                let point = try await disks.capture([image], into: Repository.open(store)).point
                written[point.id] = content(round)
                _ = try await Collector(Repository.open(store)).run()
            } catch { failed += 1 }
        }
        set { $0.faults = S3Faults() }
        #expect(failed > 0)
        // A collector that gave up may have left its lock; its process is this one.
        try await repository.store.remove(Collector.lockObject)
        _ = try await Collector(repository).run()
        // A commit whose answer was lost is a point, too: good ones, all of them.
        let points = try await repository.points()
        #expect(Set(written.keys).isSubset(of: points.map(\.id)))
        for point in points {
            let restored = try await disks.restored(point, from: repository, point.id)
            #expect(written[point.id].map { restored == [$0] } ?? (0..<12).contains { restored == [content($0)] })
        }
        #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [])
    }

    @Test(arguments: [nil, key]) func wrongBytesAreAnErrorAndNeverData(key: Repository.Key?) async throws {
        defer { server.stop() }
        let disks = try TestDisks()
        let repository = try await Repository.openOrMake(
            server.store(), regionSize: TestDisks.regionSize, key: key)
        let point = try await disks.capture([disks.write("disk", content(1))], into: repository).point
        set { $0.flipsBytes = true }
        await #expect(throws: (any Error).self) { try await disks.restored(point, from: repository, "flipped") }
        // In a plain store the settings' byte that was turned may be one of its name.
        if key != nil {
            await #expect(throws: (any Error).self) { try await Repository.open(server.store(), key: key) }
        }
        let manifest = try await {
            set { $0.flipsBytes = false }
            defer { set { $0.flipsBytes = true } }
            return try await repository.manifest(of: point.disks[0])
        }()
        for id in manifest.chunks {
            let error = await #expect(throws: StoreError.self) { try await repository.chunk(id) }
            #expect(error?.kind == .damaged)
        }
        set { $0.flipsBytes = false }
        #expect(try await disks.restored(point, from: repository) == [content(1)])
    }
}
