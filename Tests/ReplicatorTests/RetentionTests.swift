import Foundation
import Testing

@testable import Replicator

struct RetentionTests {
    private static let start = Date(timeIntervalSince1970: 1_700_000_000)

    private func points(_ count: Int, every seconds: TimeInterval) -> [RecoveryPoint] {
        (0..<count).map { index in
            RecoveryPoint(
                id: "p\(index)", machine: "web01", time: Self.start.addingTimeInterval(Double(index) * seconds),
                consistency: .crash, disks: [], lease: "x")
        }
    }

    private func kept(_ rules: Retention, _ points: [RecoveryPoint]) -> [String] { rules.kept(points).map(\.0.id) }

    @Test func theNewestOfEachPeriod() {
        let hourly = points(100, every: 3600)
        #expect(kept(Retention(last: 2), hourly) == ["p98", "p99"])
        #expect(kept(Retention(hourly: 3), hourly) == ["p97", "p98", "p99"])
        // 2023-11-14T22:13:20Z is the first; a day's newest are those of 23:13.
        #expect(kept(Retention(daily: 3), hourly) == ["p73", "p97", "p99"])
        #expect(kept(Retention(last: 1, daily: 2), hourly) == ["p97", "p99"])
        #expect(kept(Retention(weekly: 2), points(30, every: 86_400)).count == 2)
        #expect(kept(Retention(monthly: 2), points(60, every: 86_400)).count == 2)
        #expect(kept(Retention(yearly: 5), points(60, every: 86_400)).count == 2)
    }

    @Test func theNewestGoodOneStays() {
        let all = points(5, every: 60)
        let stay = Retention(last: 1).kept(all) { $0.id == "p2" }
        #expect(stay.map(\.0.id) == ["p2", "p4"])
        #expect(stay[0].1 == ["newest good one"])
    }

    @Test func aPointWhoseManifestIsGoneIsNoGoodOne() async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await Repository.openOrMake(store, regionSize: TestDisks.regionSize)
        let image = try await disks.write("disk", TestDisks.content([1, 2]))
        let good = try await disks.capture([image], into: repository).point
        let lost = try await disks.capture([image], into: repository).point
        try await store.remove(lost.disks[0].manifest)
        #expect(try await repository.pointsWithDamage() == [lost.id])
        let damaged = try await repository.pointsWithDamage()
        let kept = Retention(last: 1).kept(try await repository.points()) { !damaged.contains($0.id) }
        #expect(kept.map(\.0.id).contains(good.id))
    }
}
