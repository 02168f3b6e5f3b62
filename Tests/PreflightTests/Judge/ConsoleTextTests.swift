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

    @Test func aMoveToWhereTheCursorIsEndsNothing() {
        // SeaBIOS, which repeats what GRUB writes: it may come anywhere in a line.
        let start = "\u{1B}[2JSeaBIOS (version 1)\r\nBooting...\r\nGRUB loading.\r\n"
        let words = "Welcome to GRUB!"
        for cut in 1..<words.count {
            let (before, after) = (words.prefix(cut), words.dropFirst(cut))
            let text = "\(start)\u{1B}[0;30;47m\(before)\u{1B}[04;\(cut)H\u{1B}[04;\(cut + 1)H\(after)\r\n\n\u{1B}[H"
            #expect(lines(text).0.last == words)
        }
        // The same column of another row is another line.
        #expect(lines("ab\u{1B}[7;3Hcd\n").0 == ["ab", "cd"])
        #expect(lines("│\u{1B}[1;2Hcd\n").0 == ["│cd"])
        // Moves that are no numbers, or too large for one.
        #expect(lines("ab\u{1B}[;Hcd\u{1B}[99999999999999999999;1Hef\n").0 == ["ab", "cd", "ef"])
    }

    @Test func aPromptStaysOneWhereverTheCursorGoes() {
        #expect(lines("one\ngrub> \u{1B}[9;9H").1 == "grub> ")
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
