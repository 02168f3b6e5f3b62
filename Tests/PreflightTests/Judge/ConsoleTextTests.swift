import Testing

@testable import Preflight

struct ConsoleTextTests {
    private func lines(_ text: String) -> ([String], String) {
        var console = ConsoleText()
        return (console.feed(Array(text.utf8)), console.partial)
    }

    @Test func escapeSequencesGo() {
        #expect(lines("\u{1B}[0;32m  OK  \u{1B}[0m Reached\r\n").0 == ["  OK   Reached"])
        #expect(lines("\u{1B}]0;title\u{07}text\n").0 == ["text"])
    }

    @Test func movesOfTheCursorEndALine() {
        let (found, partial) = lines("one\u{1B}[2;1Htwo\u{1B}[3;1Hgrub> ")
        #expect(found == ["one", "two"])
        #expect(partial == "grub> ")
    }

    @Test func returnsOverwriteAndPiecesJoin() {
        var console = ConsoleText()
        #expect(console.feed(Array("A start job\rA st".utf8)) == ["A start job"])
        #expect(console.feed(Array("op job\n".utf8)) == ["A stop job"])
    }

    @Test func nothingGrowsWithoutEnd() {
        var console = ConsoleText()
        _ = console.feed([UInt8](repeating: 0x41, count: 1 << 20))
        #expect(console.partial.count <= 1000)
        #expect(console.tail.count <= ConsoleText.tailLimit)
        _ = console.feed([0x1B, 0x5B] + [UInt8](repeating: 0x30, count: 1 << 16))
    }
}
