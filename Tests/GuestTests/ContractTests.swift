import Guest
import GuestTesting
import Testing

struct ContractTests {
    @Test func memory() throws {
        #expect(try checkContract { $0.memory() } == [])
    }

    @Test func directory() throws {
        let scratch = try ScratchFolder()
        let guest = DirectoryGuest(root: scratch.path, diskFiles: [scratch.file("disk")])
        let folder = try ScratchFolder()
        try folder.write("disk", ContractSample().disk)
        let violations = try checkContract { sample in
            let guest = DirectoryGuest(root: scratch.path, diskFiles: [folder.file("disk")])
            try sample.lay(into: guest)
            return guest
        }
        #expect(violations == [])
        #expect(try guest.names(inDirectory: .root).contains("proc") == false)
    }

    @Test func aFolderGuestRefusesAPathThroughASymlink() throws {
        let scratch = try ScratchFolder()
        let guest = DirectoryGuest(root: scratch.path)
        try ContractSample().lay(into: guest)
        #expect(throws: GuestPathError.self) { try guest.entry(at: "/lib/os-release") }
        #expect(throws: GuestPathError.self) { try guest.contents(ofFile: "/above") }
        let item = Plan.Item(
            injector: "test", change: .write("/lib/new", [1], permissions: 0o644), before: .nothing)
        #expect(throws: GuestPathError.self) { try guest.apply(Plan(items: [item])) { _ in } }
        #expect(try guest.names(inDirectory: "/usr/lib") == ["os-release"])
    }
}
