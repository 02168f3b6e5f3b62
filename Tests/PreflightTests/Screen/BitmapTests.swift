import Testing

@testable import Preflight

struct BitmapTests {
    private func ppm(_ header: String, _ pixels: [UInt8]) -> [UInt8] { Array(header.utf8) + pixels }

    @Test func readsWhatScreendumpWrites() throws {
        let bitmap = try #require(Bitmap(ppm: ppm("P6\n2 1\n255\n", [1, 2, 3, 10, 11, 12])))
        #expect(bitmap.width == 2 && bitmap.height == 1)
        #expect(bitmap.colour(x: 1, y: 0) == 0x0A0B0C)
        #expect(bitmap.colour(x: 2, y: 0) == nil && bitmap.colour(x: 0, y: -1) == nil)
    }

    @Test func readsCommentsAndIgnoresWhatFollows() throws {
        let bitmap = try #require(Bitmap(ppm: ppm("P6 # made by hand\n1\t1 255 ", [1, 2, 3, 4])))
        #expect(bitmap.pixels == [1, 2, 3])
    }

    @Test(arguments: [
        "", "P", "P6", "P5\n1 1\n255\n", "P6\n1 1\n255", "P6\n1 1\n65535\n", "P6\n0 1\n255\n", "P6\n1 0\n255\n",
        "P6\n8193 1\n255\n", "P6\n99999999999999999999 1\n255\n", "P6\n-1 1\n255\n", "P6\n1 1 1\n", "P6#",
        "P6\n8192 8192\n255\n",
    ])
    func refusesOtherHeaders(header: String) {
        #expect(Bitmap(ppm: ppm(header, [1, 2, 3])) == nil)
    }

    @Test func refusesWhatIsCutShort() {
        let whole = ppm("P6\n4 4\n255\n", Array(repeating: 7, count: 48))
        for length in 0..<whole.count { #expect(Bitmap(ppm: Array(whole.prefix(length))) == nil) }
        #expect(Bitmap(ppm: whole) != nil)
        #expect(Bitmap(width: 4, height: 4, pixels: [1]) == nil && Bitmap(width: 0, height: 0, pixels: []) == nil)
    }

    @Test func tellsChanges() {
        var screen = DrawnScreen(width: 33, height: 7)
        let before = screen.bitmap
        #expect(before.contentHash == screen.bitmap.contentHash && before.difference(from: screen.bitmap) == 0)
        screen.pixels[33 * 7 - 1] = 1
        #expect(before.contentHash != screen.bitmap.contentHash)
        #expect(before.difference(from: screen.bitmap) == 1.0 / (33 * 7))
        #expect(before.difference(from: DrawnScreen(width: 7, height: 33).bitmap) == 1)
        #expect(before.contentHash != DrawnScreen(width: 7, height: 33).bitmap.contentHash)
    }

    @Test func findsTheDominantColour() {
        var screen = DrawnScreen(width: 10, height: 10, colour: 0x123456)
        screen.fill(x: 0, y: 0, width: 10, height: 3, colour: 0xFFFFFF)
        let dominant = IndexedBitmap(screen.bitmap).dominant
        #expect(dominant.colour == 0x123456 && dominant.share == 0.7)
    }

    @Test func isBlankWithACursorAndNotWithALetter() {
        var screen = DrawnScreen(width: 640, height: 400)
        #expect(IndexedBitmap(screen.bitmap).isBlank)
        screen.fill(x: 0, y: 13, width: 8, height: 2, colour: 0xAAAAAA)
        #expect(IndexedBitmap(screen.bitmap).isBlank)
        screen.pixels[16 * 640] = 0xAAAAAA
        #expect(!IndexedBitmap(screen.bitmap).isBlank)
        screen.fill(x: 0, y: 0, width: 640, height: 2, colour: 0xAAAAAA)
        #expect(!IndexedBitmap(screen.bitmap).isBlank)
    }

    @Test func countsEveryColourUpTo256() {
        var screen = DrawnScreen(width: 16, height: 16)
        for at in 0..<256 { screen.pixels[at] = UInt32(at) * 257 }
        let exact = IndexedBitmap(screen.bitmap)
        #expect(exact.isExact && exact.palette == screen.pixels && exact.counts.allSatisfy { $0 == 1 })
        var wide = DrawnScreen(width: 17, height: 16)
        for at in 0..<272 { wide.pixels[at] = UInt32(at) * 257 }
        let cut = IndexedBitmap(wide.bitmap)
        #expect(!cut.isExact && cut.palette.count == 256 && cut.counts.reduce(0, +) == 272)
    }
}
