import Archives
import GuestTesting
import Testing

struct CompressionTests {
    /// A compression, and the program of this host that makes such data.
    struct Maker: Sendable, CustomTestStringConvertible {
        var compression: Compression
        var tool: HostTool
        var arguments: [String]
        var testDescription: String { "\(tool) \(arguments.joined(separator: " "))" }

        func make(_ bytes: [UInt8]) throws -> [UInt8] { try tool.output(arguments, input: bytes) }
    }

    /// As mkinitramfs and dracut call them. What isn't installed is left out; a skipped test names it.
    private static let all = [
        Maker(compression: .gzip, tool: HostTool("gzip"), arguments: ["-n", "-9", "-c"]),
        Maker(compression: .bzip2, tool: HostTool("bzip2"), arguments: ["-9", "-c"]),
        Maker(compression: .xz, tool: HostTool("xz"), arguments: ["--check=crc32", "--lzma2=dict=1MiB", "-c"]),
        Maker(compression: .lzma, tool: HostTool("xz"), arguments: ["--format=lzma", "-6", "-c"]),
        Maker(compression: .lz4, tool: HostTool("lz4"), arguments: ["-l", "-9", "-c"]),
        Maker(compression: .zstd, tool: HostTool("zstd"), arguments: ["-q", "-3", "-c"]),
    ]
    static let makers = all.filter(\.tool.isInstalled)
    static let missing = all.filter { !$0.tool.isInstalled }

    @Test(.enabled(if: missing.isEmpty, "some are compared with nothing: \(missing.map(\.tool.name)) not installed"))
    func everyCompressionIsComparedWithATool() {
        #expect(Set(Self.makers.map(\.compression)) == Set(Compression.allCases))
    }

    /// Half of it repeats itself, half doesn't; more than a decoder's buffer of 1 MiB.
    static let content: [UInt8] = {
        var random = Seeded(3)
        let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
        let text = Array(String(repeating: "kernel/drivers/block/virtio_blk.ko\n", count: 117).utf8)
        return (0..<150).flatMap { $0 % 2 == 0 ? noise : text }
    }()

    @Test(arguments: makers) func decodes(_ maker: Maker) throws {
        for bytes in [Self.content, Array("x".utf8), []] {
            let packed = try maker.make(bytes)
            // lz4 -l writes no block for nothing: there is only the magic number.
            #expect(Compression(magicOf: packed[...]) == maker.compression)
            let decoded = try maker.compression.decode(packed[...], limit: Self.content.count)
            #expect(decoded.bytes == bytes)
            #expect(decoded.consumed == packed.count)
        }
    }

    @Test(arguments: makers) func whatFollowsIsLeftAlone(_ maker: Maker) throws {
        let packed = try maker.make(Array("content".utf8))
        let followers: [[UInt8]] = [
            [0, 0, 0, 0], [UInt8](repeating: 0, count: 512), Array("070701".utf8), [0xFF, 0xFF, 0xFF, 0xFF, 1, 2],
        ]
        for follower in followers {
            // In the middle of an array, as a segment of an initramfs is.
            let input = [9, 9, 9] + packed + follower
            let decoded = try maker.compression.decode(input[3...], limit: 1 << 20)
            #expect(decoded.bytes == Array("content".utf8))
            #expect(decoded.consumed == packed.count)
        }
    }

    @Test(arguments: makers) func aLimitIsKept(_ maker: Maker) throws {
        let packed = try maker.make(Self.content)
        #expect(throws: Compression.Failure.self) {
            try maker.compression.decode(packed[...], limit: Self.content.count - 1)
        }
        #expect(throws: Compression.Failure.self) { try maker.compression.decode(packed[...], limit: 0) }
    }

    @Test(arguments: makers) func aBombIsRefused(_ maker: Maker) throws {
        let packed = try maker.make([UInt8](repeating: 0, count: 4 << 20))
        #expect(throws: Compression.Failure.self) { try maker.compression.decode(packed[...], limit: 1 << 20) }
    }

    @Test(arguments: makers) func whatIsCutShortIsAnError(_ maker: Maker) throws {
        let packed = try maker.make(Array(Self.content.prefix(100_000)))
        for length in [5, packed.count / 2, packed.count - 1] {
            #expect(throws: Compression.Failure.self, "\(length) of \(packed.count) bytes") {
                try maker.compression.decode(packed[..<length], limit: 1 << 20)
            }
        }
    }

    @Test(arguments: makers) func damageDoesNoHarm(_ maker: Maker) throws {
        let packed = try maker.make(Array(Self.content.prefix(5000)))
        var random = Seeded(11)
        for _ in 0..<60 {
            var broken = packed
            for _ in 0..<3 {
                broken[.random(in: 0..<packed.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? maker.compression.decode(broken[...], limit: 1 << 20)
        }
    }

    @Test(arguments: Compression.allCases) func nothingIsAnError(_ compression: Compression) throws {
        guard compression != .lz4 else { return }
        #expect(throws: Compression.Failure.self) { try compression.decode([], limit: 100) }
    }

    @Test func lz4OfOneMagicNumberInTheMiddle() throws {
        guard let lz4 = Self.makers.first(where: { $0.compression == .lz4 }) else { return }
        let packed = try lz4.make(Array("ab".utf8)) + lz4.make(Array("cd".utf8))
        let decoded = try Compression.lz4.decode(packed[...], limit: 100)
        #expect(decoded.bytes == Array("abcd".utf8))
        #expect(decoded.consumed == packed.count)
    }

    @Test(arguments: [Compression.gzip, .zstd]) func encodesWhatItsToolReads(_ compression: Compression) throws {
        for bytes in [Self.content, []] {
            let packed = try compression.encode(bytes)
            #expect(Compression(magicOf: packed[...]) == compression)
            #expect(try compression.decode(packed[...], limit: Self.content.count).bytes == bytes)
            let tool = HostTool(compression.rawValue)
            guard tool.isInstalled else { continue }
            #expect(try tool.output(["-d", "-c"], input: packed) == bytes)
        }
        // Equal content gives equal bytes: no time stamps.
        #expect(try compression.encode([1, 2, 3]) == compression.encode([1, 2, 3]))
    }

    @Test func whatIsNoCompression() {
        for bytes: [UInt8] in [[], [0x1F], Array("070701".utf8), [0, 0, 0, 0, 0, 0], [0xFD, 0x37, 0x7A, 0x58, 0x5A]] {
            #expect(Compression(magicOf: bytes[...]) == nil)
        }
    }
}
