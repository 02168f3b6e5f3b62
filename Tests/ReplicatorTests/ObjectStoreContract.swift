import Foundation
import GuestTesting
import Testing

@testable import Replicator

/// What every store has to do.
struct ObjectStoreContract {
    func check(_ store: any ObjectStore) async throws {
        #expect(try await store.size(of: "a/b") == nil)
        await #expect(throws: StoreError.self) { try await store.get("a/b") }
        #expect(try await store.put("a/b", [1, 2, 3], .ifAbsent))
        #expect(try await store.put("a/b", [4], .ifAbsent) == false)
        #expect(try await store.get("a/b") == [1, 2, 3])
        #expect(try await store.put("a/b", [5, 6], .replacing))
        #expect(try await store.get("a/b") == [5, 6])
        #expect(try await store.size(of: "a/b") == 2)
        #expect(try await store.put("a/empty", [], .ifAbsent))
        #expect(try await store.get("a/empty") == [])
        let large = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(try await store.put("ab/large", large, .ifAbsent))
        #expect(try await store.get("ab/large") == large)
        #expect(
            try await Set(store.list("a/")) == [
                StoredObject(name: "a/b", size: 2), StoredObject(name: "a/empty", size: 0),
            ])
        #expect(try await store.list("nothing/") == [])
        #expect(try await store.list("").count == 3)
        try await store.flush()
        try await store.remove("a/b")
        try await store.remove("a/b")
        #expect(try await store.size(of: "a/b") == nil)
        // Of many that put one object at once, one wins.
        let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<16 { group.addTask { try await store.put("race", [UInt8(number)], .ifAbsent) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
    }

    @Test func memory() async throws { try await check(MemoryStore()) }

    @Test func folder() async throws {
        let scratch = try ScratchFolder()
        try await check(FolderStore(scratch.file("store")))
        // Nothing unfinished is left.
        let files = FileManager.default.enumerator(atPath: scratch.path)?.compactMap { $0 as? String } ?? []
        #expect(!files.contains { $0.contains(".put-") })
    }

    @Test func whatKilledWritersLeftGoesAfterADay() async throws {
        let scratch = try ScratchFolder()
        let store = FolderStore(scratch.file("store"))
        _ = try await store.put("a/b", [1], .ifAbsent)
        for (name, age) in [("old", 100_000.0), ("new", 60)] {
            let path = scratch.file("store/a/.put-1-\(name)")
            try Data([1]).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
        }
        try await store.removeLeftovers()
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.file("store/a")).sorted()
        #expect(left == [".put-1-new", "b"])
    }

    @Test func aFolderThatCanNotBeWrittenIsNamed() async throws {
        let scratch = try ScratchFolder()
        try Data().write(to: URL(fileURLWithPath: scratch.file("file")))
        let store = FolderStore(scratch.file("file") + "/store")
        await #expect(throws: StoreError.self) { _ = try await store.put("a/b", [1], .ifAbsent) }
    }
}
