import Archives
import GuestTesting
import Testing

struct CpioWalkerTests {
    private static let first = Cpio.archive([.directory("usr"), .file("usr/lib/a", Array("abc".utf8)), .file("b", [])])
    private static let second = Cpio.archive([.file("/etc/passwd", [1, 2, 3, 4, 5])])

    /// Feeds pieces of a length each.
    private func walk(_ bytes: [UInt8], pieces: Int) throws -> (walker: CpioWalker, taken: Int) {
        var walker = CpioWalker()
        var taken = 0
        while taken < bytes.count {
            let piece = bytes[taken..<min(bytes.count, taken + pieces)]
            let count = try piece.withUnsafeBytes { try walker.take($0) }
            taken += count
            if count < piece.count { break }
        }
        return (walker, taken)
    }

    @Test(arguments: [1, 2, 3, 109, 110, 111, 4096]) func archivesInPieces(_ pieces: Int) throws {
        let bytes = [0, 0, 0, 0] + Self.first + [UInt8](repeating: 0, count: 512) + Self.second + [0, 0]
        let (walker, taken) = try walk(bytes, pieces: pieces)
        #expect(walker.paths == ["usr", "usr/lib/a", "b", "etc/passwd"])
        #expect(walker.isComplete)
        #expect(taken == bytes.count)
    }

    @Test func itStopsAtWhatIsNoArchive() throws {
        let (walker, taken) = try walk(Self.first + [0, 0, 0, 0x1F, 0x8B, 8], pieces: 4096)
        #expect(walker.isComplete)
        #expect(taken == Self.first.count + 3)
    }

    @Test func whatIsCutShortIsNotComplete() throws {
        for length in [6, 50, 110, 114, 130, Self.first.count - 130] {
            #expect(try !walk(Array(Self.first.prefix(length)), pieces: 7).walker.isComplete, "\(length)")
        }
    }

    @Test func itAgreesWithTheListOfAnArchive() throws {
        let archive = Cpio.archive((0..<300).map { .file("dir/\($0)", [UInt8](repeating: 7, count: $0)) })
        let (walker, _) = try walk(archive, pieces: 1000)
        #expect(walker.paths == Set(try Cpio.list(archive[...]).entries.map(\.path)))
    }

    /// A header says 4 GiB; what follows is walked over, never kept.
    @Test func aHugeContentTakesNoMemory() throws {
        let zero = "00000000"
        let fields = [zero, "000081a4", zero, zero, zero, zero, "ffffffff", zero, zero, zero, zero, "00000002", zero]
        let bytes = Array("070701\(fields.joined())a\0".utf8)
        var walker = CpioWalker()
        _ = try bytes.withUnsafeBytes { try walker.take($0) }
        #expect(!walker.isComplete)
        #expect(walker.paths == ["a"])
    }

    @Test func tooManyNamesAreRefused() throws {
        let one = Cpio.archive([.file("a", [])])
        let many = (0..<4096).flatMap { _ in one }
        var walker = CpioWalker()
        #expect(throws: Cpio.Failure.self) {
            for _ in 0..<64 { _ = try many.withUnsafeBytes { try walker.take($0) } }
        }
    }

    @Test func mutationsDoNoHarm() {
        let bytes = Self.first + [0, 0, 0, 0] + Self.second
        var random = Seeded(17)
        for _ in 0..<400 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                broken[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            _ = try? walk(broken, pieces: .random(in: 1...300, using: &random))
        }
    }
}
