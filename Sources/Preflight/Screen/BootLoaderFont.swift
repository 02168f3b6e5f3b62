extension GlyphFont {
    /// A GRUB font (PFF2) of single-width cells, up to and with the block "Geometric Shapes": what boot loaders draw.
    /// Nil for everything else.
    init?(name: String, pff2 bytes: [UInt8]) {
        let file = FontBytes(bytes: bytes)
        guard bytes.starts(with: Array("FILE".utf8)),
            file.slice(at: 8, length: 4).map(Array.init) == Array("PFF2".utf8)
        else { return nil }
        let sections = Self.sections(file)
        guard let index = sections["CHIX"], let ascentAt = sections["ASCE"]?.lowerBound,
            let descentAt = sections["DESC"]?.lowerBound,
            let ascent = file.bigEndian(at: ascentAt, length: 2),
            let descent = file.bigEndian(at: descentAt, length: 2),
            let width = Self.advance(file, index: index, of: "A"),
            var font = GlyphFont(name: name, width: width, height: ascent + descent)
        else { return nil }
        for at in stride(from: index.lowerBound, through: index.upperBound - 9, by: 9) {
            guard let number = file.bigEndian(at: at, length: 4),
                let offset = file.bigEndian(at: at + 5, length: 4),
                number <= 0x25FF, let scalar = Unicode.Scalar(UInt32(number)),
                let glyph = PFF2Glyph(file, at: offset), glyph.advance == width,
                let rows = glyph.rows(ascent: ascent, width: width, height: font.height)
            else { continue }
            font.add(scalar, rows: rows)
        }
        self = font
    }

    /// Each section's content by its name. The last one (DATA) has no length of its own.
    private static func sections(_ file: FontBytes) -> [String: Range<Int>] {
        var sections: [String: Range<Int>] = [:]
        var at = 0
        while let name = file.slice(at: at, length: 4),
            let length = file.bigEndian(at: at + 4, length: 4)
        {
            let start = at + 8
            guard length <= file.bytes.count - start else { break }
            sections[String(decoding: name, as: UTF8.self)] = start..<start + length
            at = start + length
        }
        return sections
    }

    /// How far the next character is to the right, which is the cell's width if the font has a fixed one.
    private static func advance(_ file: FontBytes, index: Range<Int>, of scalar: Unicode.Scalar)
        -> Int?
    {
        for at in stride(from: index.lowerBound, through: index.upperBound - 9, by: 9)
        where file.bigEndian(at: at, length: 4) == Int(scalar.value) {
            return file.bigEndian(at: at + 5, length: 4).flatMap { PFF2Glyph(file, at: $0) }?.advance
        }
        return nil
    }
}

/// One glyph: only the box with something in it is stored.
private struct PFF2Glyph {
    var width: Int
    var height: Int
    /// From the cell's left edge, and of the box's lower edge from the baseline, upwards.
    var left: Int
    var bottom: Int
    var advance: Int
    var bits: ArraySlice<UInt8>

    init?(_ file: FontBytes, at offset: Int) {
        let fields = (0..<5).compactMap { file.bigEndian(at: offset + 2 * $0, length: 2) }
        guard fields.count == 5, fields[0] <= 32, fields[1] <= 64,
            let bits = file.slice(at: offset + 10, length: (fields[0] * fields[1] + 7) / 8)
        else { return nil }
        func signed(_ word: Int) -> Int { word >= 0x8000 ? word - 0x10000 : word }
        (width, height) = (fields[0], fields[1])
        (left, bottom, advance) = (signed(fields[2]), signed(fields[3]), signed(fields[4]))
        self.bits = bits
    }

    /// The whole cell's rows; nil when the box reaches out of the cell.
    func rows(ascent: Int, width cellWidth: Int, height cellHeight: Int) -> [UInt32]? {
        let top = ascent - bottom - height
        guard left >= 0, top >= 0, left + width <= cellWidth, top + height <= cellHeight else {
            return nil
        }
        var rows = [UInt32](repeating: 0, count: cellHeight)
        for bit in 0..<width * height
        where bits[bits.startIndex + bit / 8] & (0x80 >> UInt8(bit % 8)) != 0 {
            rows[top + bit / width] |= 1 << UInt32(left + bit % width)
        }
        return rows
    }
}
