import Foundation

@testable import Preflight

/// Pictures of text, drawn with a font that is made up here or that the host has.
struct DrawnScreen {
    var width: Int
    var height: Int
    var pixels: [UInt32]

    init(width: Int, height: Int, colour: UInt32 = 0) {
        self.width = width
        self.height = height
        pixels = Array(repeating: colour, count: width * height)
    }

    var bitmap: Bitmap {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(pixels.count * 3)
        for pixel in pixels {
            bytes.append(UInt8(pixel >> 16 & 0xFF))
            bytes.append(UInt8(pixel >> 8 & 0xFF))
            bytes.append(UInt8(pixel & 0xFF))
        }
        return Bitmap(width: width, height: height, pixels: bytes)!
    }

    mutating func fill(x: Int, y: Int, width: Int, height: Int, colour: UInt32) {
        for row in y..<y + height {
            for column in x..<x + width { pixels[row * self.width + column] = colour }
        }
    }

    /// Bit 0 of a row is its leftmost pixel.
    mutating func draw(rows: [UInt32], width: Int, x: Int, y: Int, ink: UInt32, ground: UInt32) {
        for (dy, row) in rows.enumerated() {
            for dx in 0..<width {
                pixels[(y + dy) * self.width + x + dx] = row >> UInt32(dx) & 1 == 1 ? ink : ground
            }
        }
    }
}

/// A font without a design: every character but the blank ones has a pattern of its own.
enum MadeUpFont {
    static func rows(_ place: UInt8, width: Int, height: Int) -> [UInt32] {
        if [0x00, 0x20, 0xFF].contains(place) { return Array(repeating: 0, count: height) }
        if place == 0xDB { return Array(repeating: UInt32.max >> UInt32(32 - width), count: height) }
        return (0..<height).map { y in
            y < 2 || y >= height - 1
                ? 0 : (UInt32(place) &* 2_654_435_761 >> UInt32(y)) & (UInt32.max >> UInt32(33 - width))
        }
    }
}

/// A text mode's memory, and the picture that goes with it.
struct TextModeFixture {
    var memory = [UInt8](repeating: 0, count: 32 << 10)
    var columns = 80
    var rows = 25
    var cellWidth = 9
    var cellHeight = 16

    static let palette: [UInt32] = [
        0x000000, 0x0000AA, 0x00AA00, 0x00AAAA, 0xAA0000, 0xAA00AA, 0xAA5500, 0xAAAAAA, 0x555555, 0x5555FF, 0x55FF55,
        0x55FFFF, 0xFF5555, 0xFF55FF, 0xFFFF55, 0xFFFFFF,
    ]

    init() {
        for at in stride(from: 0, to: memory.count, by: 2) { (memory[at], memory[at + 1]) = (0x20, 0x07) }
    }

    /// Writes at a row of cells counted from the beginning of the memory.
    mutating func write(_ text: String, row: Int, column: Int = 0, attribute: UInt8 = 0x07) {
        for (index, byte) in text.utf8.enumerated() {
            let at = ((row * columns + column + index) * 2) % memory.count
            (memory[at], memory[at + 1]) = (byte, attribute)
        }
    }

    func picture(start: Int, cursor: (row: Int, column: Int)? = nil) -> DrawnScreen {
        var screen = DrawnScreen(width: columns * cellWidth, height: rows * cellHeight)
        for row in 0..<rows {
            for column in 0..<columns {
                let at = (start + (row * columns + column) * 2) % memory.count
                let attribute = Int(memory[at + 1])
                screen.draw(
                    rows: MadeUpFont.rows(memory[at], width: cellWidth, height: cellHeight), width: cellWidth,
                    x: column * cellWidth, y: row * cellHeight, ink: Self.palette[attribute & 15],
                    ground: Self.palette[attribute >> 4 & 7])
            }
        }
        if let cursor {
            screen.fill(
                x: cursor.column * cellWidth, y: cursor.row * cellHeight + cellHeight - 2, width: cellWidth, height: 2,
                colour: Self.palette[7])
        }
        return screen
    }
}

/// Numbers that look random and are the same in every run.
struct Noise: RandomNumberGenerator {
    var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}
