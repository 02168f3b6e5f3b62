import Foundation
import Testing

@testable import Replicator

struct PointHistoryTests {
    @Test(arguments: [nil, Repository.Key.file(Array("0123456789abcdef".utf8))])
    func whatBecameOfAPointIsKeptWithIt(key: Repository.Key?) async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await Repository.openOrMake(store, regionSize: TestDisks.regionSize, key: key)
        let image = try await disks.write("disk", TestDisks.content([1, 2]))
        let first = try await disks.capture([image], into: repository).point
        let second = try await disks.capture([image], into: repository).point
        #expect(try await repository.history(of: "web01") == [:])

        _ = try await Verification(repository, depth: .deep).run { _ in }
        let boot = PointHistory.Boot(time: Date(timeIntervalSince1970: 1), verdict: "boots", image: "web01.qcow2")
        try await repository.note(boot, of: first)
        let history = try await repository.history(of: "web01")
        #expect(history[first.id]?.preflight == boot && history[second.id]?.preflight == nil)
        #expect(history[second.id]?.verified?.depth == .deep && history[second.id]?.verified?.isGood == true)

        let chunk = try #require(store.objects.keys.first { $0.hasPrefix("chunks/") })
        store.change(chunk) { $0[$0.count - 1] ^= 1 }
        _ = try await Verification(repository, depth: .deep).run { _ in }
        #expect(try await repository.history(of: "web01")[second.id]?.verified?.isGood == false)

        // Nothing in an encrypted store says so in clear.
        let isReadable = store.objects.contains { name, bytes in
            name.hasPrefix("history/") && String(decoding: bytes, as: UTF8.self).contains("boots")
        }
        #expect(isReadable == (key == nil))
        try await repository.remove(first)
        #expect(!store.objects.keys.contains { $0.contains(first.id) })
    }
}
