/// What a screen says.
struct ScreenReading: Equatable, Sendable {
    enum Method: String, Sendable {
        /// From the video memory of a text mode, which is exact.
        case textMode
        /// By comparing glyphs, which is exact too, but for characters that look alike.
        case glyphs
        /// By optical character recognition, with its mistakes.
        case recognition
        /// There is no text, or none that could be read.
        case none
    }

    /// From the top, with their indentation and the empty ones between, without the empty ones at the end.
    var lines: [String]
    var method: Method

    /// By the exact methods only.
    /// - Parameter memory: the 32 KiB at 0xB8000, taken at the same time as the picture; nil if there are none.
    init(bitmap: Bitmap, memory: [UInt8]?, reader: GlyphReader) {
        let picture = IndexedBitmap(bitmap)
        if let memory, let screen = TextModeScreen.read(picture: picture, memory: memory) {
            self.init(lines: screen.lines, method: .textMode)
        } else if let reading = reader.read(picture) {
            self.init(lines: reading.lines, method: .glyphs)
        } else {
            self.init(lines: [], method: .none)
        }
    }

    init(lines: [String], method: Method) {
        self.lines = lines
        while self.lines.last?.isEmpty == true { self.lines.removeLast() }
        self.method = method
    }

    /// This reading, or when nothing could be read and the picture isn't blank, what optical recognition makes of it.
    func completed(by recognition: TesseractReader, bitmap: Bitmap) async -> ScreenReading {
        guard method == .none, !IndexedBitmap(bitmap).isBlank,
            let lines = await recognition.read(bitmap),
            !lines.isEmpty
        else { return self }
        return ScreenReading(lines: lines, method: .recognition)
    }
}
