/// A picture of the machine's screen.
struct Bitmap: Equatable, Sendable {
    /// In pixels, from 1 to `longestSide`.
    let width: Int
    let height: Int
    /// Red, green, blue for each pixel, row by row from the top, with nothing in between.
    let pixels: [UInt8]

    /// Well above what the video devices of QEMU show, and small enough for a picture to fit into memory (192 MiB).
    static let longestSide = 8192

    /// Nil when the number of bytes isn't what the size asks for, or the size is out of range.
    init?(width: Int, height: Int, pixels: [UInt8]) {
        let range = 1...Self.longestSide
        guard range.contains(width), range.contains(height), pixels.count == width * height * 3 else {
            return nil
        }
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A binary PPM ("P6") with 8 bits per channel, which is what QMP's `screendump` writes. Nil for anything else and
    /// for a file that is cut short, as one is that QEMU is still writing.
    init?(ppm: [UInt8]) {
        guard ppm.starts(with: [0x50, 0x36]) else { return nil }
        var at = 2
        guard let width = Self.number(in: ppm, at: &at), let height = Self.number(in: ppm, at: &at),
            let depth = Self.number(in: ppm, at: &at), depth == 255, at < ppm.count,
            Self.isSpace(ppm[at]),
            (1...Self.longestSide).contains(width), (1...Self.longestSide).contains(height)
        else { return nil }
        at += 1
        let size = width * height * 3
        guard ppm.count - at >= size else { return nil }
        self.init(width: width, height: height, pixels: Array(ppm[at..<at + size]))
    }

    /// The next decimal number of a PPM's header, past blanks and comments; it has at most five digits.
    private static func number(in bytes: [UInt8], at: inout Int) -> Int? {
        while at < bytes.count, isSpace(bytes[at]) || bytes[at] == UInt8(ascii: "#") {
            if bytes[at] == UInt8(ascii: "#") {
                while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at += 1 }
            } else {
                at += 1
            }
        }
        let start = at
        var value = 0
        while at < bytes.count, at - start < 5, (0x30...0x39).contains(bytes[at]) {
            value = value * 10 + Int(bytes[at] - 0x30)
            at += 1
        }
        return at > start ? value : nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    /// 0xRRGGBB; nil outside of the picture.
    func colour(x: Int, y: Int) -> UInt32? {
        guard (0..<width).contains(x), (0..<height).contains(y) else { return nil }
        let at = (y * width + x) * 3
        return UInt32(pixels[at]) << 16 | UInt32(pixels[at + 1]) << 8 | UInt32(pixels[at + 2])
    }

    /// Tells whether the picture has changed since the last one. The same for equal pictures in every process, and
    /// unlike for two pictures that differ, unless someone made them to collide.
    var contentHash: UInt64 {
        // The multiplier is the 64-bit prime of FNV-1a; the rotation brings high bits down, which it alone doesn't.
        let prime: UInt64 = 0x100_0000_01B3
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ word: UInt64) {
            hash = (hash ^ word) &* prime
            hash = hash << 29 | hash >> 35
        }
        mix(UInt64(width) << 32 | UInt64(height))
        pixels.withUnsafeBytes { bytes in
            var at = 0
            while at + 8 <= bytes.count {
                mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
                at += 8
            }
            while at < bytes.count {
                mix(UInt64(bytes[at]))
                at += 1
            }
        }
        return hash
    }

    /// The share of pixels, from 0 to 1, that aren't the same in both; 1 for pictures of different sizes.
    func difference(from other: Bitmap) -> Double {
        guard width == other.width, height == other.height else { return 1 }
        var differing = 0
        pixels.withUnsafeBufferPointer { mine in
            other.pixels.withUnsafeBufferPointer { theirs in
                var at = 0
                while at + 2 < mine.count {
                    if mine[at] != theirs[at] || mine[at + 1] != theirs[at + 1]
                        || mine[at + 2] != theirs[at + 2]
                    {
                        differing += 1
                    }
                    at += 3
                }
            }
        }
        return Double(differing) / Double(width * height)
    }
}
