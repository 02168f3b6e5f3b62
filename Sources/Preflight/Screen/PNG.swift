/// Pictures as files that a browser shows.
enum PNG {
    /// A PNG file: with a palette when there are at most 256 colours, which screens of text have, else in true colour.
    /// Nil only when there is no memory for it.
    static func encode(_ bitmap: Bitmap) -> [UInt8]? {
        let (width, height) = (bitmap.width, bitmap.height)
        let indexed = IndexedBitmap(bitmap)
        guard indexed.isExact else {
            return file(width: width, height: height, depth: 8, type: 2, rows: trueColourRows(bitmap))
        }
        let depth =
            switch indexed.palette.count {
            case ...2: 1
            case ...4: 2
            case ...16: 4
            default: 8
            }
        let palette = indexed.palette.flatMap { [UInt8($0 >> 16 & 0xFF), UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF)] }
        let rows = packedRows(indexed, depth: depth)
        return file(width: width, height: height, depth: depth, type: 3, palette: palette, rows: rows)
    }

    /// A PNG file in 256 greys.
    static func encode(_ picture: GreyBitmap) -> [UInt8]? {
        var rows: [UInt8] = []
        rows.reserveCapacity((picture.width + 1) * picture.height)
        for y in 0..<picture.height {
            rows.append(0)
            rows += picture.pixels[y * picture.width..<(y + 1) * picture.width]
        }
        return file(width: picture.width, height: picture.height, depth: 8, type: 0, rows: rows)
    }

    private static func file(
        width: Int, height: Int, depth: Int, type: UInt8, palette: [UInt8] = [], rows: [UInt8]
    ) -> [UInt8]? {
        guard let data = Zlib.deflate(rows) else { return nil }
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let size = bigEndian(width) + bigEndian(height)
        append("IHDR", size + [UInt8(depth), type, 0, 0, 0], to: &file)
        if !palette.isEmpty { append("PLTE", palette, to: &file) }
        append("IDAT", data, to: &file)
        append("IEND", [], to: &file)
        return file
    }

    private static func append(_ name: String, _ content: [UInt8], to file: inout [UInt8]) {
        file += bigEndian(content.count)
        let start = file.count
        file += Array(name.utf8) + content
        file += bigEndian(Int(Zlib.crc(file[start...])))
    }

    private static func bigEndian(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }

    /// Each row's pixels packed from the high bit down, behind a zero for "no filter".
    private static func packedRows(_ indexed: IndexedBitmap, depth: Int) -> [UInt8] {
        let perByte = 8 / depth
        let stride = 1 + (indexed.width + perByte - 1) / perByte
        var rows = [UInt8](repeating: 0, count: stride * indexed.height)
        rows.withUnsafeMutableBufferPointer { rows in
            indexed.indices.withUnsafeBufferPointer { indices in
                for y in 0..<indexed.height {
                    var at = y * stride + 1
                    var shift = 8 - depth
                    let start = y * indexed.width
                    for pixel in start..<start + indexed.width {
                        rows[at] |= indices[pixel] << UInt8(shift)
                        shift -= depth
                        if shift < 0 {
                            shift = 8 - depth
                            at += 1
                        }
                    }
                }
            }
        }
        return rows
    }

    /// Each row as differences to its left neighbours (filter 1, Sub) or to the row above (2, Up), whichever are
    /// smaller in sum.
    private static func trueColourRows(_ bitmap: Bitmap) -> [UInt8] {
        let length = bitmap.width * 3
        var rows = [UInt8](repeating: 0, count: (length + 1) * bitmap.height)
        rows.withUnsafeMutableBufferPointer { rows in
            bitmap.pixels.withUnsafeBufferPointer { pixels in
                for y in 0..<bitmap.height {
                    let row = y * length
                    var (sub, up) = (0, 0)
                    for at in row..<row + length {
                        let value = pixels[at]
                        let fromLeft = value &- (at - row < 3 ? 0 : pixels[at - 3])
                        let fromAbove = value &- (y == 0 ? 0 : pixels[at - length])
                        sub += Int(Int8(bitPattern: fromLeft).magnitude)
                        up += Int(Int8(bitPattern: fromAbove).magnitude)
                    }
                    let target = y * (length + 1)
                    rows[target] = sub <= up ? 1 : 2
                    for at in row..<row + length {
                        let reference =
                            sub <= up ? (at - row < 3 ? 0 : pixels[at - 3]) : (y == 0 ? 0 : pixels[at - length])
                        rows[target + 1 + at - row] = pixels[at] &- reference
                    }
                }
            }
        }
        return rows
    }
}
