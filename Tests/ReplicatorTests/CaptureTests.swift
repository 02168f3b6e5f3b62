import Disks
import Foundation
import GuestTesting
import Testing

@testable import Replicator

struct CaptureTests {
    private func repository(_ store: any ObjectStore = MemoryStore(), key: Repository.Key? = nil) async throws
        -> Repository
    {
        try await Repository.openOrMake(store, regionSize: TestDisks.regionSize, key: key)
    }

    @Test func aPointIsRestoredAsItWas() async throws {
        let disks = try TestDisks()
        let content = TestDisks.content([1, 0, 2, 1, 0], tail: 1536)
        let repository = try await repository()
        let outcome = try await disks.capture([try await disks.write("disk", content)], into: repository)
        #expect(outcome.point.disks.map(\.tracking) == [.full])
        #expect(try await disks.restored(outcome.point, from: repository) == [content])
        // Two of the regions are the same, and holes are nothing.
        let verified = try await Verification(repository, depth: .deep).run { _ in }
        #expect(verified.chunks == 3 && verified.decoded == 3 && verified.damage == [])
    }

    @Test func onlyWhatChangedIsStored() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let first = try await disks.capture([disks.write("disk", TestDisks.content([1, 2, 3, 4]))], into: repository)
        let same = try await disks.capture([disks.write("disk", TestDisks.content([1, 2, 3, 4]))], into: repository)
        #expect(same.point.changed == 0 && same.point.stored == 0)
        let third = try await disks.capture([disks.write("disk", TestDisks.content([1, 9, 0, 4]))], into: repository)
        #expect(third.point.changed == UInt64(2 * TestDisks.regionSize))
        #expect(third.point.stored > 0 && third.point.stored < UInt64(TestDisks.regionSize))
        #expect(third.point.disks.map(\.tracking) == [.compare])
        // Another machine with the same content costs nothing.
        let other = try await disks.capture(
            [disks.write("disk", TestDisks.content([4, 4, 9]))], as: "web02", into: repository)
        #expect(other.point.stored == 0)
        #expect(try await disks.restored(first.point, from: repository) == [TestDisks.content([1, 2, 3, 4])])
        #expect(try await disks.restored(third.point, from: repository, "third") == [TestDisks.content([1, 9, 0, 4])])
        #expect(try await repository.points(of: "web01").map(\.id) == [first.point.id, same.point.id, third.point.id])
        #expect(try await repository.point(named: "web01").id == third.point.id)
        #expect(try await repository.point(named: "web01@\(first.point.id)").id == first.point.id)
    }

    @Test func disksMayGrowShrinkComeAndGo() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        var contents = [TestDisks.content([1, 2])]
        _ = try await disks.capture([disks.write("a", contents[0])], into: repository)
        contents = [TestDisks.content([1, 2, 3, 0, 5], tail: 1024), TestDisks.content([7])]
        let grown = try await disks.capture(
            [disks.write("a", contents[0]), disks.write("b", contents[1])], into: repository)
        #expect(try await disks.restored(grown.point, from: repository) == contents)
        let shrunk = try await disks.capture([disks.write("a", TestDisks.content([1]))], into: repository)
        #expect(try await disks.restored(shrunk.point, from: repository, "shrunk") == [TestDisks.content([1])])
    }

    @Test func otherFormatsAreReadAsTheirGuestsSeeThem() async throws {
        let disks = try TestDisks()
        let content = TestDisks.content([1, 0, 3])
        let raw = try await disks.write("disk", content)
        let path = disks.path("disk.qcow2")
        try HostTool("qemu-img").output(["convert", "-O", "qcow2", raw.path, path])
        let repository = try await repository()
        let outcome = try await disks.capture([try await .open(path)], into: repository)
        #expect(try await disks.restored(outcome.point, from: repository) == [content])
    }

    // MARK: Encryption

    @Test func anEncryptedStoreOpensWithItsKeyOnly() async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let content = TestDisks.content([1, 2, 0])
        let repository = try await repository(store, key: .passphrase(Array("secret".utf8)))
        let outcome = try await disks.capture([disks.write("disk", content)], into: repository)
        let again = try await Repository.open(store, key: .passphrase(Array("secret".utf8)))
        #expect(try await disks.restored(outcome.point, from: again) == [content])
        for key in [nil, Repository.Key.passphrase(Array("Secret".utf8)), .file(Array("secret".utf8))] {
            let error = await #expect(throws: StoreError.self) { try await Repository.open(store, key: key) }
            #expect(error?.kind == .key)
        }
        // No object shows what is in it, nor a hash of it.
        let plain = try await self.repository()
        let known = try await disks.capture([disks.write("disk", content)], into: plain)
        let hashes = Set(try await plain.manifest(of: known.point.disks[0]).chunks.map(\.object))
        #expect(hashes.isDisjoint(with: store.objects.keys))
        let piece = Array(content[..<64])
        #expect(!store.objects.values.contains { $0.firstRange(of: piece) != nil })
    }

    @Test(arguments: [false, true]) func aTamperedObjectIsAnErrorAndNeverData(isEncrypted: Bool) async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await repository(store, key: isEncrypted ? .file([UInt8](repeating: 7, count: 32)) : nil)
        let content = TestDisks.content([1, 2])
        let point = try await disks.capture([disks.write("disk", content)], into: repository).point
        let objects = store.objects.keys.filter { $0.hasPrefix("chunks/") || $0.hasPrefix("manifests/") }.sorted()
        #expect(objects.count == 3)
        for object in objects {
            let good = store.objects[object] ?? []
            for at in [0, 4, 5, 8, 41, good.count / 2, good.count - 1] {
                store.change(object) { $0[at] ^= 0x10 }
                await #expect(throws: StoreError.self, "\(object) at \(at)") {
                    _ = try await disks.restored(point, from: repository, UUID().uuidString)
                }
                store.change(object) { $0 = good }
            }
            store.change(object) { $0.removeLast() }
            await #expect(throws: StoreError.self) {
                _ = try await disks.restored(point, from: repository, UUID().uuidString)
            }
            store.change(object) { $0 = good }
        }
        // One chunk in another's place.
        let chunks = objects.filter { $0.hasPrefix("chunks/") }
        let other = store.objects[chunks[1]] ?? []
        store.change(chunks[0]) { $0 = other }
        await #expect(throws: StoreError.self) {
            _ = try await disks.restored(point, from: repository, UUID().uuidString)
        }
    }

    // MARK: Faults

    /// A power cut after each single write: no point that was committed suffers, and the next capture is good.
    @Test func everyStepMayBeTheLast() async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await repository(store)
        let old = TestDisks.content([1, 2, 3])
        let first = try await disks.capture([disks.write("disk", old)], into: repository).point
        let before = store.objects
        let new = TestDisks.content([1, 8, 9])
        let image = try await disks.write("disk", new)
        store.failAfter(1000)
        _ = try await disks.capture([image], into: repository)
        let steps = store.writes
        #expect(steps > 5)
        for step in 0..<steps {
            let store = MemoryStore()
            for (name, bytes) in before { _ = try await store.put(name, bytes, .replacing) }
            let repository = try await Repository.open(store)
            store.failAfter(step)
            let outcome = try? await disks.capture([image], into: repository)
            store.failAfter(nil)
            let points = try await repository.points(of: "web01")
            // The record is the last but for the lease, which is let go.
            #expect(points.count == (outcome == nil && step < steps - 1 ? 1 : 2), "step \(step)")
            #expect(points.first?.id == first.id)
            #expect(try await disks.restored(first, from: repository, "old\(step)") == [old])
            let again = try await disks.capture([image], into: repository).point
            #expect(try await disks.restored(again, from: repository, "new\(step)") == [new])
            #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [], "step \(step)")
        }
    }

    @Test func whatIsDamagedIsFoundNamedAndMended() async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await repository(store)
        let content = TestDisks.content([1, 2, 3])
        let image = try await disks.write("disk", content)
        let point = try await disks.capture([image], into: repository).point
        let chunks = store.objects.keys.filter { $0.hasPrefix("chunks/") }.sorted()
        try await store.remove(chunks[0])
        store.change(chunks[1]) { $0[100] ^= 1 }
        let quick = try await Verification(repository, depth: .quick).run { _ in }
        #expect(quick.damage.count == 1 && quick.damagedPoints == ["web01@\(point.id)"])
        let deep = try await Verification(repository, depth: .deep).run { _ in }
        #expect(deep.damage.count == 2 && deep.decoded == 1)
        #expect(try await repository.pointsWithDamage() == [point.id])
        // The next capture has the content still.
        let next = try await disks.capture([image], into: repository).point
        #expect(next.stored > 0)
        #expect(try await disks.restored(next, from: repository) == [content])
        #expect(try await disks.restored(point, from: repository, "old") == [content])
        #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [])
        #expect(try await repository.pointsWithDamage() == [])
    }

    @Test func aDiskThatIsWrittenToMeanwhileIsNoPoint() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let image = try await disks.write("disk", TestDisks.content([1, 2, 3]))
        let session = try await ImageFiles([image], connections: 1).begin(since: [:])
        try await session.checkStillness()
        try await disks.write("disk", TestDisks.content([1, 2, 4]))
        await #expect(throws: (any Error).self) { try await session.checkStillness() }
        try await session.end()
        #expect(try await repository.points().isEmpty)
    }

    @Test func anInterruptedRestoreGoesOn() async throws {
        let disks = try TestDisks()
        let store = MemoryStore()
        let repository = try await repository(store)
        let content = TestDisks.content([1, 2, 3, 0, 5])
        let point = try await disks.capture([disks.write("disk", content)], into: repository).point
        let path = disks.path("out")
        // Half of it, and something in a hole's place.
        var half = Array(content[..<(2 * TestDisks.regionSize)])
        half += [UInt8](repeating: 9, count: 2 * TestDisks.regionSize)
        try Data(half).write(to: URL(fileURLWithPath: path + ".part"))
        try await Restore(point, from: repository).run(to: [path]) { _ in }
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == content)
        #expect(!FileManager.default.fileExists(atPath: path + ".part"))
    }

    @Test(arguments: OutputFormat.writable)
    func everyFormatHoldsTheSame(format: OutputFormat) async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let content = TestDisks.content([1, 0, 3, 0, 5], tail: 1536)
        let point = try await disks.capture([disks.write("disk", content)], into: repository).point
        let path = disks.path("out.\(format.rawValue)")
        try await Restore(point, from: repository, workers: 2).run(to: [path], as: format) { _ in }
        let copy = disks.path("copy.raw")
        try HostTool("qemu-img").output(["convert", "-f", format.driver, "-O", "raw", path, copy])
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: copy)))
        #expect(Array(bytes.prefix(content.count)) == content)
        #expect(bytes.dropFirst(content.count).allSatisfy { $0 == 0 })
    }

    @Test func anInterruptedImageGoesOn() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let content = TestDisks.content([1, 2, 3, 0, 5])
        let point = try await disks.capture([disks.write("disk", content)], into: repository).point
        let path = disks.path("out.qcow2")
        // Something else where a region and a hole are to be.
        var half = Array(content[..<TestDisks.regionSize])
        half += [UInt8](repeating: 9, count: 4 * TestDisks.regionSize)
        let part = try await disks.write("half", half)
        try HostTool("qemu-img").output(["convert", "-O", "qcow2", part.path, path + ".part"])
        try await Restore(point, from: repository, workers: 2).run(to: [path], as: .qcow2) { _ in }
        let copy = disks.path("copy.raw")
        try HostTool("qemu-img").output(["convert", "-f", "qcow2", "-O", "raw", path, copy])
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: copy))) == content)
        #expect(!FileManager.default.fileExists(atPath: path + ".part"))
    }

    // MARK: Odd sources, odd stores

    @Test func aDiskInsideAnArchiveIsCaptured() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let content = TestDisks.content([1, 0, 3])
        let inner = try await disks.write("disk.raw", content)
        let path = disks.path("inner.qcow2")
        try HostTool("qemu-img").output(["convert", "-O", "qcow2", inner.path, path])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let archive = disks.path("archive")
        try (Data(count: 1024) + bytes).write(to: URL(fileURLWithPath: archive))
        let member = try await DiskImage.open(
            member: "disk", of: archive, offset: 1024, size: UInt64(bytes.count))
        let point = try await disks.capture([member], into: repository).point
        #expect(try await disks.restored(point, from: repository) == [content])
    }

    /// Changes the file after it was opened.
    private struct Changing: CaptureSource {
        let inner: ImageFiles
        let change: @Sendable () throws -> Void

        func begin(since tokens: [String: String]) async throws -> any CaptureSession {
            let session = try await inner.begin(since: tokens)
            try change()
            return session
        }
    }

    @Test func aFileThatIsWrittenToMeanwhileIsRefused() async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        _ = try await disks.write("real", TestDisks.content([1, 2]))
        let link = disks.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: disks.path("real"))
        let real = disks.path("real")
        let source = Changing(inner: ImageFiles([try await .open(link, format: "raw")], connections: 2)) {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: real))
            try handle.write(contentsOf: Data([9]))
            try handle.close()
        }
        await #expect(throws: DiskImage.Failure.self) {
            try await Capture(of: source, as: "web01", into: repository).run { _ in }
        }
        #expect(try await repository.points() == [])
    }

    @Test func aDiskThatQEMUWritesToIsRefused() async throws {
        let disks = try TestDisks()
        let image = try await disks.write("disk", TestDisks.content([1]))
        let writer = try await NBDExport(image, connections: 1, access: .writing)
        defer { writer.close() }
        let repository = try await repository()
        await #expect(throws: DiskImage.Failure.self) { try await disks.capture([image], into: repository) }
    }

    @Test func whatAPowerCutLeftOfAChunkIsStoredAnew() async throws {
        let disks = try TestDisks()
        let folder = disks.path("store")
        let repository = try await repository(FolderStore(folder))
        let content = TestDisks.content([1, 2])
        let first = try await disks.capture([disks.write("disk", content)], into: repository).point
        // As of a capture that never got to its point.
        try await repository.remove(first)
        let chunks = try await repository.store.list("chunks/")
        #expect(chunks.count == 2)
        let cut = URL(fileURLWithPath: "\(folder)/\(chunks[0].name)")
        try Data(contentsOf: cut).prefix(1000).write(to: cut)
        let point = try await disks.capture([disks.write("disk", content)], into: repository).point
        #expect(try await disks.restored(point, from: repository) == [content])
        #expect(point.stored == chunks[0].size)
    }

    @Test(arguments: [OutputFormat.raw, .qcow2])
    func twoRestoresIntoOneFileDoNotMix(format: OutputFormat) async throws {
        let disks = try TestDisks()
        let repository = try await repository()
        let point = try await disks.capture([disks.write("disk", TestDisks.content([1, 2]))], into: repository).point
        let path = disks.path("out")
        let other: any RestoreTarget =
            format == .raw
            ? try RawTarget(path + ".part", size: 512)
            : try await ImageTarget(path + ".part", size: 512, format: format, writers: 1)
        let refused = await #expect(throws: StoreError.self) {
            try await Restore(point, from: repository).run(to: [path], as: format) { _ in }
        }
        #expect(refused?.kind == .busy)
        withExtendedLifetime(other) {}
    }
}
