import Archives
import GuestTesting
import Testing

struct CpioTests {
    static let cpio = HostTool("cpio")

    private let entries = [
        Cpio.Entry.directory("usr"), .directory("usr/lib"), .file("usr/lib/a", Array("abc".utf8)),
        .file("usr/lib/empty", []), .file("usr/lib/four", [1, 2, 3, 4]), .file("usr/lib/zażółć 日本", [0, 255]),
        Cpio.Entry(path: "usr/link", mode: 0o120777, bytes: Array("lib/a".utf8)),
    ]

    private func check(_ listed: [Cpio.Listed], in input: [UInt8]) {
        #expect(listed.map(\.path) == entries.map(\.path))
        #expect(listed.map(\.mode) == entries.map(\.mode))
        for (found, entry) in zip(listed, entries) { #expect(Array(input[found.content]) == entry.bytes) }
    }

    @Test func roundTrip() throws {
        let archive = Cpio.archive(entries)
        #expect(archive.count % 4 == 0)
        let (listed, end) = try Cpio.list(archive[...])
        check(listed, in: archive)
        #expect(end == archive.count)
        #expect(Cpio.archive(entries) == archive)
    }

    @Test func anArchiveInTheMiddle() throws {
        // Any place: padding counts from the archive's own start, as the kernel has it at a multiple of four.
        for before in 0..<5 {
            let input = [UInt8](repeating: 0, count: before) + Cpio.archive(entries) + Cpio.archive([])
            let (listed, end) = try Cpio.list(input[before...])
            check(listed, in: input)
            #expect(Cpio.hasMagic(input[end...]))
            #expect(try Cpio.list(input[end...]).entries.isEmpty)
        }
    }

    @Test(.enabled(if: cpio.isInstalled, "cpio is not installed")) func cpioReadsIt() throws {
        let archive = Cpio.archive(entries)
        let names = try Self.cpio.output(["-t", "--quiet"], input: archive)
        #expect(String(decoding: names, as: UTF8.self).split(separator: "\n").map(String.init) == entries.map(\.path))
        let scratch = try ScratchFolder()
        try Self.cpio.output(["-i", "--quiet", "--no-absolute-filenames"], input: archive, in: scratch.path)
        #expect(try scratch.read("usr/lib/four") == [1, 2, 3, 4])
        #expect(try scratch.read("usr/link") == Array("abc".utf8))
    }

    @Test(.enabled(if: cpio.isInstalled, "cpio is not installed"), arguments: ["newc", "crc"])
    func whatCpioWritesIsRead(format: String) throws {
        let scratch = try ScratchFolder()
        try scratch.write("a", Array("abc".utf8))
        try scratch.write("b b", [UInt8](repeating: 7, count: 5001))
        let archive = try Self.cpio.output(
            ["-o", "--quiet", "-H", format], input: Array("./a\nb b\n".utf8), in: scratch.path)
        let (listed, end) = try Cpio.list(archive[...])
        #expect(listed.map(\.path) == ["a", "b b"])
        #expect(Array(archive[listed[1].content]) == [UInt8](repeating: 7, count: 5001))
        // cpio fills its last block of 512 bytes with zeros.
        #expect(archive[end...].allSatisfy { $0 == 0 })
    }

    // MARK: Hostile archives

    private func header(size: String = "00000000", nameSize: String = "00000002", name: [UInt8] = [0x61, 0]) -> [UInt8]
    {
        let zero = "00000000"
        let fields = [zero, "000081a4", zero, zero, "00000001", zero, size, zero, zero, zero, zero, nameSize, zero]
        return Array("070701\(fields.joined())".utf8) + name
    }

    @Test func hostileHeadersAreErrors() {
        let hostile: [[UInt8]] = [
            [], Array("070701".utf8), Array(header().dropLast()), header(size: "ffffffff"), header(size: "0000000g"),
            header(nameSize: "00000000"), header(nameSize: "ffffffff"), header(nameSize: "00001001"),
            // No trailer.
            header() + [0, 0], Array(Cpio.archive(entries).dropLast(200)), Array("070707".utf8) + header().dropFirst(6),
            Array("070701".utf8) + [UInt8](repeating: 0xFF, count: 300),
        ]
        for (index, bytes) in hostile.enumerated() {
            #expect(throws: Cpio.Failure.self, "case \(index)") { try Cpio.list(bytes[...]) }
        }
    }

    @Test func namesAreTakenRelative() throws {
        let names = ["/etc/passwd", "./a", "././//b", ".", "../../up"]
        let archive = Cpio.archive(names.map { .file($0, []) })
        #expect(try Cpio.list(archive[...]).entries.map(\.path) == ["etc/passwd", "a", "b", ".", "../../up"])
    }

    @Test func noiseDoesNoHarm() {
        let archive = Cpio.archive(entries)
        var random = Seeded(5)
        for _ in 0..<200 {
            var broken = archive
            for _ in 0..<4 {
                broken[.random(in: 0..<archive.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? Cpio.list(broken[...])
        }
    }
}
