import Guest

/// One file of interfaces(5), edited in place.
struct IfupdownFile {
    /// A line with its continuations; comments and empty lines are left out.
    struct Line {
        fileprivate var range: Range<Int>
        var words: [String]

        var keyword: String { words.first ?? "" }
        var arguments: ArraySlice<String> { words.dropFirst() }
        /// What stands behind the keyword, as one text.
        var value: String { arguments.joined(separator: " ") }
    }

    /// `iface <name> <family> <method>` and its options.
    struct Stanza {
        var header: Line
        var options: [Line] = []

        var name: String { header.words.count > 1 ? header.words[1] : "" }
        var family: String { header.words.count > 2 ? header.words[2] : "" }
        var method: String { header.words.count > 3 ? header.words[3] : "" }
        /// By the family; without one, as ifupdown-ng allows, by the address.
        var isIPv6: Bool {
            family == "inet6" || (family.isEmpty && !addresses.isEmpty && addresses.allSatisfy(Address.isIPv6))
        }
        var addresses: [String] {
            let mask = values("netmask").last
            return values("address").map { Address.joined($0, mask: mask) }
        }

        /// The template that it builds upon.
        var inherits: String? {
            guard let at = header.words.firstIndex(of: "inherits") else { return nil }
            return header.words.dropFirst(at + 1).first
        }

        func values(_ keys: String...) -> [String] {
            options.filter { keys.contains(Self.normal($0.keyword)) }.map(\.value)
        }

        /// ifupdown's add-ons take underscores and dashes for the same.
        static func normal(_ keyword: String) -> String {
            String(keyword.map { $0 == "_" ? "-" : $0 })
        }
    }

    private var text: TextLines
    private(set) var stanzas: [Stanza] = []
    /// `auto`, `allow-…`, `no-auto-down` and such: lists of interfaces.
    private(set) var lists: [Line] = []
    private(set) var mappings: [Line] = []
    /// `source` and `source-directory`.
    private(set) var sources: [Line] = []

    init(_ text: String) {
        self.text = TextLines(text)
        var isInStanza = false
        for line in Self.logicalLines(self.text.lines) {
            let keyword = line.keyword
            switch keyword {
            case "iface":
                stanzas.append(Stanza(header: line))
                isInStanza = true
                continue
            case "mapping": mappings.append(line)
            case "source", "source-directory", "source-dir": sources.append(line)
            case "template", "rename": break
            case _ where keyword == "auto" || keyword.hasPrefix("allow-") || keyword.hasPrefix("no-"):
                lists.append(line)
            default:
                if isInStanza { stanzas[stanzas.count - 1].options.append(line) }
                continue
            }
            isInStanza = false
        }
    }

    private static func logicalLines(_ lines: [String?]) -> [Line] {
        var result: [Line] = []
        var number = 0
        while number < lines.count {
            let first = number
            var line = (lines[number] ?? "").trimmed
            number += 1
            // A comment isn't continued, whatever it ends in.
            if line.isEmpty || line.hasPrefix("#") { continue }
            var words: [String] = []
            while line.hasSuffix("\\"), number < lines.count {
                words += line.dropLast().words
                line = (lines[number] ?? "").trimmed
                number += 1
            }
            words += (line.hasSuffix("\\") ? String(line.dropLast()) : line).words
            if !words.isEmpty { result.append(Line(range: first..<number, words: words)) }
        }
        return result
    }

    var rendered: String { text.text }

    mutating func remove(_ line: Line) {
        for number in line.range { text.lines[number] = nil }
    }

    /// An option with another text; its indentation stays.
    mutating func replace(_ line: Line, with new: String) {
        let old = text.lines[line.range.lowerBound] ?? ""
        remove(line)
        let indentation = String.UnicodeScalarView(old.unicodeScalars.prefix(while: \.isBlank))
        text.lines[line.range.lowerBound] = String(indentation) + new
    }

    mutating func setMethod(_ method: String, of stanza: Stanza) {
        var words = stanza.header.words
        // `iface eth0` alone is how ifupdown-ng lets options tell the method.
        if words.count == 2 { words += [stanza.isIPv6 ? "inet6" : "inet", ""] }
        guard words.count > 3 else { return }
        words[3] = method
        replace(stanza.header, with: words.joined(separator: " "))
    }

    /// Takes interfaces out of the lists that bring them up.
    mutating func unlist(_ interfaces: Set<String>) {
        for line in lists where line.arguments.contains(where: { interfaces.contains($0) }) {
            let rest = line.words.filter { !interfaces.contains($0) }
            if rest.count > 1 { replace(line, with: rest.joined(separator: " ")) } else { remove(line) }
        }
    }
}
