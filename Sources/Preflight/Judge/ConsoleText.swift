/// Turns what a serial port sends into lines: escape sequences go, a move of the cursor to another place ends
/// a line.
struct ConsoleText {
    /// The line that has no end yet: where prompts stand.
    private(set) var partial = ""
    /// The last lines, oldest first.
    private(set) var tail: [String] = []
    private var line: [UInt8] = []
    private var state = State.text
    /// The column that the line starts in, and its row, as far as the moves of the cursor tell; from 1.
    private var place = Place(row: 1, column: 1)
    /// Where a move has put the cursor, until text shows whether the line goes on there.
    private var goal: Place?
    private var parameters: [UInt8] = []

    private struct Place: Equatable { var row: Int, column: Int }

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
    private static let parametersLimit = 16
    /// Of the consoles that boot loaders and firmware draw: at the last row, a new line scrolls.
    private static let rows = 25

    /// Takes bytes as they come; returns the lines that they ended.
    mutating func feed(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            switch state {
            case .text: text(byte, &lines)
            case .escape:
                state = byte == 0x5B ? .sequence : byte == 0x5D ? .command : .text
                parameters = []
            case .sequence:
                guard (0x40...0x7E).contains(byte) else {
                    if parameters.count < Self.parametersLimit { parameters.append(byte) }
                    continue
                }
                sequence(endedBy: byte, &lines)
                state = .text
            case .command: if byte == 7 || byte == 0x5C { state = .text }
            }
        }
        partial = String(decoding: line, as: UTF8.self)
        tail.append(contentsOf: lines)
        if tail.count > Self.tailLimit { tail.removeFirst(tail.count - Self.tailLimit) }
        return lines
    }

    private mutating func sequence(endedBy final: UInt8, _ lines: inout [String]) {
        switch final {
        // H and f put the cursor somewhere. SeaBIOS does that in the middle of a word, to where the cursor is already.
        case 0x48, 0x66:
            let numbers = parameters.split(separator: 0x3B, omittingEmptySubsequences: false)
                .map { Int(String(decoding: $0, as: UTF8.self)) ?? 1 }
            goal = Place(row: max(numbers.first ?? 1, 1), column: max(numbers.dropFirst().first ?? 1, 1))
        // d moves to another row, J erases: what follows is another line.
        case 0x64, 0x4A: end(&lines)
        default: break
        }
    }

    /// Text comes where the cursor was put: it is the line's, or another line.
    private mutating func arrive(_ lines: inout [String]) {
        guard let goal else { return }
        self.goal = nil
        // Bytes that continue a character have no column.
        let length = line.count { $0 & 0xC0 != 0x80 }
        if goal == Place(row: place.row, column: place.column + length) { return }
        end(&lines)
        place = goal
    }

    private mutating func text(_ byte: UInt8, _ lines: inout [String]) {
        if byte >= 0x20 { arrive(&lines) }
        switch byte {
        case 0x1B: state = .escape
        case 0x0A:
            end(&lines)
            let row = goal?.row ?? place.row
            goal = nil
            place = Place(row: min(row + 1, Self.rows), column: 1)
        // A bare return overwrites the line: systemd's running jobs do that.
        case 0x0D: if line.last != 0x0D { line.append(byte) }
        case 0x08: if !line.isEmpty { line.removeLast() }
        case 0..<0x20, 0x7F: if byte == 9 { line.append(0x20) }
        default:
            if line.last == 0x0D {
                end(&lines)
                place.column = 1
            }
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
