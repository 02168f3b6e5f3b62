/// What a picture's colours alone tell.
enum ScreenColour {
    /// True for a screen that is mostly in one of the blues of Windows' stop screens, out to its corners. Windows'
    /// recovery screens are in the same blues, and other text screens in the classic one (Debian's installer), so
    /// the text decides; Windows 11's black stop screens don't count.
    static func isStopScreen(_ bitmap: Bitmap) -> Bool { isStopScreen(IndexedBitmap(bitmap)) }

    static func isStopScreen(_ picture: IndexedBitmap) -> Bool {
        guard let blue = stopBlues.first(where: { isNear(picture.dominant.colour, $0) }) else {
            return false
        }
        // GRUB's menu in Debian's colours is two thirds classic blue, but has a black border.
        let (right, bottom) = (picture.width - 1, (picture.height - 1) * picture.width)
        let corners = [0, right, bottom, bottom + right].map {
            picture.palette[Int(picture.indices[$0])]
        }
        guard corners.allSatisfy({ isNear($0, blue) }) else { return false }
        return share(of: blue, in: picture) >= 0.6
    }

    /// The share of pixels, from 0 to 1, that are about of that colour.
    static func share(of colour: UInt32, in picture: IndexedBitmap) -> Double {
        let pixels = zip(picture.palette, picture.counts).reduce(0) {
            isNear($1.0, colour) ? $0 + $1.1 : $0
        }
        return Double(pixels) / Double(picture.width * picture.height)
    }

    /// VGA's blue (NT 4 to 7), its dark form and what some drivers make of it, 8 and 8.1, and 10.
    private static let stopBlues: [UInt32] = [
        0x0000AA, 0x000080, 0x000082, 0x107BB4, 0x107C9C, 0x0078D7,
    ]

    /// In each of the channels by no more than 12 of 255.
    private static func isNear(_ one: UInt32, _ other: UInt32) -> Bool {
        [16, 8, 0].allSatisfy { shift in
            abs(Int(one >> UInt32(shift) & 0xFF) - Int(other >> UInt32(shift) & 0xFF)) <= 12
        }
    }
}
