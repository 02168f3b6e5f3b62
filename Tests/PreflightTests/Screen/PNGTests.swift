import CZlib
import Testing

@testable import Preflight

/// Decodes a PNG by hand, with zlib.
private struct DecodedPNG {
    var width = 0
    var height = 0
    var depth = 0
    var type = 0
    var pixels: [UInt8] = []

    init?(_ file: [UInt8]) {
        guard file.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) else { return nil }
        func number(_ at: Int) -> Int { file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        var (palette, data, names): ([UInt8], [UInt8], [String]) = ([], [], [])
        var at = 8
        while at < file.count {
            let length = number(at)
            let content = Array(file[at + 8..<at + 8 + length])
            let named = Array(file[at + 4..<at + 8 + length])
            guard Int(crc32(0, named, UInt32(named.count))) == number(at + 8 + length) else { return nil }
            names.append(String(decoding: named.prefix(4), as: UTF8.self))
            switch names.last {
            case "IHDR":
                (width, height) = (number(at + 8), number(at + 12))
                (depth, type) = (Int(content[8]), Int(content[9]))
            case "PLTE": palette = content
            case "IDAT": data += content
            default: break
            }
            at += 12 + length
        }
        guard names.first == "IHDR", names.last == "IEND" else { return nil }
        let perPixel = type == 2 ? 3 : 1
        let stride = (width * depth * perPixel + 7) / 8
        var rows = [UInt8](repeating: 0, count: (stride + 1) * height)
        var length = UInt(rows.count)
        guard uncompress(&rows, &length, data, UInt(data.count)) == Z_OK, Int(length) == rows.count else { return nil }
        var above = [UInt8](repeating: 0, count: stride)
        for y in 0..<height {
            var row = Array(rows[y * (stride + 1) + 1..<(y + 1) * (stride + 1)])
            for x in row.indices {
                switch rows[y * (stride + 1)] {
                case 1: row[x] &+= x < perPixel ? 0 : row[x - perPixel]
                case 2: row[x] &+= above[x]
                default: break
                }
            }
            above = row
            if type == 2 {
                pixels += row
            } else {
                for x in 0..<width {
                    let byte = Int(row[x * depth / 8])
                    let value = byte >> (8 - depth - x * depth % 8) & ((1 << depth) - 1)
                    pixels += type == 3 ? palette[value * 3..<value * 3 + 3] : [UInt8(value)]
                }
            }
        }
    }
}

struct PNGTests {
    /// The number of colours, and the depth that they ask for; 0 for true colour.
    @Test(arguments: [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8), (257, 0), (2000, 0)])
    func decodesToTheSamePicture(colours: Int, depth: Int) throws {
        var screen = DrawnScreen(width: 61, height: 37)
        var noise = Noise()
        for at in screen.pixels.indices {
            let index = at < colours ? at : Int.random(in: 0..<colours, using: &noise)
            screen.pixels[at] = UInt32(index) * 8209 & 0xFFFFFF
        }
        let file = try #require(PNG.encode(screen.bitmap))
        let decoded = try #require(DecodedPNG(file))
        #expect(decoded.width == 61 && decoded.height == 37)
        #expect(decoded.type == (depth == 0 ? 2 : 3) && decoded.depth == (depth == 0 ? 8 : depth))
        #expect(decoded.pixels == screen.bitmap.pixels)
    }

    @Test func encodesTheSmallestPicture() throws {
        let file = try #require(PNG.encode(DrawnScreen(width: 1, height: 1, colour: 0xFF8000).bitmap))
        #expect(DecodedPNG(file)?.pixels == [0xFF, 0x80, 0x00])
    }

    @Test func encodesGreys() throws {
        let picture = GreyBitmap(width: 16, height: 16, pixels: (0...255).map { $0 })
        let file = try #require(PNG.encode(picture))
        let decoded = try #require(DecodedPNG(file))
        #expect(decoded.type == 0 && decoded.pixels == picture.pixels)
    }

    @Test func aScreenOfTextIsSmall() throws {
        var screen = DrawnScreen(width: 1280, height: 800)
        var noise = Noise()
        for row in 0..<50 {
            for column in 0..<100 {
                let rows = MadeUpFont.rows(UInt8.random(in: 0x61...0x7A, using: &noise), width: 8, height: 16)
                screen.draw(rows: rows, width: 8, x: column * 8, y: row * 16, ink: 0xAAAAAA, ground: 0)
            }
        }
        let file = try #require(PNG.encode(screen.bitmap))
        #expect(file.count < 64 << 10, "\(file.count)")
    }
}
