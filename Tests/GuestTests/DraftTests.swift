import Guest
import GuestTesting
import Testing

struct DraftTests {
    private let guest: MemoryGuest = {
        let guest = MemoryGuest(["/etc/fstab": "old\n", "/etc/hosts": "127.0.0.1\n"])
        guest.put("/etc/secret", Array("s".utf8), permissions: 0o600)
        guest.put("/boot/initrd", [UInt8](repeating: 1, count: 100))
        guest.link("/etc/link", to: "hosts")
        guest.link("/etc/service", to: "/lib/service")
        guest.folder("/lib")
        guest.contents.disks = [[UInt8](repeating: 0, count: 8 * 512)]
        return guest
    }()

    private func plan(_ body: (inout Draft) throws -> Void) throws -> Plan {
        var draft = Draft(over: guest, disks: guest)
        draft.injector = "test"
        try body(&draft)
        return try draft.plan()
    }

    private func changes(_ body: (inout Draft) throws -> Void) throws -> [Change] {
        try plan(body).items.map(\.change)
    }

    // MARK: The net effect

    @Test func theSameBytesAreNoChange() throws {
        #expect(try changes { try $0.write("/etc/fstab", text: "old\n") } == [])
        #expect(try changes { try $0.write("/etc/link", text: "127.0.0.1\n") } == [])
        #expect(try changes { try $0.symlink("/etc/link", to: "hosts") } == [])
        #expect(try changes { try $0.makeDirectory("/etc") } == [])
        #expect(try changes { try $0.remove("/etc/nothing") } == [])
    }

    @Test func whatIsPutBackIsNoChange() throws {
        let changes = try changes { draft in
            try draft.write("/etc/fstab", text: "new\n")
            #expect(try draft.text("/etc/fstab") == "new\n")
            try draft.write("/etc/fstab", text: "old\n")
        }
        #expect(changes == [])
    }

    @Test func aNewFileThatIsRemovedIsNoChange() throws {
        let changes = try changes { draft in
            try draft.write("/etc/new", text: "x")
            try draft.remove("/etc/new")
            #expect(try !draft.exists("/etc/new"))
        }
        #expect(changes == [])
    }

    @Test func theLastWordCounts() throws {
        #expect(
            try changes {
                try $0.write("/etc/fstab", text: "new\n")
                try $0.remove("/etc/fstab")
            } == [.remove("/etc/fstab")])
        #expect(
            try changes {
                try $0.remove("/etc/hosts")
                try $0.write("/etc/hosts", text: "::1\n")
            } == [.write("/etc/hosts", Array("::1\n".utf8), permissions: 0o644)])
        #expect(
            try changes {
                try $0.symlink("/etc/service", to: "/dev/null")
                try $0.symlink("/etc/service", to: "/lib/service")
            } == [])
    }

    @Test func permissionsStayUnlessTheyAreGiven() throws {
        #expect(
            try changes { try $0.write("/etc/secret", text: "t") }
                == [.write("/etc/secret", Array("t".utf8), permissions: 0o600)])
        #expect(
            try changes { try $0.write("/etc/secret", text: "s", permissions: 0o640) }
                == [.write("/etc/secret", Array("s".utf8), permissions: 0o640)])
        #expect(
            try changes { try $0.write("/etc/new", text: "t") }
                == [.write("/etc/new", Array("t".utf8), permissions: 0o644)])
    }

    // MARK: Symlinks

    @Test func aWriteFollowsASymlinkAndARemovalDoesNot() throws {
        #expect(
            try changes { try $0.write("/etc/link", text: "x") }
                == [.write("/etc/hosts", Array("x".utf8), permissions: 0o644)])
        #expect(try changes { try $0.remove("/etc/link") } == [.remove("/etc/link")])
        #expect(
            try changes { try $0.symlink("/etc/link", to: "/dev/null") } == [.symlink("/etc/link", target: "/dev/null")]
        )
    }

    @Test func aDanglingSymlinkIsWrittenThrough() throws {
        #expect(
            try changes { try $0.write("/etc/service", text: "x") }
                == [.write("/lib/service", Array("x".utf8), permissions: 0o644)])
    }

    @Test func aSymlinkReplacesAFile() throws {
        let plan = try plan { draft in
            try draft.symlink("/etc/fstab", to: "/etc/hosts")
            #expect(try draft.text("/etc/fstab") == "127.0.0.1\n")
        }
        #expect(plan.items.map(\.change) == [.symlink("/etc/fstab", target: "/etc/hosts")])
        #expect(plan.items[0].before == .file(Array("old\n".utf8), permissions: 0o644))
    }

    @Test func plannedLinksLeadToPlannedFiles() throws {
        let changes = try changes { draft in
            try draft.symlink("/opt", to: "/srv/opt")
            try draft.write("/opt/a/b", text: "x")
            #expect(try draft.text("/srv/opt/a/b") == "x")
            #expect(try draft.list("/opt") == ["a"])
        }
        #expect(
            changes == [
                .symlink("/opt", target: "/srv/opt"), .directory("/srv", permissions: 0o755),
                .directory("/srv/opt", permissions: 0o755), .directory("/srv/opt/a", permissions: 0o755),
                .write("/srv/opt/a/b", Array("x".utf8), permissions: 0o644),
            ])
    }

    // MARK: Folders

    @Test func foldersAreMadeOnceAndBeforeWhatIsInThem() throws {
        let plan = try plan { draft in
            try draft.write("/new/deep/b", text: "b")
            try draft.write("/new/deep/a", text: "a")
            try draft.makeDirectory("/new/deep", permissions: 0o700)
            #expect(try draft.list("/new/deep") == ["a", "b"])
            #expect(try draft.list(.root) == ["boot", "etc", "lib", "new"])
        }
        #expect(plan.items.map(\.change.kind) == ["directory", "directory", "write", "write"])
        #expect(plan.items.map { $0.change.path } == ["/new", "/new/deep", "/new/deep/a", "/new/deep/b"])
    }

    @Test func whatIsInTheWayIsAnError() throws {
        var draft = Draft(over: guest, disks: guest)
        #expect(throws: GuestPathError.self) { try draft.write("/etc", text: "x") }
        #expect(throws: GuestPathError.self) { try draft.write("/etc/fstab/x", text: "x") }
        #expect(throws: GuestPathError.self) { try draft.symlink("/etc", to: "x") }
        #expect(throws: GuestPathError.self) { try draft.remove("/etc") }
        #expect(throws: GuestPathError.self) { try draft.makeDirectory("/etc/fstab") }
        #expect(throws: GuestPathError.self) { try draft.append("/etc/nothing", [1]) }
        #expect(throws: GuestPathError.self) { try draft.append("/etc", [1]) }
        #expect(try draft.plan() == Plan())
    }

    @Test func listsShowWhatIsPlanned() throws {
        var draft = Draft(over: guest, disks: guest)
        try draft.write("/etc/new", text: "")
        try draft.remove("/etc/fstab")
        try draft.symlink("/etc/z", to: "x")
        #expect(try draft.list("/etc") == ["hosts", "link", "new", "secret", "service", "z"])
    }

    // MARK: Appending

    @Test func anAppendKeepsTheFileAndFillsTheGap() throws {
        let plan = try plan { draft in
            try draft.append("/boot/initrd", [9, 9], alignment: 64)
            #expect(try draft.status("/boot/initrd")?.size == 130)
            let expected = [UInt8](repeating: 1, count: 100) + [UInt8](repeating: 0, count: 28) + [9, 9]
            #expect(try draft.read("/boot/initrd") == expected)
        }
        #expect(plan.items.map(\.change) == [.append("/boot/initrd", [9, 9], offset: 128)])
        #expect(plan.items[0].before == .fileOfLength(100))
    }

    @Test func anAppendBehindAWriteIsOneWrite() throws {
        let changes = try changes { draft in
            try draft.write("/etc/fstab", text: "abc")
            try draft.append("/etc/fstab", Array("d".utf8))
            try draft.append("/etc/fstab", Array("e".utf8), alignment: 8)
        }
        #expect(changes == [.write("/etc/fstab", Array("abcd\0\0\0\0e".utf8), permissions: 0o644)])
    }

    @Test func twoAppendsBothCount() throws {
        var draft = Draft(over: guest, disks: guest)
        try draft.append("/boot/initrd", [2], alignment: 128)
        try draft.append("/boot/initrd", [3], alignment: 128)
        let bytes = try draft.read("/boot/initrd") ?? []
        #expect(bytes.count == 257 && bytes[128] == 2 && bytes[256] == 3)
        try guest.apply(try draft.plan()) { _ in }
        #expect(try guest.read("/boot/initrd") == bytes)
    }

    @Test func aWriteBehindAnAppendIsTheWrite() throws {
        let changes = try changes { draft in
            try draft.append("/boot/initrd", [2])
            try draft.write("/boot/initrd", [7])
        }
        #expect(changes == [.write("/boot/initrd", [7], permissions: 0o644)])
    }

    // MARK: Sectors and commands

    private func edit(_ first: UInt64, _ values: [UInt8]) -> SectorEdit {
        SectorEdit(
            disk: 0, firstSector: first, bytes: values.flatMap { [UInt8](repeating: $0, count: 512) }, what: "test")
    }

    @Test func sectorsAreReadThroughThePlan() throws {
        let plan = try plan { draft in
            try draft.write(sectors: edit(2, [1, 2, 3]))
            try draft.write(sectors: edit(4, [9, 8]))
            let sectors = try draft.sectors(disk: 0, first: 1, count: 6)
            #expect(stride(from: 0, to: sectors.count, by: 512).map { sectors[$0] } == [0, 1, 2, 9, 8, 0])
            #expect(try draft.sectors(disk: 0, first: 3, count: 1) == [UInt8](repeating: 2, count: 512))
            // Already planned.
            try draft.write(sectors: edit(5, [8]))
        }
        #expect(plan.items.count == 2)
        let old = [UInt8](repeating: 3, count: 512) + [UInt8](repeating: 0, count: 512)
        #expect(plan.items[1].before == .sectors(old))
    }

    @Test func sectorsThatAreThereAreNoChange() throws {
        #expect(try changes { try $0.write(sectors: edit(0, [0, 0])) } == [])
    }

    @Test func sectorsBehindTheDiskAreAnError() throws {
        #expect(throws: (any Error).self) { try changes { try $0.write(sectors: edit(7, [1, 1])) } }
    }

    @Test func theOrderIsFilesThenCommandsThenSectors() throws {
        let command = GuestCommand(["/bin/true"], reason: "why not")
        let plan = try plan { draft in
            draft.injector = "first"
            try draft.write(sectors: edit(0, [1]))
            draft.run(command)
            draft.run(command)
            try draft.write("/z", text: "z")
            draft.injector = "second"
            try draft.write("/a", text: "a")
        }
        #expect(plan.items.map(\.change.kind) == ["write", "write", "command", "sectors"])
        #expect(plan.items.map(\.injector) == ["second", "first", "first", "first"])
    }

    @Test func equalDraftsMakeEqualPlans() throws {
        func make(_ order: [Int]) throws -> Plan {
            try plan { draft in for index in order { try draft.write("/d/\(index % 7)/\(index)", text: "\(index)") } }
        }
        var random = Seeded(1)
        let wanted = try make(Array(0..<60))
        #expect(try make(Array(0..<60).shuffled(using: &random)) == wanted)
    }

    @Test func anAppliedPlanIsEmptyTheSecondTime() throws {
        func draft() throws -> Plan {
            try plan { draft in
                try draft.write("/etc/link", text: "x")
                try draft.symlink("/etc/secret", to: "/dev/null")
                try draft.remove("/etc/service")
                try draft.write("/a/b/c", text: "c", permissions: 0o755)
                try draft.write(sectors: edit(3, [4]))
            }
        }
        try guest.apply(try draft()) { _ in }
        #expect(try draft() == Plan())
    }

    // MARK: Findings

    @Test func findingsAreSaidOnce() throws {
        let plan = try plan { draft in
            draft.note("a")
            draft.note("a")
            draft.warn("b; it stays", hint: "h")
            draft.injector = "other"
            draft.note("a")
            draft.block("c", hint: "d")
            draft.record("static-network", of: "eth0", in: "/etc/x", ["address": ["10.0.0.1"]])
            draft.record("static-network", of: "eth0", in: "/etc/x", ["address": ["10.0.0.1"]])
        }
        #expect(plan.findings.map(\.level) == [.note, .warning, .note, .blocker])
        #expect(plan.findings.map(\.injector) == ["test", "test", "other", "other"])
        #expect(plan.blockers.map(\.hint) == ["d"])
        #expect(plan.formerSettings.count == 1)
        #expect(plan.isEmpty)
        #expect(Finding.Level.note < .warning && Finding.Level.warning < .blocker)
    }
}
