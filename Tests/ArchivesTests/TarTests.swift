import Archives
import Guest
import GuestTesting
import Testing

struct TarTests {
    static let tar = HostTool("tar")

    private let entries = [
        Tar.Entry(path: "etc", kind: .directory, permissions: 0o755),
        Tar.Entry(path: "etc/shadow", kind: .file(Array("root\n".utf8)), permissions: 0o640, owner: 1, group: 42),
        Tar.Entry(
            path: "etc/labelled", kind: .file([0, 1, 255]), permissions: 0o4755,
            attributes: ["user.plain": Array("x".utf8), "security.selinux": Array("system_u:object_r:etc_t:s0\0".utf8)]),
        Tar.Entry(path: "etc/empty", kind: .file([]), permissions: 0o600),
        Tar.Entry(path: "etc/link", kind: .symlink(target: "../usr/lib/os release"), permissions: 0o777),
        Tar.Entry(
            path: "etc/" + String(repeating: "long/", count: 50) + "name", kind: .file([7]), permissions: 0o644,
            owner: 3_000_000, group: 3_000_000),
    ]

    /// Names in three scripts: tar keeps them as bytes, pax headers as UTF-8.
    private let letters = [
        Tar.Entry(path: "zażółć", kind: .directory, permissions: 0o755),
        Tar.Entry(path: "zażółć/日本 ü", kind: .file([1]), permissions: 0o644),
        Tar.Entry(path: "zażółć/link", kind: .symlink(target: "日本 ü"), permissions: 0o777),
        Tar.Entry(path: "zażółć/" + String(repeating: "ü", count: 120), kind: .file([2]), permissions: 0o644),
    ]

    @Test func roundTrip() throws {
        #expect(try Tar.read(Tar.write(entries), limit: 1000) == entries)
        #expect(try Tar.read(Tar.write([]), limit: 0) == [])
    }

    @Test func roundTripOfLetters() throws {
        #expect(try Tar.read(Tar.write(letters), limit: 1000) == letters)
    }

    @Test func largeFiles() throws {
        let large = Tar.Entry(path: "large", kind: .file([UInt8](repeating: 3, count: 5 << 20)), permissions: 0o644)
        let archive = try Tar.write([large, entries[1]])
        #expect(try Tar.read(archive, limit: 6 << 20) == [large, entries[1]])
        #expect(throws: Tar.Failure.self) { try Tar.read(archive, limit: 5 << 20) }
    }

    @Test func manyFiles() throws {
        let many = (0..<2000).map {
            Tar.Entry(path: "many/\($0)", kind: .file(Array("\($0)".utf8)), permissions: 0o644)
        }
        #expect(try Tar.read(Tar.write(many), limit: 1 << 20) == many)
    }

    @Test func manyAttributes() throws {
        let attributes = Dictionary(
            uniqueKeysWithValues: (0..<40).map { ("user.a\($0)", [UInt8](repeating: UInt8($0), count: 200)) })
        let entry = Tar.Entry(path: "x", kind: .file([1]), permissions: 0o644, attributes: attributes)
        #expect(try Tar.read(Tar.write([entry]), limit: 10) == [entry])
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed")) func tarReadsIt() throws {
        let list = try Self.tar.output(
            ["-tv", "--numeric-owner", "--warning=no-unknown-keyword"], input: Tar.write(entries))
        let lines = String(decoding: list, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(lines.count == entries.count)
        #expect(lines[1].hasPrefix("-rw-r----- 1/42 "))
        #expect(lines[2].hasPrefix("-rwsr-xr-x 0/0 "))
        #expect(lines[4].hasSuffix("etc/link -> ../usr/lib/os release"))
        #expect(lines[5].contains("3000000/3000000"))
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed")) func tarReadsLetters() throws {
        let list = try Self.tar.output(["-t", "--quoting-style=literal"], input: Tar.write(letters))
        let names = String(decoding: list, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(names == [letters[0].path + "/"] + letters[1...].map(\.path))
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed"), arguments: ["gnu", "pax", "ustar"])
    func whatTarWritesIsRead(format: String) throws {
        let scratch = try ScratchFolder()
        let source = DirectoryGuest(root: scratch.path)
        let sample = ContractSample()
        try sample.lay(into: source)
        // As libguestfs's tar-out calls it.
        let archive = try Self.tar.output(["-c", "--format=\(format)", "--numeric-owner", "-C", scratch.path, "."])
        let found = try Tar.read(archive, limit: 1 << 20)
        #expect(found.contains { $0.path == "" && $0.kind == .directory })
        for (path, node) in sample.nodes {
            let entry = found.first { "/" + $0.path == path.description }
            switch node {
            case .file(let text, let permissions):
                #expect(entry?.kind == .file(Array(text.utf8)), "\(path)")
                #expect(entry?.permissions == permissions, "\(path)")
            case .folder: #expect(entry?.kind == .directory, "\(path)")
            case .symlink(let target): #expect(entry?.kind == .symlink(target: target), "\(path)")
            }
        }
        #expect(found.count == sample.nodes.count + 1)
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed")) func hardLinksAndSpecialFiles() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a", Array("abc".utf8))
        try HostTool("ln").output(["a", "b"], in: scratch.path)
        try HostTool("mkfifo").output(["fifo"], in: scratch.path)
        let archive = try Self.tar.output(["-c", "-C", scratch.path, "a", "b", "fifo"])
        let found = try Tar.read(archive, limit: 2 << 20)
        #expect(found.map(\.kind) == [.file(Array("abc".utf8)), .hardLink(target: "a"), .special])
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed")) func sparseFiles() throws {
        let scratch = try ScratchFolder()
        try scratch.write("sparse", Array("abc".utf8))
        try HostTool("truncate").output(["-s", "1M", "sparse"], in: scratch.path)
        let archive = try Self.tar.output(["-c", "-S", "-C", scratch.path, "sparse"])
        guard archive.count < 1 << 20 else { return }
        let found = try Tar.read(archive, limit: 2 << 20)
        #expect(found.map(\.kind) == [.file(Array("abc".utf8) + [UInt8](repeating: 0, count: (1 << 20) - 3))])
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed")) func aFileOfNothingButAHole() throws {
        let scratch = try ScratchFolder()
        try HostTool("truncate").output(["-s", "1M", "hole"], in: scratch.path)
        let archive = try Self.tar.output(["-c", "-S", "-C", scratch.path, "hole"])
        let found = try Tar.read(archive, limit: 2 << 20)
        #expect(found.map(\.kind) == [.file([UInt8](repeating: 0, count: 1 << 20))])
    }

    @Test(.enabled(if: tar.isInstalled, "tar is not installed")) func attributesByTar() throws {
        let scratch = try ScratchFolder()
        try scratch.write("a", [1])
        let setfattr = HostTool("setfattr")
        guard setfattr.isInstalled,
            try setfattr.run(["-n", "user.rehost", "-v", "value", scratch.file("a")]).status == 0
        else { return }
        let archive = try Self.tar.output(["-c", "--xattrs", "--format=pax", "-C", scratch.path, "a"])
        #expect(try Tar.read(archive, limit: 10).first?.attributes["user.rehost"] == Array("value".utf8))
    }

    @Test func hostileArchivesAreErrors() throws {
        let archive = try Tar.write(entries)
        #expect(throws: Tar.Failure.self) { try Tar.read(Array("no archive at all".utf8), limit: 100) }
        #expect(throws: Tar.Failure.self) { try Tar.read(Array(archive[..<700]), limit: 1000) }
        #expect(throws: Tar.Failure.self) { try Tar.read(archive, limit: 3) }
        var random = Seeded(9)
        for _ in 0..<100 {
            var broken = archive
            for _ in 0..<4 {
                broken[.random(in: 0..<archive.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? Tar.read(broken, limit: 1 << 20)
        }
    }

    @Test func whatCannotBeWrittenIsAnError() {
        for kind in [Tar.Kind.special, .hardLink(target: "x")] {
            #expect(throws: Tar.Failure.self) { try Tar.write([Tar.Entry(path: "x", kind: kind, permissions: 0o644)]) }
        }
    }
}
