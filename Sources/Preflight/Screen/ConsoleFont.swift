extension GlyphFont {
    /// A Linux console font in the format PSF1 or PSF2, uncompressed. A font without a table of characters is taken to
    /// have those of code page 437. Nil for everything else.
    init?(name: String, psf bytes: [UInt8]) {
        let file = FontBytes(bytes: bytes)
        guard let layout = PSFLayout(file),
            var font = GlyphFont(name: name, width: layout.width, height: layout.height)
        else { return nil }
        let rowBytes = (layout.width + 7) / 8
        var table = layout.tableStart
        for index in 0..<layout.count {
            guard
                let glyph = file.slice(
                    at: layout.glyphStart + index * layout.glyphBytes, length: layout.glyphBytes)
            else { break }
            let rows = (0..<layout.height).map { row in
                Self.row(glyph.dropFirst(row * rowBytes).prefix(rowBytes))
            }
            let scalars: [Unicode.Scalar]
            if let start = table {
                let entry =
                    layout.isSecond ? Self.utf8Entry(bytes, at: start) : Self.wordEntry(file, at: start)
                scalars = entry.scalars
                table = entry.next
            } else {
                scalars = index < 256 && layout.tableStart == nil ? [CodePage437.scalars[index]] : []
            }
            for scalar in scalars { font.add(scalar, rows: rows) }
        }
        self = font
    }

    private typealias Entry = (scalars: [Unicode.Scalar], next: Int?)

    /// PSF1: 16-bit characters, then after 0xFFFE sequences of them (which no single character stands for), to 0xFFFF.
    private static func wordEntry(_ file: FontBytes, at start: Int) -> Entry {
        var scalars: [Unicode.Scalar] = []
        var at = start
        var inSequence = false
        while let word = file.littleEndian(at: at, length: 2) {
            at += 2
            if word == 0xFFFF { return (scalars, at) }
            inSequence = inSequence || word == 0xFFFE
            if !inSequence, let scalar = Unicode.Scalar(UInt32(word)) { scalars.append(scalar) }
        }
        return (scalars, nil)
    }

    /// PSF2: the same in UTF-8, with 0xFE and 0xFF, which UTF-8 never has.
    private static func utf8Entry(_ bytes: [UInt8], at start: Int) -> Entry {
        guard start < bytes.count, let end = bytes[start...].firstIndex(of: 0xFF) else {
            return ([], nil)
        }
        let single = bytes[start..<end].prefix { $0 != 0xFE }
        return (Array(String(decoding: single, as: UTF8.self).unicodeScalars), end + 1)
    }
}

/// Where things are in a PSF file.
private struct PSFLayout {
    var isSecond: Bool
    var width: Int
    var height: Int
    var count: Int
    var glyphStart: Int
    var glyphBytes: Int
    var tableStart: Int?

    init?(_ file: FontBytes) {
        let hasTable: Bool
        if file.bytes.starts(with: [0x36, 0x04]), file.bytes.count >= 4 {
            // The mode: 1 for 512 glyphs, 2 and 4 for a table (4 says that there are sequences too).
            let mode = file.bytes[2]
            isSecond = false
            (width, height) = (8, Int(file.bytes[3]))
            count = mode & 1 == 0 ? 256 : 512
            (glyphStart, glyphBytes) = (4, height)
            hasTable = mode & 6 != 0
        } else if file.bytes.starts(with: [0x72, 0xB5, 0x4A, 0x86]) {
            // After the magic number: version, header's size, flags (1: table), count, glyph's size, height, width.
            let fields = (2...7).compactMap { file.littleEndian(at: 4 * $0, length: 4) }
            guard fields.count == 6, (1...32).contains(fields[5]), (1...64).contains(fields[4]),
                fields[3] == (fields[5] + 7) / 8 * fields[4]
            else { return nil }
            isSecond = true
            (width, height) = (fields[5], fields[4])
            count = fields[2]
            (glyphStart, glyphBytes) = (fields[0], fields[3])
            hasTable = fields[1] & 1 != 0
        } else {
            return nil
        }
        // A Linux console has 512 glyphs at most; the limit only keeps a damaged header's number out of the loop.
        guard height > 0, (1...65536).contains(count) else { return nil }
        let end = glyphStart + count * glyphBytes
        guard end <= file.bytes.count else { return nil }
        tableStart = hasTable ? end : nil
    }
}
