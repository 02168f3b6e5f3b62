/// A value that is written as YAML 1.2, in block style.
indirect enum YAMLValue: Equatable {
    case text(String)
    case number(Int)
    case flag(Bool)
    /// In its order.
    case map([(key: String, value: YAMLValue)])
    case list([YAMLValue])

    static func == (left: YAMLValue, right: YAMLValue) -> Bool { left.document == right.document }

    /// One document, with its marker.
    var document: String { "---\n" + block(indent: 0) }

    private func block(indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .map(let entries):
            return entries.map { key, value in
                let name = margin + Self.plainKey(key) + ":"
                if let line = value.line { return "\(name) \(line)\n" }
                return "\(name)\n" + value.block(indent: indent + 2)
            }.joined()
        case .list(let items):
            return items.map { item in
                if let line = item.line { return "\(margin)- \(line)\n" }
                // The first line's margin is where the dash goes.
                return "\(margin)- " + item.block(indent: indent + 2).dropFirst(indent + 2)
            }.joined()
        case .text, .number, .flag: return margin + (line ?? "") + "\n"
        }
    }

    /// What fits behind a key or a dash; nil for what takes lines of its own.
    private var line: String? {
        switch self {
        case .text(let text): Self.quoted(text)
        case .number(let number): "\(number)"
        case .flag(let flag): flag ? "true" : "false"
        case .map(let entries): entries.isEmpty ? "{}" : nil
        case .list(let items): items.isEmpty ? "[]" : nil
        }
    }

    /// Words that some version of YAML reads as a flag or as nothing.
    private static let reserved: Set<String> = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"]

    /// Keys of ours are words; any other is quoted.
    private static func plainKey(_ key: String) -> String {
        let isWord = key.utf8.allSatisfy {
            $0 < 128 && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
        }
        return isWord && !key.isEmpty && !reserved.contains(key.lowercased()) ? key : quoted(key)
    }

    /// Double quotes, always: a plain scalar may be a number, a flag, a comment, an alias. All but printable ASCII is
    /// escaped (YAML 1.2.2, section 5.7), so no line break, byte order mark or surrogate ends it.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: result += "\\\""
            case 0x5C: result += "\\\\"
            case 0x20...0x7E: result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value < 0x100 ? 2 : scalar.value < 0x10000 ? 4 : 8
                let letter = width == 2 ? "x" : width == 4 ? "u" : "U"
                result += "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}
