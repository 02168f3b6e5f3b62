import Disks
import Foundation
import GuestTesting
import Replicator
import Testing

@testable import Projects

struct CatalogueTests {
    private func capture(_ scratch: ScratchFolder, _ repository: Repository, _ machine: String) async throws
        -> RecoveryPoint
    {
        let path = scratch.file("disk")
        try Data((0..<200_000).map { UInt8(truncatingIfNeeded: $0) }).write(to: URL(fileURLWithPath: path))
        let source = ImageFiles([try await DiskImage.open(path, format: "raw")], connections: 2)
        return try await Capture(of: source, as: machine, into: repository).run { _ in }.point
    }

    @Test func aListIsTheStoresWhateverTheCatalogueKnew() async throws {
        let scratch = try ScratchFolder()
        let folder = scratch.file("store")
        let repository = try await Repository.openOrMake(FolderStore(folder), regionSize: 64 << 10)
        let catalogue = try Catalogue(scratch.file("state/catalogue.sqlite"))
        let first = try await capture(scratch, repository, "web01")
        let other = try await capture(scratch, repository, "db01")
        #expect(try await catalogue.points(in: repository, at: folder).map(\.point.id) == [first.id, other.id])

        // Known records aren't read again: this one can't be any more.
        let record = "\(folder)/\(first.object)"
        let bytes = try Data(contentsOf: URL(fileURLWithPath: record))
        try Data("?".utf8).write(to: URL(fileURLWithPath: record))
        #expect(try await catalogue.points(in: repository, at: folder, machine: "web01").map(\.point.id) == [first.id])
        try await catalogue.forget(repository)
        await #expect(throws: StoreError.self) { try await catalogue.points(in: repository, at: folder) }
        try bytes.write(to: URL(fileURLWithPath: record))

        _ = try await Verification(repository, depth: .deep).run { _ in }
        let rebuilt = try await catalogue.points(in: repository, at: folder)
        #expect(rebuilt.map(\.point.id) == [first.id, other.id])
        #expect(rebuilt.allSatisfy { $0.history.verified?.isGood == true })

        try await repository.remove(first)
        #expect(try await catalogue.points(in: repository, at: folder).map(\.point.id) == [other.id])
        // The store out of reach.
        try FileManager.default.removeItem(atPath: folder)
        let seen = try await Catalogue(scratch.file("state/catalogue.sqlite")).all()
        #expect(seen.map(\.location) == [folder] && seen[0].entries.map(\.point.id) == [other.id])
    }

    @Test func aBrokenCatalogueIsNamedAndCanBeMadeAnew() throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("catalogue.sqlite")
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: path))
        let failure = #expect(throws: Catalogue.Failure.self) { try Catalogue(path) }
        #expect(failure?.description.contains(path) == true)
        try Catalogue.removeIfBroken(path)
        _ = try Catalogue(path)
        // A good one stays.
        try Catalogue.removeIfBroken(path)
        #expect(FileManager.default.fileExists(atPath: path))
    }
}

struct RateTests {
    @Test func timeLeftIsTold() {
        #expect(Rate.text(0, 100, 0, 5) == nil)
        #expect(Rate.text(50 << 20, 100 << 20, 50 << 20, 5) == "10 MiB/s, 5 s left")
        #expect(Rate.text(1 << 20, 100 << 20, 1 << 20, 5) == "0.2 MiB/s, 8 min 15 s left")
        #expect(Rate.text(1, 1 << 20, 1, 2)?.hasSuffix("h 32 min left") == true)
        #expect(Rate.text(100 << 20, 100 << 20, 20 << 20, 2) == "10 MiB/s")
    }
}
