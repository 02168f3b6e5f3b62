import Archives
import GuestTesting
import Testing

/// Archives and compressed data with something wrong: an error, or fewer entries; never a trap, never much time.
struct MutationTests {
    private static let entries: [Cpio.Entry] = [
        .directory("usr"), .file("usr/init", Array("#!/bin/sh\n".utf8)), .file("usr/lib/libc.so.6", [1, 2, 3, 4]),
        Cpio.Entry(path: "usr/link", mode: 0o120777, bytes: Array("init".utf8)),
    ]

    @Test func cpio() {
        let archive = Cpio.archive(Self.entries)
        let violations = Mutation.run(
            "cpio", corpus: [archive, Cpio.archive([]), archive + [0, 0, 0, 0] + archive],
            tokens: ["070701", "070702", "TRAILER!!!", "FFFFFFFF", "7FFFFFFF", "0000006E"], rounds: 300
        ) { input in
            let (listed, end) = try Cpio.list(input[...])
            // What it says is inside the input, and may be read.
            for entry in listed { _ = input[entry.content] }
            _ = input[end...]
        }
        #expect(violations == [])
    }

    @Test func tar() throws {
        let archive = try Tar.write([
            Tar.Entry(path: "etc", kind: .directory, permissions: 0o755),
            Tar.Entry(
                path: "etc/shadow", kind: .file(Array("root\n".utf8)), permissions: 0o640, owner: 1, group: 42,
                attributes: ["security.selinux": Array("system_u:object_r:etc_t:s0\0".utf8)]),
            Tar.Entry(path: "etc/link", kind: .symlink(target: "../usr/lib/os-release"), permissions: 0o777),
            Tar.Entry(path: "etc/" + String(repeating: "long/", count: 50), kind: .file([7]), permissions: 0o644),
        ])
        let violations = Mutation.run(
            "tar", corpus: [archive], tokens: ["ustar", "LIBARCHIVE.xattr.", "77777777777", "\u{80}"]
        ) {
            _ = try Tar.read($0, limit: 1 << 20)
        }
        #expect(violations == [])
    }

    @Test(arguments: CompressionTests.makers) func compressed(_ maker: CompressionTests.Maker) throws {
        let samples = [Cpio.archive(Self.entries), [], [UInt8](repeating: 0, count: 100_000)]
        let corpus = try samples.map { try maker.make($0) }
        let name = maker.compression.rawValue
        let violations = Mutation.run(name, corpus: corpus) { input in
            guard let compression = Compression(magicOf: input[...]) else { return }
            let limit = 1 << 22
            let decoded = try compression.decode(input[...], limit: limit)
            #expect(decoded.bytes.count <= limit)
            #expect(decoded.consumed <= input.count)
        }
        #expect(violations == [])
    }
}
