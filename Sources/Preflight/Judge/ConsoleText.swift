/// Turns what a serial port sends into lines: escape sequences go, moves of the cursor end a line.
struct ConsoleText {
    /// The line that has no end yet: where prompts stand.
    private(set) var partial = ""
    /// The last lines, oldest first.
    private(set) var tail: [String] = []
    private var line: [UInt8] = []
    private var state = State.text

    private enum State {
        case text
        case escape
        /// A control sequence (ECMA-48), with what came of it.
        case sequence
        /// An operating system command, up to BEL or ST.
        case command
    }

    static let tailLimit = 400
    private static let lineLimit = 1000

    /// Takes bytes as they come; returns the lines that they ended.
    mutating func feed(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            switch state {
            case .text: text(byte, &lines)
            case .escape:
                state = byte == 0x5B ? .sequence : byte == 0x5D ? .command : .text
            case .sequence:
                // A final byte ends it; H, f, d and J put the cursor elsewhere: what follows is another line.
                guard (0x40...0x7E).contains(byte) else { continue }
                if [0x48, 0x66, 0x64, 0x4A].contains(byte) { end(&lines) }
                state = .text
            case .command: if byte == 7 || byte == 0x5C { state = .text }
            }
        }
        partial = String(decoding: line, as: UTF8.self)
        tail.append(contentsOf: lines)
        if tail.count > Self.tailLimit { tail.removeFirst(tail.count - Self.tailLimit) }
        return lines
    }

    private mutating func text(_ byte: UInt8, _ lines: inout [String]) {
        switch byte {
        case 0x1B: state = .escape
        case 0x0A: end(&lines)
        // A bare return overwrites the line: systemd's running jobs do that.
        case 0x0D: if line.last != 0x0D { line.append(byte) }
        case 0x08: if !line.isEmpty { line.removeLast() }
        case 0..<0x20, 0x7F: if byte == 9 { line.append(0x20) }
        default:
            if line.last == 0x0D { end(&lines) }
            line.append(byte)
            if line.count >= Self.lineLimit { end(&lines) }
        }
    }

    private mutating func end(_ lines: inout [String]) {
        while line.last == 0x0D { line.removeLast() }
        let text = String(decoding: line, as: UTF8.self)
        line = []
        if !text.allSatisfy(\.isWhitespace) { lines.append(text) }
    }
}
