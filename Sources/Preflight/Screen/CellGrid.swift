/// What a cell of text looks like, in 128 bits: equal for equal shapes, and in practice for no others.
struct GlyphPattern: Hashable, Sendable {
    private var first: UInt64 = 0
    private var second: UInt64 = 0

    /// Takes the next row from the top; bit 0 is its leftmost pixel.
    mutating func add(row: UInt32) {
        // Two multiplications by unrelated odd numbers (the fractions of the golden ratio and of the square root of 3).
        first = (first ^ UInt64(row)) &* 0x9E37_79B9_7F4A_7C15
        first = first << 23 | first >> 41
        second = (second &+ UInt64(row) &+ 1) &* 0xBB67_AE85_84CA_A73B
        second ^= second >> 32
    }

    func hash(into hasher: inout Hasher) { hasher.combine(first) }
}

/// A picture cut into the cells of a fixed-width font.
struct CellGrid: Sendable {
    struct Cell: Equatable, Sendable {
        enum Content: Equatable, Sendable {
            /// All pixels of one colour.
            case blank
            /// Two colours.
            case drawn
            /// More than two colours: no glyph of a console.
            case mixed
        }
        var content: Content
        /// The rarer colour's pixels, when drawn.
        var shape = GlyphPattern()
        /// The more frequent colour's, for a glyph that has more ink than background.
        var inverse = GlyphPattern()
        /// The ink is nothing but whole rows, as a cursor's is (and an underscore's).
        var isBar = false
    }

    let columns: Int
    let rows: Int
    /// `columns * rows`, row by row.
    let cells: [Cell]

    /// - Parameters:
    ///   - cellWidth: in pixels, 1 to 32; the height too is of no more than 64.
    ///   - left: of the first cell, in pixels from the picture's left edge; what is left over at the right is ignored.
    init?(_ picture: IndexedBitmap, cellWidth: Int, cellHeight: Int, left: Int = 0, top: Int = 0) {
        guard (1...32).contains(cellWidth), (1...64).contains(cellHeight), left >= 0, top >= 0,
            picture.width - left >= cellWidth, picture.height - top >= cellHeight
        else { return nil }
        let columns = (picture.width - left) / cellWidth
        let rows = (picture.height - top) / cellHeight
        cells = picture.indices.withUnsafeBytes { pixels in
            var cells: [Cell] = []
            cells.reserveCapacity(columns * rows)
            for row in 0..<rows {
                let start = (top + row * cellHeight) * picture.width + left
                for column in 0..<columns {
                    let scan = CellScan(
                        pixels: pixels, start: start + column * cellWidth, stride: picture.width,
                        width: cellWidth,
                        height: cellHeight)
                    cells.append(scan.cell())
                }
            }
            return cells
        }
        self.columns = columns
        self.rows = rows
    }
}

/// Looks at one cell's pixels, eight at a time.
private struct CellScan {
    let pixels: UnsafeRawBufferPointer
    let start: Int
    let stride: Int
    let width: Int
    let height: Int

    func cell() -> CellGrid.Cell {
        let reference = pixels[start]
        let every = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) - 1)
        var y = 0
        var mask: UInt32 = 0
        while y < height {
            mask = differing(row: y, from: reference) & every
            if mask != 0 { break }
            y += 1
        }
        guard y < height else { return CellGrid.Cell(content: .blank) }
        let other = pixels[start + y * stride + mask.trailingZeroBitCount]
        var (shape, inverse) = (GlyphPattern(), GlyphPattern())
        var ink = 0
        var isBar = true
        for row in 0..<height {
            // The rows above y are known to hold nothing but the reference.
            mask = row < y ? 0 : differing(row: row, from: reference) & every
            if mask != 0, (differing(row: row, from: other) & every) != every & ~mask {
                return CellGrid.Cell(content: .mixed)
            }
            ink += mask.nonzeroBitCount
            isBar = isBar && (mask == 0 || mask == every)
            shape.add(row: mask)
            inverse.add(row: every & ~mask)
        }
        if ink * 2 > width * height { swap(&shape, &inverse) }
        return CellGrid.Cell(content: .drawn, shape: shape, inverse: inverse, isBar: isBar)
    }

    /// Bit x is set when the row's pixel x isn't of that colour. The bits from `width` on mean nothing.
    @inline(__always)
    private func differing(row: Int, from colour: UInt8) -> UInt32 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        let repeated = UInt64(colour) &* 0x0101_0101_0101_0101
        var mask: UInt64 = 0
        var x = 0
        // The last cell's last pixels may be followed by none but the padding, which this never reads past.
        while x < width {
            let at = start + row * stride + x
            let word =
                UInt64(littleEndian: pixels.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ repeated
            // The high bit of each byte that isn't zero, then the eight bits brought together.
            let bits = ((((word & low) &+ low) | word) & ~low) >> 7
            mask |= ((bits &* 0x0102_0408_1020_4080) >> 56) << UInt64(x)
            x += 8
        }
        return UInt32(truncatingIfNeeded: mask)
    }
}
