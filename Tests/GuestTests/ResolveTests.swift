import Guest
import GuestTesting
import Testing

struct ResolveTests {
    private let windows: MemoryGuest = {
        let guest = MemoryGuest(
            ["/Windows/System32/config/SYSTEM": "hive", "/Users/Anna/x.txt": "x"], caseSensitivity: .insensitive)
        guest.link("/Documents and Settings", to: "/users")
        return guest
    }()

    @Test(arguments: [
        "/Windows/System32/config/SYSTEM", "/windows/system32/config/system", "/WINDOWS/SYSTEM32/CONFIG/SYSTEM",
    ])
    func windowsComparesWithoutCase(path: GuestPath) throws {
        #expect(try windows.resolve(path) == "/Windows/System32/config/SYSTEM")
        #expect(try windows.text(path) == "hive")
    }

    @Test func linksAndNewNamesOnWindows() throws {
        #expect(try windows.text("/documents AND settings/anna/X.TXT") == "x")
        #expect(try windows.resolve("/windows/system32/Drivers/viostor.sys") == "/Windows/System32/Drivers/viostor.sys")
        #expect(try windows.list("/WINDOWS") == ["System32"])
    }

    @Test func anExactNameWinsOverAnotherCase() throws {
        let guest = MemoryGuest(["/a/File": "1", "/a/file": "2", "/a/FILE": "3"], caseSensitivity: .insensitive)
        #expect(try guest.text("/A/file") == "2")
        // Of several others, the same one every time.
        #expect(try guest.text("/a/fILE") == "3")
    }

    @Test func linuxComparesWithCase() throws {
        let guest = MemoryGuest(["/etc/Fstab": "x"])
        #expect(try guest.text("/etc/fstab") == nil)
        #expect(try guest.resolve("/ETC/Fstab") == "/ETC/Fstab")
    }

    @Test func aDraftOfAWindowsGuestFindsItsOwnNewFiles() throws {
        var draft = Draft(over: windows, disks: windows)
        try draft.write("/windows/SYSTEM32/drivers/VioStor.sys", text: "driver")
        #expect(try draft.text("/Windows/System32/Drivers/viostor.sys") == "driver")
        try draft.write("/WINDOWS/System32/DRIVERS/viostor.SYS", text: "newer")
        #expect(
            try draft.plan().items.map { $0.change.path } == [
                "/Windows/System32/drivers", "/Windows/System32/drivers/VioStor.sys",
            ])
    }

    @Test func fortyLinksAreFollowedAndNoMore() throws {
        let guest = MemoryGuest(["/end": "here"])
        for index in 0..<41 { guest.link("/l\(index)", to: index == 0 ? "end" : "l\(index - 1)") }
        #expect(try guest.text("/l39") == "here")
        #expect(throws: GuestPathError.self) { try guest.text("/l40") }
    }

    @Test func aBombOfLinksEnds() throws {
        let guest = MemoryGuest()
        for index in 0..<60 { guest.link("/b\(index)", to: "b\(index + 1)/b\(index + 1)/b\(index + 1)") }
        #expect(throws: GuestPathError.self) { try guest.resolve("/b0") }
    }

    @Test func oddTargets() throws {
        let guest = MemoryGuest(["/etc/x": "x"])
        guest.link("/empty", to: "")
        guest.link("/slashes", to: "////")
        guest.link("/dots", to: "././../etc/.//x")
        #expect(try guest.resolve("/empty") == .root)
        #expect(try guest.resolve("/slashes/etc/x") == "/etc/x")
        #expect(try guest.text("/dots") == "x")
    }

    @Test func specialFilesAreNeverReadOrReplaced() throws {
        var draft = Draft(over: SpecialGuest(), disks: MemoryGuest())
        #expect(try draft.read("/dev/sda") == nil)
        #expect(throws: GuestPathError.self) { try draft.write("/dev/sda", text: "x") }
    }

    private struct SpecialGuest: GuestFiles {
        func entry(at path: GuestPath) throws -> FileEntry? {
            FileEntry(kind: path == "/dev/sda" ? .special : .directory, permissions: 0o660)
        }
        func contents(ofFile path: GuestPath) throws -> [UInt8] {
            Issue.record("a special file was read")
            return []
        }
        func names(inDirectory path: GuestPath) throws -> [String] { [] }
    }
}

struct GuestTextTests {
    @Test func bytesSurvive() {
        for bytes: [UInt8] in [[], [0x61], [0xFF, 0x0A, 0xC3, 0xA9], Array("żółć\r\n".utf8), Array(0...255)] {
            #expect(GuestText.encode(GuestText.decode(bytes), like: bytes) == bytes)
        }
    }

    @Test func anEditKeepsTheEncoding() {
        let latin: [UInt8] = [0xE9, 0x0A]
        #expect(GuestText.encode("é\nü", like: latin) == [0xE9, 0x0A, 0xFC])
        #expect(GuestText.encode("é", like: nil) == [0xC3, 0xA9])
        // What Latin-1 can't hold makes the file UTF-8.
        #expect(GuestText.encode("日", like: latin) == Array("日".utf8))
    }
}
