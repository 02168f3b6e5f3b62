/// Text for GRUB's script language, made so that nothing in it means more than it says.
///
/// Bytes, not characters: titles and kernel parameters are in whatever encoding the guest uses.
enum GrubScript {
    private static let quote = UInt8(ascii: "'")

    /// Single quotes hold everything in GRUB's language but a single quote.
    static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        var result = [quote]
        for byte in bytes { result += byte == quote ? Array("'\\''".utf8) : [byte] }
        return result + [quote]
    }

    static func quoted(_ text: String) -> String { String(decoding: quoted(Array(text.utf8)), as: UTF8.self) }

    /// Kernel parameters as GRUB would read them in a script: words with their quotes taken off and put back where
    /// they are needed. Variables stay variables, everything else is a literal: no second command can hide in it.
    static func words(_ text: [UInt8]) -> [UInt8] {
        var words: [[UInt8]] = []
        var word: [UInt8] = []
        var piece: [UInt8] = []
        var open: UInt8?
        func flush() {
            if !piece.isEmpty { word += literal(piece) }
            piece = []
        }
        func finish() {
            flush()
            if !word.isEmpty { words.append(word) }
            word = []
        }
        var at = 0
        while at < text.count {
            let byte = text[at]
            at += 1
            if open == nil, isBlank(byte) {
                finish()
            } else if byte == open {
                open = nil
            } else if open == nil, byte == quote || byte == UInt8(ascii: "\"") {
                open = byte
            } else if byte == UInt8(ascii: "\\"), open != quote {
                let next = at < text.count ? text[at] : nil
                // In double quotes a backslash only stands before what it can escape.
                if open == nil || next.map({ "$\"\\".utf8.contains($0) }) ?? false {
                    if let next { piece.append(next) }
                    at += 1
                } else {
                    piece.append(byte)
                }
            } else if byte == UInt8(ascii: "$"), open != quote, let variable = variable(text[at...]) {
                at = variable.end
                flush()
                let name = Array("${".utf8) + variable.name + Array("}".utf8)
                word += open == nil ? name : [0x22] + name + [0x22]
            } else {
                piece.append(byte)
            }
        }
        finish()
        return Array(words.joined(separator: [0x20]))
    }

    /// The name behind a dollar sign: `name` or `{name}`.
    private static func variable(_ text: ArraySlice<UInt8>) -> (name: [UInt8], end: Int)? {
        guard let first = text.first else { return nil }
        let isBraced = first == UInt8(ascii: "{")
        let name = text.dropFirst(isBraced ? 1 : 0).prefix(while: isPartOfName)
        guard let letter = name.first, !(0x30...0x39).contains(letter) else { return nil }
        guard isBraced else { return (Array(name), name.endIndex) }
        guard name.endIndex < text.endIndex, text[name.endIndex] == UInt8(ascii: "}") else { return nil }
        return (Array(name), name.endIndex + 1)
    }

    private static func literal(_ bytes: [UInt8]) -> [UInt8] {
        bytes.allSatisfy { isAlphanumeric($0) || "_.,:=@%+/-".utf8.contains($0) } ? bytes : quoted(bytes)
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
    private static func isPartOfName(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || byte == UInt8(ascii: "_") }
}
