import Foundation
import GuestTesting
import Testing

@testable import Disks

struct DiskArchiveTests {
    private let scratch: ScratchFolder
    private static let tar = HostTool("tar")

    init() throws { scratch = try ScratchFolder() }

    private func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = Seeded(seed)
        return (0..<count / 8).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    }

    /// A sparse disk with something at its start, in the middle and at its end.
    private func sparseDisk(_ path: String, size: UInt64) throws {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.truncate(atOffset: size)
        for (index, offset) in [0, size / 2, size - 65536].enumerated() {
            try file.seek(toOffset: offset)
            try file.write(contentsOf: Data(bytes(65536, seed: UInt64(index))))
        }
        try file.close()
    }

    @Test func aCloudsArchiveOfASparseDisk() async throws {
        // A colon is no other host's, a space no end.
        let folder = scratch.file("a: b")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try sparseDisk(folder + "/disk.raw", size: 4 << 30)
        let path = scratch.file("host:web 01.tar.gz")
        try await DiskArchive.writeGCP(folder: folder, size: 4 << 30, to: path) { _ in }

        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        #expect(try #require(size) < 1 << 20, "holes are no zeros to compress")
        let listed = String(
            decoding: try Self.tar.output(["--force-local", "-tvzf", path]), as: UTF8.self)
        let fields = listed.split(separator: " ")
        #expect(listed.split(separator: "\n").count == 1)
        #expect(fields.first == "-rw-r--r--" && fields[1] == "0/0" && fields[2] == "\(4 << 30)")
        #expect(listed.hasSuffix(" disk.raw\n"))
        // GNU's old format: its magic, and the type of a sparse file.
        let header = try HostTool("gzip").output(["-dc", path]).prefix(512)
        #expect(Array(header[257..<265]) == Array("ustar  ".utf8) + [0] && header[156] == UInt8(ascii: "S"))

        try FileManager.default.createDirectory(atPath: scratch.file("out"), withIntermediateDirectories: true)
        try Self.tar.output(["--force-local", "-xzSf", path, "-C", scratch.file("out")])
        #expect(try HostTool("cmp").run([folder + "/disk.raw", scratch.file("out/disk.raw")]).status == 0)
    }

    @Test func progressGoesUp() async throws {
        try scratch.write("disk.raw", bytes(150 << 20, seed: 9))
        let parts = Parts()
        try await DiskArchive.writeGCP(folder: scratch.path, size: 150 << 20, to: scratch.file("a.tar.gz")) {
            parts.append($0)
        }
        #expect(parts.all.count == 2 && parts.all == parts.all.sorted() && parts.all.allSatisfy { $0 <= 1 })
    }

    @Test func anOVAHasItsFilesInOrder() async throws {
        let names = ["-b ü.ovf", "z.mf", "a.vmdk"]
        for name in names { try scratch.write(name, Array(name.utf8)) }
        try await DiskArchive.writeOVA(folder: scratch.path, files: names, to: scratch.file("x:y.ova"))
        let archive = try scratch.read("x:y.ova")
        #expect(Array(archive[257..<265]) == Array("ustar".utf8) + [0] + Array("00".utf8))
        let listed = try Self.tar.output(["--force-local", "-tf", scratch.file("x:y.ova"), "--quoting-style=literal"])
        #expect(String(decoding: listed, as: UTF8.self).split(separator: "\n").map(String.init) == names)
    }

    @Test func aDiskTooLargeForUstarGetsAHeaderOfItsOwn() async throws {
        try scratch.write("a.ovf", [1])
        _ = FileManager.default.createFile(atPath: scratch.file("a.vmdk"), contents: nil)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch.file("a.vmdk")))
        // One more than what fits; nothing of it is on this host's disk but the archive's zeros would be, so only the
        // choice is looked at.
        try file.truncate(atOffset: DiskArchive.largestUstar)
        #expect(try DiskArchive.format(for: [scratch.file("a.ovf"), scratch.file("a.vmdk")]) == ["--format=ustar"])
        try file.truncate(atOffset: DiskArchive.largestUstar + 1)
        #expect(try DiskArchive.format(for: [scratch.file("a.vmdk")]).first == "--format=posix")
        try file.close()
    }

    @Test func digests() throws {
        try scratch.write("-a\nb", Array("abc".utf8))
        #expect(
            try FileDigest.hex(of: scratch.file("-a\nb"), offset: 0, size: nil, algorithm: "SHA256") { _ in }
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}

/// Told from other threads.
private final class Parts: @unchecked Sendable {
    private let lock = NSLock()
    private var list: [Double] = []

    func append(_ part: Double) { lock.withLock { list.append(part) } }

    var all: [Double] { lock.withLock { list } }
}
