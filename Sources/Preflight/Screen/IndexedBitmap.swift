/// A picture as one byte per pixel that points into a palette: what screens of text have, and quicker to look through.
struct IndexedBitmap: Sendable {
    let width: Int
    let height: Int
    /// `width * height` indices, then `padding` zeros.
    let indices: [UInt8]
    /// 0xRRGGBB, at most 256, in the order in which they come up.
    let palette: [UInt32]
    /// How many pixels have each colour of the palette.
    let counts: [Int]
    /// False when the picture has more than 256 colours; those that came too late for the palette have its last index.
    let isExact: Bool

    /// Lets a reader take eight pixels at a time.
    static let padding = 8

    init(_ bitmap: Bitmap) {
        let count = bitmap.width * bitmap.height
        var table = ColourTable()
        indices = [UInt8](unsafeUninitializedCapacity: count + Self.padding) { target, initialised in
            bitmap.pixels.withUnsafeBufferPointer { source in
                var last = UInt32.max
                var index: UInt8 = 0
                var runStart = 0
                var at = 0
                for pixel in 0..<count {
                    let colour =
                        UInt32(source[at]) << 16 | UInt32(source[at + 1]) << 8 | UInt32(source[at + 2])
                    at += 3
                    if colour != last {
                        if last != UInt32.max { table.counts[Int(index)] += pixel - runStart }
                        runStart = pixel
                        index = table.index(of: colour)
                        last = colour
                    }
                    target[pixel] = index
                }
                table.counts[Int(index)] += count - runStart
            }
            for at in count..<count + Self.padding { target[at] = 0 }
            initialised = count + Self.padding
        }
        width = bitmap.width
        height = bitmap.height
        palette = table.colours
        counts = Array(table.counts.prefix(table.colours.count))
        isExact = !table.overflowed
    }

    /// The colour that most pixels have, and which share of all pixels that is.
    var dominant: (colour: UInt32, share: Double) {
        let most = counts.indices.max { counts[$0] < counts[$1] } ?? 0
        guard palette.indices.contains(most) else { return (0, 0) }
        return (palette[most], Double(counts[most]) / Double(width * height))
    }

    /// Nothing but one colour, or one and a cursor: a solid rectangle not larger than the largest console font's cell.
    var isBlank: Bool {
        guard isExact, palette.count <= 2 else { return false }
        guard palette.count == 2 else { return true }
        let cursor: UInt8 = counts[0] < counts[1] ? 0 : 1
        guard counts[Int(cursor)] <= 32 * 64 else { return false }
        var (left, right, top, bottom) = (width, -1, height, -1)
        for at in 0..<width * height where indices[at] == cursor {
            let (y, x) = at.quotientAndRemainder(dividingBy: width)
            (left, right) = (min(left, x), max(right, x))
            (top, bottom) = (min(top, y), max(bottom, y))
        }
        let (across, down) = (right - left + 1, bottom - top + 1)
        return across <= 32 && down <= 64 && across * down == counts[Int(cursor)]
    }

    /// The colours met so far, in an open hash table that is never more than a quarter full.
    private struct ColourTable {
        private static let slots = 1024
        var colours: [UInt32] = []
        var counts = [Int](repeating: 0, count: 256)
        var overflowed = false
        private var slots = [Int16](repeating: -1, count: Self.slots)

        mutating func index(of colour: UInt32) -> UInt8 {
            // Fibonacci hashing: 2^32 divided by the golden ratio, the top ten bits of the product.
            var slot = Int((colour &* 0x9E37_79B9) >> 22)
            while slots[slot] >= 0 {
                let index = Int(slots[slot])
                if colours[index] == colour { return UInt8(truncatingIfNeeded: index) }
                slot = (slot + 1) % Self.slots
            }
            guard colours.count < 256 else {
                overflowed = true
                return 255
            }
            slots[slot] = Int16(colours.count)
            colours.append(colour)
            return UInt8(truncatingIfNeeded: colours.count - 1)
        }
    }
}
