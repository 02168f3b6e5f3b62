/// A fixed-width bitmap font, the other way round: from what a cell looks like to the character.
struct GlyphFont: Sendable {
    /// For messages: where it comes from.
    var name: String
    /// Of a cell, in pixels.
    let width: Int
    let height: Int
    private(set) var characters: [GlyphPattern: Unicode.Scalar] = [:]

    /// Nil for cells that `CellGrid` doesn't make.
    init?(name: String, width: Int, height: Int) {
        guard (1...32).contains(width), (1...64).contains(height) else { return nil }
        self.name = name
        self.width = width
        self.height = height
    }

    /// Takes a glyph in; of several characters that look alike, the ASCII one stays, then the line-drawing one, then
    /// the one with the lowest number. Blank and solid glyphs are left out, since their cells have one colour, and so
    /// are the blocks at the cell's lower edge, which are cursors more often than text.
    /// - Parameter rows: `height` of them from the top, bit 0 being the leftmost pixel.
    mutating func add(_ scalar: Unicode.Scalar, rows: [UInt32]) {
        let every = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) - 1)
        let rows = rows.map { $0 & every }
        guard rows.count == height, !rows.allSatisfy({ $0 == 0 }), !rows.allSatisfy({ $0 == every }),
            !scalar.properties.isWhitespace, !("\u{2581}"..."\u{2588}").contains(scalar)
        else { return }
        var pattern = GlyphPattern()
        for row in rows { pattern.add(row: row) }
        if let present = characters[pattern], Self.rank(present) <= Self.rank(scalar) { return }
        characters[pattern] = scalar
    }

    private static func rank(_ scalar: Unicode.Scalar) -> UInt32 {
        let isPreferred = scalar.isASCII || ("\u{2500}"..."\u{257F}").contains(scalar)
        return isPreferred ? scalar.value : scalar.value + 0x11_0000
    }

    /// A row out of bytes whose highest bit is the leftmost pixel, as all the formats have it.
    static func row(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var row: UInt32 = 0
        for (index, byte) in bytes.prefix(4).enumerated() {
            var bits = byte
            var mirrored: UInt32 = 0
            for _ in 0..<8 {
                mirrored = mirrored << 1 | UInt32(bits & 1)
                bits >>= 1
            }
            row |= mirrored << UInt32(8 * index)
        }
        return row
    }
}

/// Reads numbers out of a font file; nothing outside of it.
struct FontBytes {
    let bytes: [UInt8]

    func bigEndian(at offset: Int, length: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - length else { return nil }
        return bytes[offset..<offset + length].reduce(0) { $0 << 8 | Int($1) }
    }

    func littleEndian(at offset: Int, length: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - length else { return nil }
        return bytes[offset..<offset + length].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    func slice(at offset: Int, length: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, length >= 0, length <= bytes.count, offset <= bytes.count - length else {
            return nil
        }
        return bytes[offset..<offset + length]
    }
}
