internal import Foundation

/// Reads smoothed text of any font by the program `tesseract`, if the host has it: the last resort, for what Windows
/// shows. Takes a second or so, and mistakes happen, above all with underscores, 0 and O, and 1, l and I.
struct TesseractReader: Sendable {
    /// Runs a program by its path with arguments and gives back what it wrote to its standard output. To throw when it
    /// fails, and to bound its time. The environment should have OMP_THREAD_LIMIT=1: on a host with few free cores
    /// the program's threads wait for each other, for ten times as long as one thread works.
    var run: @Sendable (String, [String]) async throws -> Data
    /// Where the program is looked for, as in the environment's PATH.
    var path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"

    /// The lines that have something in them; nil without the program, or when it fails.
    func read(_ bitmap: Bitmap) async -> [String]? {
        guard let program, let png = PNG.encode(Self.prepared(bitmap)) else {
            return nil
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "screen-\(UUID().uuidString).png")
        defer { try? FileManager.default.removeItem(at: file) }
        guard (try? Data(png).write(to: file, options: .withoutOverwriting)) != nil,
            // Page segmentation 6: one block of text, which keeps the lines in order.
            let output = try? await run(program, [file.path, "stdout", "-l", "eng", "--psm", "6"])
        else { return nil }
        return Self.lines(output)
    }

    private var program: String? {
        path.split(separator: ":").map { "\($0)/tesseract" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// Dark text on light ground, in grey without a palette, and twice as large where that isn't too much. The program
    /// reads letters of 14 pixels without a mistake then, and hardly at all out of the same picture with a palette.
    static func prepared(_ bitmap: Bitmap) -> GreyBitmap {
        let (width, height) = (bitmap.width, bitmap.height)
        var greys = stride(from: 0, to: bitmap.pixels.count, by: 3).map { at in
            brightness(bitmap.pixels[at], bitmap.pixels[at + 1], bitmap.pixels[at + 2])
        }
        let ground = IndexedBitmap(bitmap).dominant.colour
        if brightness(UInt8(ground >> 16 & 0xFF), UInt8(ground >> 8 & 0xFF), UInt8(ground & 0xFF)) < 128 {
            for at in greys.indices { greys[at] = 255 - greys[at] }
        }
        guard width * height <= 2 << 20, max(width, height) * 2 <= Bitmap.longestSide else {
            return GreyBitmap(width: width, height: height, pixels: greys)
        }
        return doubled(greys, width: width, height: height)
    }

    /// Each new pixel lies a quarter of a pixel off the nearest old one and takes 3/4 of it, and 1/4 of the neighbour
    /// on its other side, in both directions.
    private static func doubled(_ greys: [UInt8], width: Int, height: Int) -> GreyBitmap {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 4)
        greys.withUnsafeBufferPointer { greys in
            for y in 0..<2 * height {
                let near = y / 2 * width
                let far = min(max(y % 2 == 0 ? y / 2 - 1 : y / 2 + 1, 0), height - 1) * width
                for x in 0..<2 * width {
                    let beside = min(max(x % 2 == 0 ? x / 2 - 1 : x / 2 + 1, 0), width - 1)
                    let nearRow = 3 * Int(greys[near + x / 2]) + Int(greys[near + beside])
                    let farRow = 3 * Int(greys[far + x / 2]) + Int(greys[far + beside])
                    pixels.append(UInt8(truncatingIfNeeded: (3 * nearRow + farRow) / 16))
                }
            }
        }
        return GreyBitmap(width: 2 * width, height: 2 * height, pixels: pixels)
    }

    /// From 0 to 255, by the weights of ITU-R BT.601.
    private static func brightness(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (Int(red) * 299 + Int(green) * 587 + Int(blue) * 114) / 1000)
    }

    /// At most 64 KiB and 500 lines, and nothing that would move a terminal's cursor.
    static func lines(_ output: Data) -> [String] {
        let text = String(decoding: output.prefix(64 << 10), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).prefix(500).map { line in
            String(
                String.UnicodeScalarView(
                    line.unicodeScalars.filter { $0.properties.generalCategory != .control }))
        }
        return lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}

/// A picture with one byte per pixel, 0 being black.
struct GreyBitmap: Equatable, Sendable {
    let width: Int
    let height: Int
    /// `width * height` of them.
    let pixels: [UInt8]
}
