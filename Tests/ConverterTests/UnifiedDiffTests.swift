import GuestTesting
import Testing

@testable import Converter

struct UnifiedDiffTests {
    static let diff = HostTool("diff")
    static let patch = HostTool("patch")

    @Test func nothing() {
        #expect(UnifiedDiff.lines(from: "a\nb\n", to: "a\nb\n") == [])
        #expect(UnifiedDiff.lines(from: "", to: "") == [])
    }

    @Test func oneChangeHasThreeLinesAround() {
        let old = (1...9).map { "\($0)\n" }.joined()
        #expect(
            UnifiedDiff.lines(from: old, to: old.replacing("5", with: "five"))
                == ["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8"])
    }

    @Test func aNewAndAnEmptiedFile() {
        #expect(UnifiedDiff.lines(from: "", to: "a\nb\n") == ["@@ -0,0 +1,2 @@", "+a", "+b"])
        #expect(UnifiedDiff.lines(from: "a\nb\n", to: "") == ["@@ -1,2 +0,0 @@", "-a", "-b"])
    }

    /// diff leaves out a count of one.
    @Test func aRangeOfOneLine() {
        #expect(UnifiedDiff.lines(from: "a\n", to: "b\n") == ["@@ -1 +1 @@", "-a", "+b"])
    }

    @Test func aMissingNewlineIsShown() {
        #expect(
            UnifiedDiff.lines(from: "a", to: "a\n")
                == ["@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a"])
    }

    @Test func linesThatEndInCRLFAreLines() {
        let lines = UnifiedDiff.lines(from: "a\r\nb\r\nc\r\n", to: "a\r\nB\r\nc\r\n")
        #expect(lines.dropFirst() == [" a\r", "-b\r", "+B\r", " c\r"])
    }

    @Test func lettersThatOnlyLookAlikeAreAChange() {
        #expect(!UnifiedDiff.lines(from: "\u{E9}\n", to: "e\u{301}\n").isEmpty)
    }

    @Test func hugeTextsAreOneLine() {
        let huge = String(repeating: "x\n", count: 20_001)
        #expect(UnifiedDiff.lines(from: huge, to: "").count == 1)
    }

    private static func texts(_ seed: UInt64) -> (old: String, new: String) {
        var random = Seeded(seed)
        let old = (0..<Int.random(in: 0...40, using: &random)).map { _ in Int.random(in: 0...12, using: &random) }
        var new = old
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let at = Int.random(in: 0...new.count, using: &random)
            if Bool.random(using: &random), at < new.count { new.remove(at: at) } else { new.insert(99 - at, at: at) }
        }
        return (old.map { "line \($0)\n" }.joined(), new.map { "line \($0)\n" }.joined())
    }

    /// Which of several smallest differences is shown is each program's own choice; all make one text of the other.
    @Test(.enabled(if: diff.isInstalled && patch.isInstalled, "diff or patch is not installed"), arguments: 1...25)
    func patchMakesOneTextOfTheOther(seed: UInt64) throws {
        let (old, new) = Self.texts(seed)
        let lines = UnifiedDiff.lines(from: old, to: new)
        let scratch = try ScratchFolder()
        try scratch.write("old", Array(old.utf8))
        try scratch.write("new", Array(new.utf8))
        let theirs = try Self.diff.run(["-u", "-d", "old", "new"], in: scratch.path).text
            .split(separator: "\n").dropFirst(2)
        #expect(lines.isEmpty == theirs.isEmpty)
        #expect(lines.count { $0.hasPrefix("+") } == theirs.count { $0.hasPrefix("+") })
        #expect(lines.count { $0.hasPrefix("-") } == theirs.count { $0.hasPrefix("-") })
        guard !lines.isEmpty else { return }
        let text = (["--- old", "+++ new"] + lines).map { $0 + "\n" }.joined()
        // No fuzz: each hunk has to be where it says.
        let result = try Self.patch.run(
            ["-s", "-F0", "-o", "patched", "old"], input: Array(text.utf8), in: scratch.path)
        #expect(result.status == 0, "\(result.text)")
        #expect(!result.text.contains("offset"), "\(result.text)")
        #expect(try scratch.read("patched") == Array(new.utf8))
    }
}
