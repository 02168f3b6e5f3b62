extension GlyphFont {
    /// The fonts in a VGA BIOS, all of code page 437: 8x16, 8x14 and 8x8, as far as it has them, and the first two
    /// also 9 pixels wide, as text mode shows them.
    static func fonts(inFirmware image: [UInt8], name: String) -> [GlyphFont] {
        var fonts: [GlyphFont] = []
        for (height, letter) in letterA {
            guard let start = start(of: letter, height: height, in: image) else { continue }
            let glyphs = Array(image[start..<start + 256 * height])
            for width in height == 8 ? [8] : [8, 9] {
                guard
                    let font = font(glyphs, name: "\(name) \(width)x\(height)", width: width, height: height)
                else { continue }
                fonts.append(font)
            }
        }
        return fonts
    }

    /// What the capital A looks like in each of the fonts of IBM's VGA, by which their tables are found.
    private static let letterA: [(height: Int, rows: [UInt8])] = [
        (
            16,
            [
                0x00, 0x00, 0x10, 0x38, 0x6C, 0xC6, 0xC6, 0xFE, 0xC6, 0xC6, 0xC6, 0xC6, 0x00, 0x00, 0x00,
                0x00,
            ]
        ),
        (14, [0x00, 0x00, 0x10, 0x38, 0x6C, 0xC6, 0xC6, 0xFE, 0xC6, 0xC6, 0xC6, 0x00, 0x00, 0x00]),
        (8, [0x30, 0x78, 0xCC, 0xCC, 0xFC, 0xCC, 0xCC, 0x00]),
    ]

    /// The first table of 256 glyphs with that A in its place, blanks at 0x00, 0x20 and 0xFF, and a solid block at
    /// 0xDB.
    private static func start(of letter: [UInt8], height: Int, in image: [UInt8]) -> Int? {
        let place = 0x41 * height
        guard image.count >= 256 * height else { return nil }
        for start in 0...image.count - 256 * height where image[start + place + 3] == letter[3] {
            func glyph(_ index: Int) -> ArraySlice<UInt8> {
                image[start + index * height..<start + (index + 1) * height]
            }
            if glyph(0x41).elementsEqual(letter), glyph(0xDB).allSatisfy({ $0 == 0xFF }),
                [0x00, 0x20, 0xFF].allSatisfy({ glyph($0).allSatisfy { $0 == 0 } })
            {
                return start
            }
        }
        return nil
    }

    /// The ninth column is empty, but for the line-drawing characters (0xC0 to 0xDF), where it repeats the eighth.
    private static func font(_ glyphs: [UInt8], name: String, width: Int, height: Int) -> GlyphFont? {
        guard var font = GlyphFont(name: name, width: width, height: height) else { return nil }
        for index in 0..<256 {
            let rows = (0..<height).map { y in
                let row = Self.row(glyphs[index * height + y...index * height + y])
                return width == 9 && (0xC0...0xDF).contains(index) ? row | (row & 0x80) << 1 : row
            }
            font.add(CodePage437.scalars[index], rows: rows)
        }
        return font
    }
}
