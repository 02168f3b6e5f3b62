import Foundation
import Testing

@testable import Preflight

struct GlyphReaderTests {
    private static let firmware = "/usr/share/seabios/vgabios-stdvga.bin"
    private static let bootLoader = "/usr/share/grub/unicode.pf2"
    private static let console = "/usr/share/consolefonts/Uni2-Terminus20x10.psf.gz"
    private static let console16 = "/usr/share/consolefonts/Lat15-Fixed16.psf.gz"

    private static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    static func exists(_ paths: String...) -> Bool { paths.allSatisfy(FileManager.default.fileExists) }

    /// A font file of the made-up design, in the format PSF2.
    private func psf2(width: Int, height: Int, table: [UInt8]? = nil) -> [UInt8] {
        let stride = (width + 7) / 8
        let fields = [0, 32, table == nil ? 0 : 1, 256, stride * height, height, width]
        var file: [UInt8] = [0x72, 0xB5, 0x4A, 0x86]
        file += fields.flatMap { field in (0..<4).map { UInt8(truncatingIfNeeded: field >> (8 * $0)) } }
        for place in 0...255 {
            for row in MadeUpFont.rows(UInt8(place), width: width, height: height) {
                for byte in 0..<stride {
                    file.append((0..<8).reduce(0) { $0 | UInt8(row >> UInt32(8 * byte + $1) & 1) << UInt8(7 - $1) })
                }
            }
        }
        return file + (table ?? [])
    }

    private func draw(
        _ lines: [String], on screen: inout DrawnScreen, width: Int, height: Int, left: Int = 0, top: Int = 0,
        ink: UInt32 = 0xAAAAAA, ground: UInt32 = 0
    ) {
        for (row, line) in lines.enumerated() {
            for (column, byte) in line.utf8.enumerated() {
                screen.draw(
                    rows: MadeUpFont.rows(byte, width: width, height: height), width: width, x: left + column * width,
                    y: top + row * height, ink: ink, ground: ground)
            }
        }
    }

    @Test(arguments: [(8, 16), (8, 8), (9, 16), (10, 20), (16, 32), (32, 64)])
    func readsWhatTheFontDrew(width: Int, height: Int) throws {
        let font = try #require(GlyphFont(name: "made up", psf: psf2(width: width, height: height)))
        #expect(font.width == width && font.height == height)
        var screen = DrawnScreen(width: 643, height: 407)
        let lines = ["Booting Linux", "", "(initramfs) ls"]
        draw(lines, on: &screen, width: width, height: height)
        let reading = try #require(GlyphReader(fonts: [font]).read(screen.bitmap))
        #expect(reading.recognised == 1 && reading.font == "made up")
        #expect(Array(reading.lines.prefix(3)) == lines && reading.lines.dropFirst(3).allSatisfy(\.isEmpty))
    }

    @Test func readsSelectionsBordersAndUnknownGlyphs() throws {
        let font = try #require(GlyphFont(name: "made up", psf: psf2(width: 8, height: 16)))
        var screen = DrawnScreen(width: 800, height: 600)
        draw(["GNU GRUB version"], on: &screen, width: 8, height: 16, left: 10, top: 10)
        draw(["selected"], on: &screen, width: 8, height: 16, left: 10, top: 26, ink: 0, ground: 0xAAAAAA)
        draw(["other"], on: &screen, width: 8, height: 16, left: 10, top: 42, ink: 0xFFFFFF, ground: 0x0000AA)
        screen.fill(x: 53, y: 43, width: 3, height: 3, colour: 0xFF0000)
        screen.fill(x: 58, y: 55, width: 8, height: 2, colour: 0xFFFFFF)
        let reading = try #require(GlyphReader(fonts: [font]).read(screen.bitmap))
        #expect(Array(reading.lines.prefix(3)) == ["GNU GRUB version", "selected", "other·"])
        #expect(reading.recognised > 0.9 && reading.recognised < 1)
    }

    @Test func takesTheFontThatFitsBest() throws {
        let fonts = try [(8, 16), (8, 8), (10, 20)].map {
            try #require(GlyphFont(name: "\($0.0)", psf: psf2(width: $0.0, height: $0.1)))
        }
        var screen = DrawnScreen(width: 400, height: 200)
        draw(["Kernel panic - not syncing: VFS"], on: &screen, width: 10, height: 20)
        let reading = GlyphReader(fonts: fonts).read(screen.bitmap)
        #expect(reading?.font == "10" && reading?.lines.first == "Kernel panic - not syncing: VFS")
        #expect(GlyphReader(fonts: Array(fonts.prefix(2))).read(screen.bitmap) == nil)
        #expect(GlyphReader(fonts: []).read(screen.bitmap) == nil)
    }

    @Test func picturesAreNotText() {
        let reader = GlyphReader(fonts: HostFonts.load())
        var noise = Noise()
        var screen = DrawnScreen(width: 640, height: 480)
        #expect(reader.read(screen.bitmap) == nil)
        screen.fill(x: 103, y: 57, width: 400, height: 300, colour: 0x888888)
        screen.fill(x: 110, y: 80, width: 380, height: 270, colour: 0xFFFFFF)
        screen.fill(x: 120, y: 96, width: 64, height: 16, colour: 0x0000FF)
        #expect(reader.read(screen.bitmap) == nil)
        for colours in [2, 70_000] as [UInt32] {
            for at in screen.pixels.indices { screen.pixels[at] = UInt32.random(in: 0..<colours, using: &noise) }
            #expect(reader.read(screen.bitmap) == nil)
        }
        #expect(reader.read(DrawnScreen(width: 1, height: 1).bitmap) == nil)
    }

    @Test func readsATableOfCharacters() throws {
        // The glyph of 'A' stands for a sequence too, which is left out; the rest of the table is missing.
        var table = [UInt8](repeating: 0xFF, count: 65)
        table += Array("ÄA".utf8) + [0xFE] + Array("xy".utf8) + [0xFF]
        let font = try #require(GlyphFont(name: "", psf: psf2(width: 8, height: 16, table: table)))
        #expect(Set(font.characters.values) == ["A"])
    }

    @Test func damagedFontsAreRefusedOrReadInPart() {
        let whole = psf2(width: 8, height: 16)
        for length in stride(from: 0, to: whole.count, by: 7) {
            #expect(GlyphFont(name: "", psf: Array(whole.prefix(length))) == nil)
        }
        var noise = Noise()
        for _ in 0..<300 {
            var damaged = whole
            for _ in 0..<4 { damaged[Int.random(in: 4..<32, using: &noise)] = UInt8.random(in: 0...255, using: &noise) }
            _ = GlyphFont(name: "", psf: damaged)
        }
        #expect(GlyphFont(name: "", psf: [0x36, 0x04, 0x00, 0x00]) == nil)
        #expect(GlyphFont(name: "", pff2: Array("FILE\0\0\0\u{4}PFF2CHIX".utf8)) == nil)
        #expect(GlyphFont.fonts(inFirmware: [], name: "").isEmpty)
        #expect(GlyphFont.fonts(inFirmware: Array(repeating: 0x6C, count: 9000), name: "").isEmpty)
    }

    @Test(.enabled(if: exists(bootLoader)))
    func damagedBootLoaderFontsDoNoHarm() throws {
        let whole = Array(try Self.bytes(Self.bootLoader).prefix(20_000))
        var noise = Noise()
        for _ in 0..<20 {
            var damaged = whole
            for _ in 0..<20 {
                damaged[Int.random(in: 12..<400, using: &noise)] = UInt8.random(in: 0...255, using: &noise)
            }
            _ = GlyphFont(name: "", pff2: damaged)
        }
    }

    @Test(.enabled(if: exists(firmware)))
    func findsTheFontsOfTheFirmware() throws {
        let fonts = GlyphFont.fonts(inFirmware: try Self.bytes(Self.firmware), name: "vga")
        #expect(fonts.map(\.name) == ["vga 8x16", "vga 9x16", "vga 8x14", "vga 9x14", "vga 8x8"])
        #expect(fonts.allSatisfy { Set("Az09│".unicodeScalars).isSubset(of: $0.characters.values) })
    }

    @Test(.enabled(if: exists(bootLoader, firmware, console, console16)))
    func readsTheFontsOfTheHost() throws {
        let terminus = try #require(Zlib.gunzip(try Self.bytes(Self.console), limit: 1 << 20))
        #expect(Zlib.gunzip(try Self.bytes(Self.console), limit: 100) == nil)
        let fixed = try #require(Zlib.gunzip(try Self.bytes(Self.console16), limit: 1 << 20))
        let unifont = try #require(GlyphFont(name: "", pff2: try Self.bytes(Self.bootLoader)))
        #expect(unifont.width == 8 && unifont.height == 16)
        let fonts = try [
            unifont, #require(GlyphFont(name: "", psf: terminus)), #require(GlyphFont(name: "", psf: fixed)),
        ]
        let printable = Set((0x21...0x7E).compactMap(Unicode.Scalar.init))
        for font in fonts { #expect(printable.subtracting(font.characters.values).isEmpty) }
        #expect(fonts[1].width == 10 && fonts[1].height == 20)
    }
}
