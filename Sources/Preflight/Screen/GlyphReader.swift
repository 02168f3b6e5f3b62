/// Reads screens of text in a graphics mode, as the Linux framebuffer console and boot loaders draw them: glyphs of a
/// known font in a grid. Glyphs are compared bit by bit, so what is read is right; smoothed text isn't read at all.
struct GlyphReader: Sendable {
    var fonts: [GlyphFont]

    struct Reading: Equatable, Sendable {
        /// One for each row of cells, without the blanks at its end. What isn't in the font is "·".
        var lines: [String]
        /// Of the cells with something in them, the share whose glyph is in the font: from 0 to 1.
        var recognised: Double
        var font: String
    }

    /// Nil for a picture that isn't made of one of the fonts' glyphs: at least 70 % of the cells with something in
    /// them have to be (a boot logo may be above the text), and more than three cells with three different letters or
    /// digits (the edges of windows look like line-drawing characters).
    func read(_ bitmap: Bitmap) -> Reading? { read(IndexedBitmap(bitmap)) }

    func read(_ picture: IndexedBitmap) -> Reading? {
        var best: Match?
        search: for size in sizes {
            let fonts = fonts.filter { $0.width == size.width && $0.height == size.height }
            for origin in Self.origins(picture, size) {
                guard
                    let grid = CellGrid(
                        picture, cellWidth: size.width, cellHeight: size.height, left: origin.left,
                        top: origin.top)
                else { continue }
                let shapes = Self.shapes(of: grid)
                for font in fonts {
                    let match = Match(grid: grid, shapes: shapes, font: font)
                    if match.isText, match.share > best?.share ?? 0 { best = match }
                }
                if best?.share ?? 0 > 0.97 { break search }
            }
        }
        return best?.reading
    }

    private struct Size: Hashable {
        var width: Int
        var height: Int
    }

    /// Each once, the most usual one first and the others as the fonts come.
    private var sizes: [Size] {
        var seen: Set<Size> = []
        return ([Size(width: 8, height: 16)] + fonts.map { Size(width: $0.width, height: $0.height) })
            .filter { size in
                seen.insert(size).inserted
                    && fonts.contains { $0.width == size.width && $0.height == size.height }
            }
    }

    /// Where the first cell may be: in the corner (Linux), 10 pixels from it (the border of GRUB's gfxterm), or so that
    /// the grid is in the middle of the picture (UEFI).
    private static func origins(_ picture: IndexedBitmap, _ size: Size) -> [(left: Int, top: Int)] {
        let middle = (picture.width % size.width / 2, picture.height % size.height / 2)
        return [(0, 0), (10, 10)] + (middle == (0, 0) ? [] : [middle])
    }

    /// The different cells with something in them, and how often each is there.
    private static func shapes(of grid: CellGrid) -> [GlyphPattern: Shape] {
        var shapes: [GlyphPattern: Shape] = [:]
        for cell in grid.cells where cell.content == .drawn {
            shapes[cell.shape, default: Shape(cell: cell)].count += 1
        }
        return shapes
    }

    fileprivate struct Shape {
        var cell: CellGrid.Cell
        var count = 0
    }
}

/// How well a font explains a grid.
private struct Match {
    let grid: CellGrid
    let font: GlyphFont
    private var recognised = 0
    private var inked = 0
    private var letters: Set<Unicode.Scalar> = []

    init(grid: CellGrid, shapes: [GlyphPattern: GlyphReader.Shape], font: GlyphFont) {
        self.grid = grid
        self.font = font
        inked = grid.cells.count { $0.content == .mixed }
        for shape in shapes.values {
            if let scalar = Self.scalar(shape.cell, in: font) {
                recognised += shape.count
                if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
                    letters.insert(scalar)
                }
            } else if shape.cell.isBar {
                continue
            }
            inked += shape.count
        }
    }

    var share: Double { inked == 0 ? 0 : Double(recognised) / Double(inked) }

    var isText: Bool { recognised >= 4 && letters.count >= 3 && share >= 0.7 }

    var reading: GlyphReader.Reading {
        let lines = (0..<grid.rows).map { row in
            String(grid.cells[row * grid.columns..<(row + 1) * grid.columns].map { character($0) })
                .trimmingBlanks()
        }
        return GlyphReader.Reading(lines: lines, recognised: share, font: font.name)
    }

    private func character(_ cell: CellGrid.Cell) -> Character {
        switch cell.content {
        case .blank: " "
        case .mixed: "·"
        // An unknown bar is a cursor.
        case .drawn: Self.scalar(cell, in: font).map(Character.init) ?? (cell.isBar ? " " : "·")
        }
    }

    private static func scalar(_ cell: CellGrid.Cell, in font: GlyphFont) -> Unicode.Scalar? {
        font.characters[cell.shape] ?? font.characters[cell.inverse]
    }
}
