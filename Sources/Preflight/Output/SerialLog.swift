/// A serial port's bytes as lines of text: colours and cursor moves taken out, carriage returns done.
struct SerialLog {
    static let mostLines = 20_000
    private static let mostBytes = 8 << 20
    private static let longestLine = 2_000

    /// The last lines, not yet escaped.
    private(set) var lines: [String] = []
    /// Lines before those.
    private(set) var leftOut = 0

    private var line: [UInt8] = []
    /// Where the next byte is put: a carriage return goes back, and what follows overwrites.
    private var column = 0
    private var isCut = false

    init(_ bytes: [UInt8], mostLines: Int = mostLines) {
        let start = Self.start(in: bytes, lines: mostLines)
        leftOut = bytes[..<start].count { $0 == 0x0A }
        lines.reserveCapacity(1024)
        parse(bytes[start...])
        if !line.isEmpty { endLine() }
        if lines.count > mostLines {
            leftOut += lines.count - mostLines
            lines.removeFirst(lines.count - mostLines)
        }
    }

    /// Where the last lines begin. Only those are looked at, so that a long log costs little.
    private static func start(in bytes: [UInt8], lines: Int) -> Int {
        var index = bytes.count
        var seen = 0
        let first = max(0, bytes.count - mostBytes)
        while index > first {
            if bytes[index - 1] == 0x0A {
                seen += 1
                if seen > lines { return index }
            }
            index -= 1
        }
        return first
    }

    private mutating func parse(_ bytes: ArraySlice<UInt8>) {
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            index += 1
            switch byte {
            case 0x0A: endLine()
            case 0x0D: column = 0
            case 0x08: column = max(0, column - 1)
            case 0x1B: index = escape(bytes, at: index)
            case 0x09, 0x20...0x7E, 0x80...0xFF: put(byte)
            default: break
            }
        }
    }

    private mutating func put(_ byte: UInt8) {
        if column < line.count {
            line[column] = byte
        } else if line.count < Self.longestLine {
            line.append(byte)
        } else {
            isCut = true
            return
        }
        column += 1
    }

    private mutating func endLine() {
        while line.last == 0x20 { line.removeLast() }
        var text = GuestText.line(String(decoding: line, as: UTF8.self), limit: Self.longestLine)
        if isCut { text += "…" }
        lines.append(text)
        line.removeAll(keepingCapacity: true)
        column = 0
        isCut = false
    }

    /// Reads the rest of an escape sequence; its end.
    private mutating func escape(_ bytes: ArraySlice<UInt8>, at start: Int) -> Int {
        guard start < bytes.endIndex else { return start }
        var index = start + 1
        switch bytes[start] {
        case UInt8(ascii: "["):
            while index < bytes.endIndex, (0x20...0x3F).contains(bytes[index]) { index += 1 }
            guard index < bytes.endIndex else { return index }
            guard (0x40...0x7E).contains(bytes[index]) else { return index }
            control(bytes[index])
            return index + 1
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            // A string for the terminal, up to BEL or ESC \. A line's end ends it too, or one byte would eat the log.
            while index < bytes.endIndex, bytes[index] != 0x07, bytes[index] != 0x1B, bytes[index] != 0x0A {
                index += 1
            }
            if index < bytes.endIndex, bytes[index] == 0x07 { return index + 1 }
            let isEnded = index + 1 < bytes.endIndex && bytes[index] == 0x1B && bytes[index + 1] == UInt8(ascii: "\\")
            return isEnded ? index + 2 : index
        case 0x20...0x2F:
            while index < bytes.endIndex, (0x20...0x2F).contains(bytes[index]) { index += 1 }
            return min(index + 1, bytes.endIndex)
        case 0x30...0x7E: return index
        default: return start
        }
    }

    private mutating func control(_ final: UInt8) {
        switch final {
        // Firmware and boot loaders paint the screen by moves: a new place is a new line.
        case UInt8(ascii: "H"), UInt8(ascii: "f"), UInt8(ascii: "J"), UInt8(ascii: "d"):
            if !line.isEmpty { endLine() }
        case UInt8(ascii: "K"): line.removeSubrange(min(column, line.count)...)
        default: break
        }
    }
}
