/// The text of a VGA text mode's screen, out of the video memory.
///
/// The memory alone doesn't say where in it the screen starts: Linux scrolls by moving the start address in the CRT
/// controller, which can't be read from outside. The picture shows which cells have something in them, and so tells.
struct TextModeScreen: Equatable, Sendable {
    /// One for each row (25 in most modes), without the blanks at its end.
    var lines: [String]
    var columns: Int
    /// Where the screen starts, in bytes from the beginning of the memory.
    var start: Int

    /// The window of VGA memory that text modes have, at the physical address 0xB8000.
    static let memorySize = 32 << 10

    /// - Parameters:
    ///   - bitmap: the screendump, taken at the same time as the memory.
    ///   - memory: pairs of a character and its attribute, from 0xB8000 on; what follows the 32 KiB is not looked at.
    /// - Returns: nil when the picture isn't a text mode's: a cell has more than two colours, the picture more than
    ///   16, no place in the memory agrees with it (see `Fit`), or fewer than two cells have anything in them.
    static func read(bitmap: Bitmap, memory: [UInt8]) -> TextModeScreen? {
        read(picture: IndexedBitmap(bitmap), memory: memory)
    }

    static func read(picture: IndexedBitmap, memory: [UInt8]) -> TextModeScreen? {
        guard picture.isExact, picture.palette.count <= 16 else { return nil }
        let memory = Array(memory.prefix(memorySize & ~1))
        for (cellWidth, cellHeight) in cellSizes {
            guard picture.width % cellWidth == 0, picture.height % cellHeight == 0,
                columnCounts.contains(picture.width / cellWidth),
                picture.width / cellWidth * (picture.height / cellHeight) * 2 <= memory.count & ~1,
                let grid = CellGrid(picture, cellWidth: cellWidth, cellHeight: cellHeight),
                !grid.cells.contains(where: { $0.content == .mixed }),
                let start = start(of: grid, in: memory)
            else { continue }
            let lines = (0..<grid.rows).map { row in
                line(memory, from: start + row * grid.columns * 2, columns: grid.columns)
            }
            return TextModeScreen(lines: lines, columns: grid.columns, start: start)
        }
        return nil
    }

    /// In pixels. 9x16 is the usual one; 8 wide with the 8-dot clock, 16 with doubled dots; 14 and 8 high in the modes
    /// of 28, 43 and 50 lines.
    private static let cellSizes = [
        (9, 16), (8, 16), (9, 8), (8, 8), (9, 14), (8, 14), (16, 16), (16, 8),
    ]
    private static let columnCounts = [80, 40, 90, 100, 132]

    /// The place in the memory that fits best, if one does.
    private static func start(of grid: CellGrid, in memory: [UInt8]) -> Int? {
        let inked = grid.cells.map { $0.content == .drawn }
        let inkCount = inked.count { $0 }
        guard inkCount >= 2 else { return nil }
        let places = memory.count / 2
        let drawn = (0..<places).map {
            isDrawn(character: memory[2 * $0], attribute: memory[2 * $0 + 1])
        }
        var best: (score: Int, start: Int)?
        for place in candidates(grid: grid, places: places) {
            let limit = min(Fit.allowedMismatches(inkCount: inkCount), best?.score ?? .max)
            guard let mismatches = mismatches(inked, drawn, from: place, limit: limit),
                let odd = Fit.oddShapes(grid: grid, memory: memory, place: place)
            else { continue }
            if mismatches + odd < best?.score ?? .max { best = (mismatches + odd, place * 2) }
        }
        return best?.start
    }

    /// Where a screen may start, in cells: at any multiple of a row's length, counted from either end, because Linux
    /// goes to the far end when it scrolls back past the beginning.
    private static func candidates(grid: CellGrid, places: Int) -> [Int] {
        let fromStart = Array(stride(from: 0, to: places, by: grid.columns))
        let offset = (places - grid.columns * grid.rows) % grid.columns
        return offset == 0 ? fromStart : fromStart + stride(from: offset, to: places, by: grid.columns)
    }

    /// Of how many cells the picture and the memory say different things; nil when it is more than the limit.
    private static func mismatches(_ inked: [Bool], _ drawn: [Bool], from place: Int, limit: Int)
        -> Int?
    {
        var mismatches = 0
        var at = place
        for ink in inked {
            if ink != drawn[at] {
                mismatches += 1
                if mismatches > limit { return nil }
            }
            at += 1
            if at == drawn.count { at = 0 }
        }
        return mismatches
    }

    /// False too for what is written in the background's own colour; the attribute's bit 7 is blinking or a part of the
    /// background, depending on the mode.
    private static func isDrawn(character: UInt8, attribute: UInt8) -> Bool {
        !CodePage437.isUniform(character) && attribute & 0x0F != attribute >> 4 & 0x07
    }

    /// The window wraps around at the memory's end.
    private static func line(_ memory: [UInt8], from start: Int, columns: Int) -> String {
        let characters = (0..<columns).map {
            CodePage437.character(memory[(start + 2 * $0) % memory.count])
        }
        return String(characters).trimmingBlanks()
    }
}

extension TextModeScreen {
    /// What has to agree before a place in the memory is taken for the screen's.
    private enum Fit {
        /// One cell for the cursor, and one in fifty of those with something in them, for a font of the guest's own
        /// that has nothing at a place where the usual one has.
        static func allowedMismatches(inkCount: Int) -> Int { 1 + inkCount / 50 }

        /// How many cells don't look like the others with the same character and attribute; nil when these are more
        /// than a tenth of the cells (and one) that can be compared, as in a picture that only happens to be inked in
        /// the right places.
        static func oddShapes(grid: CellGrid, memory: [UInt8], place: Int) -> Int? {
            var shapes: [UInt16: [GlyphPattern: Int]] = [:]
            for (index, cell) in grid.cells.enumerated() where cell.content == .drawn {
                let at = (place + index) * 2 % memory.count
                shapes[UInt16(memory[at]) << 8 | UInt16(memory[at + 1]), default: [:]][
                    cell.shape, default: 0] += 1
            }
            var (compared, odd) = (0, 0)
            for counts in shapes.values {
                let total = counts.values.reduce(0, +)
                guard total > 1 else { continue }
                compared += total
                odd += total - (counts.values.max() ?? 0)
            }
            return odd <= 1 + compared / 10 ? odd : nil
        }
    }
}

extension String {
    /// Without the spaces at its end.
    func trimmingBlanks() -> String {
        var end = endIndex
        while end > startIndex, self[index(before: end)] == " " { end = index(before: end) }
        return String(self[..<end])
    }
}
