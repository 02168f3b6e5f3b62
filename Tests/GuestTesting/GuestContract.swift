public import Guest

/// What every conformer of `GuestEditor` and `GuestSectors` is checked with.
public struct ContractSample: Sendable {
    public enum Node: Equatable, Sendable {
        case file(String, permissions: UInt16)
        case folder
        case symlink(String)
    }

    /// Parents come before what is in them.
    public let nodes: [(path: GuestPath, node: Node)] = [
        ("/etc", .folder), ("/etc/hostname", .file("web01\n", permissions: 0o644)),
        ("/etc/shadow", .file("root:*:::::::\n", permissions: 0o640)),
        ("/etc/empty", .file("", permissions: 0o600)), ("/etc/os-release", .symlink("../usr/lib/os-release")),
        ("/usr", .folder), ("/usr/lib", .folder), ("/usr/lib/os-release", .file("ID=debian\n", permissions: 0o644)),
        ("/usr/bin", .folder), ("/usr/bin/tool", .file("#!/bin/sh\n", permissions: 0o4755)),
        ("/lib", .symlink("usr/lib")), ("/absolute", .symlink("/usr/lib")),
        ("/above", .symlink("../../../../etc/hostname")), ("/up", .symlink("usr/lib/../../../etc")),
        ("/loop-a", .symlink("loop-b")), ("/loop-b", .symlink("/loop-a")), ("/self", .symlink("self/x")),
        ("/dangling", .symlink("/etc/passwd-of-nobody")), ("/outside", .symlink("/proc/self/environ")),
        ("/a folder", .folder), ("/a folder/with some spaces", .file("spaces\n", permissions: 0o644)),
        ("/a folder/żółć-日本-ü", .file("letters\n", permissions: 0o644)),
        ("/a folder/'quoted' \"$HOME\" `id` \\ *", .file("quotes\n", permissions: 0o644)),
        ("/boot", .folder), ("/boot/initrd.img", .file(String(repeating: "i", count: 700), permissions: 0o600)),
        ("/many", .folder),
    ]

    /// Sectors with their own number in every byte.
    public static let sectorCount = 64

    public var disk: [UInt8] {
        (0..<Self.sectorCount).flatMap { [UInt8](repeating: UInt8($0), count: SectorEdit.sectorSize) }
    }

    public init() {}

    /// The sample as a guest in memory.
    public func memory() -> MemoryGuest {
        let guest = MemoryGuest()
        for (path, node) in nodes {
            switch node {
            case .file(let text, let permissions): guest.put(path, text, permissions: permissions)
            case .folder: guest.folder(path)
            case .symlink(let target): guest.link(path, to: target)
            }
        }
        guest.contents.disks = [disk]
        return guest
    }

    /// Lays the sample into an empty folder of this host.
    public func lay(into guest: DirectoryGuest) throws {
        let items = nodes.map { path, node in
            let change: Change =
                switch node {
                case .file(let text, let permissions): .write(path, Array(text.utf8), permissions: permissions)
                case .folder: .directory(path, permissions: 0o755)
                case .symlink(let target): .symlink(path, target: target)
                }
            return Plan.Item(injector: "sample", change: change, before: .nothing)
        }
        try guest.apply(Plan(items: items)) { _ in }
    }
}

/// - Parameters:
///   - disk: the place of the disk that holds ``ContractSample/disk``.
///   - make: a guest that holds the sample.
/// - Returns: what isn't as it should be; nothing, for a good conformer.
public func checkContract(
    disk: Int = 0, _ make: (ContractSample) throws -> any GuestEditor & GuestSectors
) throws -> [String] {
    let sample = ContractSample()
    let check = ContractCheck(guest: try make(sample), sample: sample, disk: disk)
    try check.reading()
    try check.symlinks()
    try check.applying()
    try check.sectors()
    return check.violations
}

private final class ContractCheck {
    let guest: any GuestEditor & GuestSectors
    let sample: ContractSample
    let disk: Int
    var violations: [String] = []

    init(guest: any GuestEditor & GuestSectors, sample: ContractSample, disk: Int) {
        self.guest = guest
        self.sample = sample
        self.disk = disk
    }

    func expect<Value: Equatable>(_ what: String, _ value: @autoclosure () throws -> Value, _ wanted: Value) {
        do {
            let found = try value()
            if found != wanted { violations.append("\(what): \(found), not \(wanted)") }
        } catch {
            violations.append("\(what): \(error)")
        }
    }

    func expectFailure(_ what: String, _ body: () throws -> Void) {
        do {
            try body()
            violations.append("\(what): no error")
        } catch {}
    }

    func reading() throws {
        for (path, node) in sample.nodes {
            switch node {
            case .file(let text, let permissions):
                let entry = try guest.entry(at: path)
                expect("kind of \(path)", entry?.kind, .file)
                expect("permissions of \(path)", entry?.permissions, permissions)
                expect("size of \(path)", entry?.size, UInt64(text.utf8.count))
                expect("content of \(path)", try guest.contents(ofFile: path), Array(text.utf8))
            case .folder:
                expect("kind of \(path)", try guest.entry(at: path)?.kind, .directory)
                expect("size of \(path)", try guest.entry(at: path)?.size, 0)
            case .symlink(let target):
                expect("kind of \(path)", try guest.entry(at: path)?.kind, .symlink(target: target))
                expect("size of \(path)", try guest.entry(at: path)?.size, 0)
            }
        }
        expect("the root", try guest.entry(at: .root)?.kind, .directory)
        expect("nothing", try guest.entry(at: "/etc/nothing"), nil)
        expect("below nothing", try guest.entry(at: "/nothing/at/all"), nil)
        expect("below a file", try guest.entry(at: "/etc/hostname/x"), nil)
        expect("names", try guest.names(inDirectory: "/etc").sorted(), ["empty", "hostname", "os-release", "shadow"])
        expect("names in an empty folder", try guest.names(inDirectory: "/many"), [])
        expect(
            "odd names", try guest.names(inDirectory: "/a folder").sorted(),
            ["'quoted' \"$HOME\" `id` \\ *", "with some spaces", "żółć-日本-ü"])
        let top = try guest.list(.root).filter { $0 != "lost+found" }
        expect("names in the root", top, sample.nodes.filter { $0.path.parent.isRoot }.map(\.path.name).sorted())
        expectFailure("content of nothing") { _ = try guest.contents(ofFile: "/etc/nothing") }
        expectFailure("content of a folder") { _ = try guest.contents(ofFile: "/etc") }
    }

    func symlinks() throws {
        let hostName = Array("web01\n".utf8)
        let release = Array("ID=debian\n".utf8)
        expect("relative", try guest.read("/etc/os-release"), release)
        expect("a linked folder", try guest.read("/lib/os-release"), release)
        expect("absolute", try guest.read("/absolute/os-release"), release)
        expect("above the root", try guest.read("/above"), hostName)
        expect("up and down", try guest.read("/up/hostname"), hostName)
        expect("a path's own dots", try guest.read("/../../etc/../../etc/hostname"), hostName)
        expect("the link itself", try guest.resolve("/lib", last: .keep), "/lib")
        expect("a link through a link", try guest.resolve("/lib/os-release"), "/usr/lib/os-release")
        expect("a list through a link", try guest.list("/lib"), ["os-release"])
        expect("dangling", try guest.resolve("/dangling"), "/etc/passwd-of-nobody")
        expect("dangling content", try guest.read("/dangling"), nil)
        // There is no /proc in the sample: what answers is this host's.
        expect("outside", try guest.read("/outside"), nil)
        for path: GuestPath in ["/loop-a", "/loop-b/x", "/self"] {
            expectFailure("a loop at \(path)") { _ = try guest.resolve(path) }
        }
    }

    func applying() throws {
        let owner = try guest.entry(at: "/etc/shadow").map { [$0.owner, $0.group] }
        let first = try plan()
        try guest.apply(first) { _ in }
        expect("replaced", try guest.read("/etc/shadow"), Array("root:!:::::::\n".utf8))
        expect("replaced, mode", try guest.entry(at: "/etc/shadow")?.permissions, 0o640)
        expect("replaced, owner", try guest.entry(at: "/etc/shadow").map { [$0.owner, $0.group] }, owner)
        expect("replaced by less", try guest.read("/etc/hostname"), Array("w\n".utf8))
        expect("a new mode", try guest.entry(at: "/etc/empty")?.permissions, 0o755)
        expect("through a link", try guest.read("/usr/lib/os-release"), Array("ID=ubuntu\n".utf8))
        expect(
            "the link stays", try guest.entry(at: "/etc/os-release")?.kind, .symlink(target: "../usr/lib/os-release"))
        expect("new, deep", try guest.read("/new/two words/ünter/file"), Array("deep".utf8))
        expect("new, mode", try guest.entry(at: "/new/two words/ünter/file")?.permissions, 0o600)
        expect("new folder", try guest.entry(at: "/new/two words")?.kind, .directory)
        expect("a symlink for a file", try guest.entry(at: "/usr/bin/tool")?.kind, .symlink(target: "/dev/null"))
        expect("a symlink for a symlink", try guest.entry(at: "/above")?.kind, .symlink(target: "etc/hostname"))
        expect("a file for a symlink", try guest.entry(at: "/dangling")?.kind, .file)
        expect("not where it led", try guest.entry(at: "/etc/passwd-of-nobody"), nil)
        expect("a folder for a file", try guest.entry(at: "/a folder/with some spaces")?.kind, .directory)
        expect("removed", try guest.entry(at: "/a folder/żółć-日本-ü"), nil)
        expect("removed link", try guest.entry(at: "/loop-a"), nil)
        let appended =
            [UInt8](repeating: UInt8(ascii: "i"), count: 700) + [UInt8](repeating: 0, count: 324) + [1, 2, 3]
        expect("appended", try guest.read("/boot/initrd.img"), appended)
        expect("appended, size", try guest.entry(at: "/boot/initrd.img")?.size, 1027)
        expect("appended, mode", try guest.entry(at: "/boot/initrd.img")?.permissions, 0o600)
        expect("many files", try guest.list("/many").count, 300)
        expect("a large file", try guest.entry(at: "/large")?.size, 3_000_000)
        let second = try plan()
        // An append has no way to know that it was made.
        expect("the second plan", second.items.map(\.change).filter { $0.kind != "append" }, [])
    }

    private func plan() throws -> Plan {
        var draft = Draft(over: guest, disks: guest)
        try draft.write("/etc/shadow", text: "root:!:::::::\n")
        try draft.write("/etc/hostname", text: "w\n")
        try draft.write("/etc/empty", [], permissions: 0o755)
        try draft.write("/etc/os-release", text: "ID=ubuntu\n")
        try draft.write("/new/two words/ünter/file", text: "deep", permissions: 0o600)
        try draft.symlink("/usr/bin/tool", to: "/dev/null")
        try draft.symlink("/above", to: "etc/hostname")
        if case .symlink = try draft.entry(at: "/dangling")?.kind { try draft.remove("/dangling") }
        try draft.write("/dangling", text: "here\n")
        let folder: GuestPath = "/a folder/with some spaces"
        if try draft.entry(at: folder)?.kind == .file { try draft.remove(folder) }
        try draft.makeDirectory(folder)
        try draft.remove("/a folder/żółć-日本-ü")
        try draft.remove("/loop-a")
        if try draft.entry(at: "/boot/initrd.img")?.size == 700 {
            try draft.append("/boot/initrd.img", [1, 2, 3], alignment: 512)
        }
        for index in 0..<300 { try draft.write("/many/\(index)", text: "\(index)") }
        try draft.write("/large", [UInt8](repeating: 7, count: 3_000_000))
        return try draft.plan()
    }

    func sectors() throws {
        let size = SectorEdit.sectorSize
        expect("a sector", try guest.sectors(disk: disk, first: 3, count: 1), [UInt8](repeating: 3, count: size))
        expect("no sectors", try guest.sectors(disk: disk, first: 3, count: 0), [])
        expectFailure("behind the disk") {
            _ = try guest.sectors(disk: disk, first: UInt64(ContractSample.sectorCount), count: 1)
        }
        expectFailure("half behind the disk") {
            _ = try guest.sectors(disk: disk, first: UInt64(ContractSample.sectorCount) - 1, count: 2)
        }
        expectFailure("another disk") { _ = try guest.sectors(disk: disk + 7, first: 0, count: 1) }
        var draft = Draft(over: guest, disks: guest)
        let bytes = [UInt8](repeating: 0xAA, count: 2 * size)
        try draft.write(sectors: SectorEdit(disk: disk, firstSector: 5, bytes: bytes, what: "two sectors"))
        try guest.apply(try draft.plan()) { _ in }
        expect("written sectors", try guest.sectors(disk: disk, first: 5, count: 2), bytes)
        expect("the one before", try guest.sectors(disk: disk, first: 4, count: 1), [UInt8](repeating: 4, count: size))
        expect("the one behind", try guest.sectors(disk: disk, first: 7, count: 1), [UInt8](repeating: 7, count: size))
        var again = Draft(over: guest, disks: guest)
        try again.write(sectors: SectorEdit(disk: disk, firstSector: 5, bytes: bytes, what: "two sectors"))
        expect("the second plan of sectors", try again.plan().items.map(\.change), [])
    }
}
