import Foundation
import GuestTesting
import Testing

@testable import Replicator

struct CollectorTests {
    private let store = MemoryStore()

    private func repository() async throws -> Repository {
        try await Repository.openOrMake(store, regionSize: TestDisks.regionSize)
    }

    private var chunks: Int { store.objects.keys.count { $0.hasPrefix("chunks/") } }

    @Test func whatNobodyNeedsGoes() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let first = try await disks.capture([disks.write("disk", TestDisks.content([1, 2, 3]))], into: repository).point
        let second = try await disks.capture([disks.write("disk", TestDisks.content([1, 4, 5]))], into: repository)
            .point
        #expect(chunks == 5)
        #expect(try await Collector(repository).run().chunksRemoved == 0)
        try await repository.remove(first)
        let outcome = try await Collector(repository).run()
        #expect(outcome.chunksRemoved == 2 && outcome.bytesRemoved > 0 && chunks == 3)
        #expect(try await disks.restored(second, from: repository) == [TestDisks.content([1, 4, 5])])
        #expect(
            store.objects.keys.allSatisfy {
                !$0.hasPrefix("condemned/") && !$0.hasPrefix("deleting/") && $0 != "collector"
            })
    }

    @Test func aCaptureThatGoesOnIsWaitedFor() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let first = try await disks.capture([disks.write("disk", TestDisks.content([1, 2]))], into: repository).point
        let lease = try await repository.takeLease()
        let writer = try await ChunkWriter(repository, lease: lease)
        try await repository.remove(first)
        let waiting = try await Collector(repository).run()
        #expect(waiting.chunksRemoved == 0 && waiting.chunksWaiting == 2 && chunks == 2)
        // It relies on what it has seen.
        let content = TestDisks.content([1])
        let stored = try await writer.put(content, repository)
        #expect(stored == 0)
        try await repository.end(lease)
        #expect(try await Collector(repository).run().chunksRemoved == 2)
    }

    @Test func aCaptureThatBeganLaterSavesWhatItWants() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let first = try await disks.capture([disks.write("disk", TestDisks.content([1, 2]))], into: repository).point
        let early = try await repository.takeLease()
        try await repository.remove(first)
        #expect(try await Collector(repository).run().chunksWaiting == 2)
        let lease = try await repository.takeLease()
        let writer = try await ChunkWriter(repository, lease: lease)
        let content = TestDisks.content([1])
        let stored = try await writer.put(content, repository)
        #expect(stored > 0)
        try await repository.end(early)
        #expect(try await Collector(repository).run().chunksRemoved == 1)
        #expect(chunks == 1)
    }

    @Test func aHolderThatIsGoneLosesItsLease() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        var lease = try await repository.takeLease(now: Date(timeIntervalSinceNow: -2 * Lease.length))
        let image = try await disks.write("disk", TestDisks.content([1]))
        let good = try await disks.capture([image], into: repository).point
        _ = try await Collector(repository).run()
        #expect(try await repository.revokedLeases() == [lease.id])
        // It wakes up and goes on: its point doesn't count.
        try await repository.renew(&lease)
        await #expect(throws: StoreError.self) { try await repository.check(lease) }
        var late = good
        late.id = "20990101T000000Z-0000"
        late.lease = lease.id
        try await repository.commit(late)
        #expect(try await repository.points().map(\.id) == [good.id])
    }

    /// A power cut after each single write of a collector.
    @Test func everyStepMayBeTheLast() async throws {
        let disks = try TestDisks()
        let made = try await repository()
        let gone = try await disks.capture([disks.write("disk", TestDisks.content([1, 2, 3]))], into: made).point
        let kept = try await disks.capture([disks.write("disk", TestDisks.content([3, 4]))], into: made).point
        try await made.remove(gone)
        let before = store.objects
        store.failAfter(1000)
        _ = try await Collector(made).run()
        let steps = store.writes
        for step in 0..<steps {
            let store = MemoryStore()
            for (name, bytes) in before { _ = try await store.put(name, bytes, .replacing) }
            let repository = try await Repository.open(store)
            store.failAfter(step)
            await #expect(throws: (any Error).self) { try await Collector(repository).run() }
            store.failAfter(nil)
            // Its process is gone, and so is its lock.
            try await store.remove(Collector.lockObject)
            #expect(try await disks.restored(kept, from: repository, "s\(step)") == [TestDisks.content([3, 4])])
            // A capture meanwhile wants one of the chunks back.
            let back = try await disks.capture(
                [disks.write("disk", TestDisks.content([1, 4]))], as: "web02", into: repository
            ).point
            _ = try await Collector(repository).run(now: Date(timeIntervalSinceNow: 2 * Lease.length))
            #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [], "step \(step)")
            #expect(try await disks.restored(back, from: repository, "b\(step)") == [TestDisks.content([1, 4])])
        }
    }

    /// Captures, removals and collectors all at once, of contents that are wanted again and again.
    @Test func aRaceDamagesNothing() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let seconds = Double(ProcessInfo.processInfo.environment["REHOST_RACE_SECONDS"] ?? "") ?? 4
        let end = Date(timeIntervalSinceNow: seconds)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for machine in 0..<3 {
                group.addTask {
                    var round: UInt8 = 0
                    repeat {
                        round = round &+ 1
                        let seeds = (0..<4).map { UInt8(1 + (Int(round) * ($0 + machine)) % 7) }
                        let image = try await disks.write("disk-\(machine)", TestDisks.content(seeds))
                        _ = try await disks.capture([image], as: "m\(machine)", into: repository)
                        let points = try await repository.points(of: "m\(machine)")
                        for point in points.dropLast(2) { try await repository.remove(point) }
                    } while Date() < end
                }
            }
            group.addTask {
                while Date() < end {
                    do { _ = try await Collector(repository).run() } catch let error as StoreError
                        where error.kind == .missing
                    {
                        // A point went while its manifest was looked for.
                    }
                }
            }
            try await group.waitForAll()
        }
        let outcome = try await Verification(repository, depth: .deep).run { _ in }
        #expect(outcome.damage == [] && outcome.chunks > 0)
    }
}
