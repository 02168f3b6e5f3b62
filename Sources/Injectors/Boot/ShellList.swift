/// A list of words in a shell variable, as sourced configuration files have it: `NAME="a b"` or `NAME=(a b)`.
struct ShellList {
    enum Brackets: Sendable {
        case quotes
        /// A bash array; older files have quotes.
        case parentheses
    }

    var variable: String
    /// What a new assignment gets.
    var brackets: Brackets

    /// The text with the words in the list; unchanged where it has them. The last assignment counts, as the shell has it.
    func adding(_ words: [String], to text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.lastIndex(where: { value(of: $0) != nil }), let first = value(of: lines[start]) else {
            return appending(words, to: text)
        }
        let (opening, closing): (Character, Character) =
            switch first.first {
            case "(": ("(", ")")
            case "'": ("'", "'")
            case "\"": ("\"", "\"")
            // One word without quotes, or nothing.
            default: (" ", " ")
            }
        guard opening != " " else {
            let word = first.prefix { !$0.isWhitespace && $0 != "#" && $0 != ";" }
            let all = (word.isEmpty ? [] : [String(word)]) + words.filter { $0 != word }
            guard all.count > 1 || word.isEmpty else { return text }
            lines[start] = assignment(all) + first.dropFirst(word.count)
            return lines.joined(separator: "\n")
        }
        // A list may go over several lines; what isn't closed is left as it is, and ours goes behind it.
        var present: Set<String> = []
        for index in start..<lines.count {
            let body = index == start ? first.dropFirst() : Substring(lines[index])
            let content = opening == "(" ? body.prefix { $0 != closing && $0 != "#" } : body.prefix { $0 != closing }
            present.formUnion(
                content.split(whereSeparator: \.isWhitespace).map { $0.filter { $0 != "\"" && $0 != "'" } })
            guard content.endIndex < body.endIndex, body[content.endIndex] == closing else { continue }
            let missing = words.filter { !present.contains($0) }
            guard !missing.isEmpty else { return text }
            let separator = content.last.map { $0.isWhitespace } ?? true ? "" : " "
            let before = lines[index].dropLast(body.count) + content
            lines[index] = before + separator + missing.joined(separator: " ") + body[content.endIndex...]
            return lines.joined(separator: "\n")
        }
        return appending(words, to: text)
    }

    /// What follows `NAME=` in a line that assigns it.
    private func value(of line: String) -> Substring? {
        let text = line.drop { $0.isWhitespace }
        return text.hasPrefix(variable + "=") ? text.dropFirst(variable.count + 1) : nil
    }

    private func assignment(_ words: [String]) -> String {
        let list = words.joined(separator: " ")
        return brackets == .quotes ? "\(variable)=\"\(list)\"" : "\(variable)=(\(list))"
    }

    private func appending(_ words: [String], to text: String) -> String {
        (text.isEmpty || text.hasSuffix("\n") ? text : text + "\n") + assignment(words) + "\n"
    }
}
