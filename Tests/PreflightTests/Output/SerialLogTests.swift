import Testing

@testable import Preflight

@Suite struct SerialLogTests {
    private func lines(_ text: String) -> [String] { SerialLog(Array(text.utf8)).lines }

    @Test func coloursAndReturns() {
        #expect(lines("[ \u{1B}[0;32mOK\u{1B}[0m ] up\r\r\nnext\n") == ["[ OK ] up", "next"])
        #expect(lines("10%\r20%\r100%\r\n") == ["100%"])
        #expect(lines("long text\rab\n") == ["abng text"])
        #expect(lines("long text\rab\u{1B}[K\n") == ["ab"])
        #expect(lines("ab\u{8}c") == ["ac"])
    }

    @Test func movesAreLines() {
        #expect(lines("\u{1B}[2J\u{1B}[01;01HBdsDxe\u{1B}[02;01Hnext") == ["BdsDxe", "next"])
    }

    @Test func brokenSequences() {
        #expect(lines("a\u{1B}") == ["a"])
        #expect(lines("a\u{1B}[12") == ["a"])
        #expect(lines("a\u{1B}]0;title\u{7}b\u{1B}Pdata\u{1B}\\c\u{1B}(Bd") == ["abcd"])
        #expect(lines("a\u{1B}]0;never ended\nb") == ["a", "b"])
        #expect(SerialLog([0xFF, 0x41, 0x0A]).lines == ["\u{FFFD}A"])
        #expect(SerialLog([]).lines.isEmpty)
    }

    @Test func onlyTheEnd() {
        let log = SerialLog(Array((0..<50).map { "\($0)\n" }.joined().utf8), mostLines: 10)
        #expect(log.lines.count == 10 && log.lines.last == "49" && log.leftOut == 40)
        let endless = SerialLog([UInt8](repeating: 0x41, count: 20 << 20))
        #expect(endless.lines.count == 1 && endless.lines[0].count == 2_001)
    }
}
