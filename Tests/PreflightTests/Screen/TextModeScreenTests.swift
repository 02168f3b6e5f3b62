import Testing

@testable import Preflight

struct TextModeScreenTests {
    /// A screen of different lines that starts at the given row of the memory, after older ones that look alike.
    private func scrolled(rows: Range<Int>) -> TextModeFixture {
        var fixture = TextModeFixture()
        for row in rows {
            fixture.write("[    \(row).\(row * 7919 % 1000)] line \(row) of the log", row: row)
        }
        return fixture
    }

    @Test(arguments: [0, 160, 160 * 37, 160 * 150])
    func findsWhereTheScreenStarts(start: Int) throws {
        let fixture = scrolled(rows: 0..<start / 160 + 24)
        let screen = fixture.picture(start: start, cursor: (24, 0))
        let text = try #require(TextModeScreen.read(bitmap: screen.bitmap, memory: fixture.memory))
        #expect(text.start == start && text.columns == 80 && text.lines.count == 25)
        let row = start / 160 + 23
        #expect(text.lines[23] == "[    \(row).\(row * 7919 % 1000)] line \(row) of the log")
        #expect(text.lines[24].isEmpty)
    }

    @Test func followsTheWindowAroundTheEnd() throws {
        var fixture = TextModeFixture()
        let start = 160 * 190
        for line in 0..<20 { fixture.write("wrapped line \(line * line)", row: 190 + line) }
        let text = try #require(
            TextModeScreen.read(bitmap: fixture.picture(start: start).bitmap, memory: fixture.memory))
        #expect(text.start == start && text.lines[19] == "wrapped line 361")
    }

    /// Linux goes to the last place that a screen fits in when it scrolls back past the beginning.
    @Test func findsAScreenAtTheFarEnd() throws {
        var fixture = TextModeFixture()
        let start = (32 << 10) - 4000
        for (index, byte) in "Kernel panic - not syncing".utf8.enumerated() { fixture.memory[start + 2 * index] = byte }
        let text = try #require(
            TextModeScreen.read(bitmap: fixture.picture(start: start).bitmap, memory: fixture.memory))
        #expect(text.start == start && text.lines[0] == "Kernel panic - not syncing")
    }

    @Test func readsOtherModes() throws {
        for (columns, rows, width, height) in [(80, 50, 9, 8), (80, 25, 8, 16), (40, 25, 16, 16), (80, 28, 9, 14)] {
            var fixture = TextModeFixture()
            (fixture.columns, fixture.rows) = (columns, rows)
            (fixture.cellWidth, fixture.cellHeight) = (width, height)
            for row in 3..<rows { fixture.write("C:\\>dir \(row * 31)", row: row, column: row % 7) }
            let picture = fixture.picture(start: 0).bitmap
            let text = try #require(TextModeScreen.read(bitmap: picture, memory: fixture.memory))
            #expect(text.columns == columns && text.lines.count == rows)
            #expect(text.lines[8] == " C:\\>dir 248")
        }
    }

    @Test func readsLineDrawingAndInverse() throws {
        var fixture = TextModeFixture()
        fixture.memory.replaceSubrange(0..<6, with: [0xDA, 0x1F, 0xC4, 0x1F, 0xBF, 0x1F])
        fixture.write("selected entry", row: 1, attribute: 0x70)
        fixture.write("hidden", row: 2, attribute: 0x11)
        let text = try #require(TextModeScreen.read(bitmap: fixture.picture(start: 0).bitmap, memory: fixture.memory))
        #expect(text.lines[0] == "┌─┐" && text.lines[1] == "selected entry")
    }

    @Test func isNotFooledByGraphics() {
        let fixture = scrolled(rows: 0..<200)
        var noise = Noise()
        for colours in [2, 16, 4096] {
            var screen = DrawnScreen(width: 720, height: 400)
            for at in screen.pixels.indices {
                screen.pixels[at] = UInt32.random(in: 0..<UInt32(colours), using: &noise)
            }
            #expect(TextModeScreen.read(bitmap: screen.bitmap, memory: fixture.memory) == nil)
        }
        // A logo on black: few cells have anything in them.
        var logo = DrawnScreen(width: 640, height: 400)
        logo.fill(x: 250, y: 150, width: 100, height: 90, colour: 0x0000AA)
        logo.fill(x: 261, y: 163, width: 51, height: 33, colour: 0xFFFFFF)
        #expect(TextModeScreen.read(bitmap: logo.bitmap, memory: fixture.memory) == nil)
        #expect(TextModeScreen.read(bitmap: logo.bitmap, memory: TextModeFixture().memory) == nil)
        #expect(TextModeScreen.read(bitmap: logo.bitmap, memory: Array(repeating: 0xFF, count: 32 << 10)) == nil)
    }

    @Test func wantsTheSameShapeForTheSameCharacter() {
        let fixture = scrolled(rows: 0..<20)
        var screen = fixture.picture(start: 0)
        var noise = Noise()
        for at in screen.pixels.indices where screen.pixels[at] != 0 {
            screen.pixels[at] = Bool.random(using: &noise) ? 0xAAAAAA : 0
        }
        #expect(TextModeScreen.read(bitmap: screen.bitmap, memory: fixture.memory) == nil)
    }

    @Test func bearsWithMemoryOfAnyLength() {
        let fixture = scrolled(rows: 0..<20)
        let picture = fixture.picture(start: 0).bitmap
        for length in [0, 1, 3999] {
            #expect(TextModeScreen.read(bitmap: picture, memory: Array(fixture.memory.prefix(length))) == nil)
        }
        for length in [4000, 4001, 5555, 32 << 10, 100_000] {
            let memory = Array((fixture.memory + Array(repeating: 0, count: 100_000)).prefix(length))
            #expect(TextModeScreen.read(bitmap: picture, memory: memory)?.start == 0)
        }
    }

    @Test func blankScreensSayNothing() {
        let fixture = TextModeFixture()
        #expect(TextModeScreen.read(bitmap: fixture.picture(start: 0).bitmap, memory: fixture.memory) == nil)
        let cursor = fixture.picture(start: 0, cursor: (0, 0)).bitmap
        #expect(TextModeScreen.read(bitmap: cursor, memory: fixture.memory) == nil)
    }

    @Test func codePage437IsWhole() {
        #expect(CodePage437.scalars.count == 256)
        #expect(CodePage437.character(0x41) == "A" && CodePage437.character(0xDB) == "█")
        #expect(CodePage437.character(0x81) == "ü" && CodePage437.character(0xFE) == "■")
    }
}
