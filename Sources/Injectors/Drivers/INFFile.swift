internal import Guest

/// A Windows setup information file as its sections: what the lines say, before anything is made of them. The format is
/// Microsoft's "INF file sections and directives"; names of sections, keys and strings have no case.
struct INFFile: Equatable, Sendable {
    struct Line: Equatable, Sendable {
        /// What stands before "="; nil where nothing does.
        var key: String?
        /// The same before strings are put in: "%VENDOR%".
        var rawKey: String?
        /// What is between commas, without quotes; `%strings%` are put in.
        var values: [String]

        subscript(_ index: Int) -> String { values.indices.contains(index) ? values[index] : "" }
    }

    /// By lower-case name; sections of the same name are one.
    private(set) var sections: [String: [Line]] = [:]
    /// By lower-case name.
    private(set) var strings: [String: String] = [:]

    /// In bytes; real ones have less than 200 KiB.
    static let sizeLimit = 4 << 20
    private static let lineLimit = 200_000

    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    /// ANSI, or UTF-16 with a byte order mark. ANSI is read as Latin-1: nothing that is used here is more than ASCII.
    init(_ bytes: [UInt8]) throws {
        guard bytes.count <= Self.sizeLimit else { throw Malformed(description: "it is larger than 4 MiB") }
        let text = Self.decode(bytes)
        var raw: [String: [(key: [Token]?, values: [[Token]])]] = [:]
        var section: String?
        var pending = ""
        var count = 0
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            count += 1
            guard count <= Self.lineLimit else { throw Malformed(description: "it has too many lines") }
            let bare = Self.withoutComment(line)
            // A backslash at the end of a line goes on in the next one; "C:\" as a value stands in quotes.
            if bare.hasSuffix("\\"), pending.utf8.count < 1 << 16 {
                pending += bare.dropLast() + " "
                continue
            }
            let whole = (pending + bare).trimmed
            pending = ""
            if whole.isEmpty { continue }
            if whole.hasPrefix("[") {
                guard let end = whole.firstIndex(of: "]") else {
                    throw Malformed(description: "line \(count) has a section name without an end")
                }
                section = whole[whole.index(after: whole.startIndex)..<end].trimmed.lowercased()
                raw[section ?? "", default: []] += []
            } else if let section {
                raw[section]?.append(Self.split(whole))
            }
        }
        learnStrings(raw)
        for (name, lines) in raw where name != "strings" && !name.hasPrefix("strings.") {
            sections[name] = lines.map { line in
                Line(
                    key: line.key.map(expanded), rawKey: line.key.map { $0.map(\.text).joined() },
                    values: line.values.map(expanded))
            }
        }
    }

    func lines(_ section: String) -> [Line] { sections[section.lowercased()] ?? [] }

    func has(_ section: String) -> Bool { sections[section.lowercased()] != nil }

    /// The line with a key; of several the last, as Windows reads them.
    func line(_ key: String, in section: String) -> Line? {
        lines(section).last { $0.key?.lowercased() == key.lowercased() }
    }

    /// The first value of a key; nil where there is none, or where it is empty.
    func value(_ key: String, in section: String) -> String? {
        line(key, in: section).flatMap { $0[0].isEmpty ? nil : $0[0] }
    }

    // MARK: Text

    private static func decode(_ bytes: [UInt8]) -> String {
        if bytes.starts(with: [0xFF, 0xFE]) {
            let number = LittleEndian(bytes)
            return String(decoding: (1..<max(1, bytes.count / 2)).map { number.u16(2 * $0) }, as: UTF16.self)
        }
        if bytes.starts(with: [0xFE, 0xFF]) {
            let units = (1..<max(1, bytes.count / 2)).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
            return String(decoding: units, as: UTF16.self)
        }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
        return GuestText.decode(Array(body))
    }

    private static func withoutComment(_ line: Substring) -> String {
        var quoted = false
        var end = line.endIndex
        for index in line.indices {
            if line[index] == "\"" { quoted.toggle() }
            if line[index] == ";", !quoted {
                end = index
                break
            }
        }
        return line[..<end].trimmed
    }

    // MARK: Values

    private struct Token {
        var text: String
        /// Whether it stood in quotes, where spaces count.
        var isQuoted: Bool
    }

    private static func split(_ line: String) -> (key: [Token]?, values: [[Token]]) {
        var key: [Token]?
        var values: [[Token]] = []
        var value: [Token] = []
        var bare = ""
        func close() {
            let text = bare.trimmed
            if !text.isEmpty { value.append(Token(text: text, isQuoted: false)) }
            bare = ""
        }
        var characters = Substring(line)
        while let character = characters.popFirst() {
            switch character {
            case "\"":
                close()
                value.append(Token(text: quoted(&characters), isQuoted: true))
            case "=" where key == nil && values.isEmpty:
                close()
                key = value
                value = []
            case ",":
                close()
                values.append(value)
                value = []
            default: bare.append(character)
            }
        }
        close()
        values.append(value)
        if values.count == 1, values[0].isEmpty { values = [] }
        return (key, values)
    }

    /// What is up to the closing quotes; two of them are one that is meant.
    private static func quoted(_ characters: inout Substring) -> String {
        var text = ""
        while let character = characters.popFirst() {
            if character == "\"" {
                guard characters.first == "\"" else { break }
                characters.removeFirst()
            }
            text.append(character)
        }
        return text
    }

    private mutating func learnStrings(_ raw: [String: [(key: [Token]?, values: [[Token]])]]) {
        // Those of a language are used where a string has no neutral text; which language doesn't matter here.
        let languages = raw.keys.filter { $0.hasPrefix("strings.") }.sorted()
        for name in languages + ["strings"] {
            for line in raw[name] ?? [] {
                guard let key = line.key else { continue }
                // A value may hold commas without quotes.
                let text = line.values.map { $0.map(\.text).joined() }.joined(separator: ",")
                strings[key.map(\.text).joined().lowercased()] = text
            }
        }
    }

    private func expanded(_ tokens: [Token]) -> String { tokens.map { expanded($0.text) }.joined() }

    /// `%name%` is the string of that name, `%%` a percent sign, `%12%` a directory that stays as it is.
    private func expanded(_ text: String) -> String {
        guard text.contains("%") else { return text }
        var result = ""
        var rest = Substring(text)
        while let start = rest.firstIndex(of: "%") {
            result += rest[..<start]
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: "%") else { return result + "%" + rest }
            let name = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if name.isEmpty {
                result += "%"
            } else if let string = strings[name.lowercased()] {
                result += string
            } else {
                result += "%\(name)%"
            }
        }
        return result + rest
    }
}
