/// A file of shell assignments, as /etc/sysconfig has them, edited in place.
///
/// What initscripts' shell and NetworkManager's own reader both take: quotes of either kind, `export`, comments, several
/// assignments on a line, quoted text over several lines. Nothing is ever expanded.
struct ShellVariables {
    private struct Assignment {
        var key: String
        var value: String
        /// As it is written: `IPADDR="10.0.0.5"`.
        var raw: String
    }

    /// A line, or more where a quoted text goes on.
    private struct Item {
        var text: String
        /// Empty for what isn't understood, which is kept.
        var assignments: [Assignment] = []
    }

    private var items: [Item] = [] {
        didSet { index() }
    }
    private var last: [String: String] = [:]

    init(_ text: String) {
        var items: [Item] = []
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        var number = 0
        while number < lines.count {
            var item = String.UnicodeScalarView(lines[number])
            number += 1
            // A quote that isn't closed within ten lines is a mistake, not a text.
            var end = number
            while Self.isOpen(item), end < lines.count, end - number < 10 {
                item.append("\n")
                item.append(contentsOf: lines[end])
                end += 1
            }
            if Self.isOpen(item) { item = String.UnicodeScalarView(lines[number - 1]) } else { number = end }
            let text = String(item)
            items.append(Item(text: text, assignments: Self.assignments(Array(item))))
        }
        self.items = items
        index()
    }

    private mutating func index() {
        last = [:]
        for item in items {
            for assignment in item.assignments { last[assignment.key] = assignment.value }
        }
    }

    var rendered: String { items.map(\.text).joined(separator: "\n") }

    /// In the file's order; a key may be there twice.
    var keys: [String] { items.flatMap { $0.assignments.map(\.key) } }

    /// The value that counts: the last one; nil where it is empty or missing.
    subscript(_ key: String) -> String? {
        last[key].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// yes, true, on, y, t or 1, as both readers take it.
    func isOn(_ key: String) -> Bool { Self.truth(self[key]) == true }

    func isOff(_ key: String) -> Bool { Self.truth(self[key]) == false }

    private static func truth(_ value: String?) -> Bool? {
        switch value?.lowercased() {
        case "yes", "true", "on", "y", "t", "1": true
        case "no", "false", "off", "n", "f", "0": false
        default: nil
        }
    }

    /// The values of all keys that match, in the file's order, without empty ones.
    func values(where matches: (String) -> Bool) -> [String] {
        var seen: Set<String> = []
        return keys.filter { matches($0) && seen.insert($0).inserted }.compactMap { self[$0] }
    }

    mutating func remove(where matches: (String) -> Bool) {
        items = items.compactMap { item in
            let rest = item.assignments.filter { !matches($0.key) }
            guard rest.count < item.assignments.count else { return item }
            guard !rest.isEmpty else { return nil }
            return Item(text: rest.map(\.raw).joined(separator: "; "), assignments: rest)
        }
    }

    /// Gives a key one value: where it stands, quoted as it was; else behind the last assignment.
    mutating func set(_ key: String, _ value: String) {
        if self[key] == value { return }
        guard let place = items.lastIndex(where: { $0.assignments.contains { $0.key == key } }) else {
            let raw = "\(key)=\(Self.quoted(value, like: sampleQuote))"
            let item = Item(text: raw, assignments: [Assignment(key: key, value: value, raw: raw)])
            let last = items.lastIndex { !$0.assignments.isEmpty } ?? items.lastIndex { !$0.text.isEmpty } ?? -1
            var all = items
            all.insert(item, at: last + 1)
            if all.last?.text.isEmpty == false { all.append(Item(text: "")) }
            items = all
            return
        }
        var item = items[place]
        for index in item.assignments.indices where item.assignments[index].key == key {
            let old = item.assignments[index].raw
            let start = old.prefix { $0 != "=" }
            let quote = old.dropFirst(start.count + 1).first.flatMap { "\"'".contains($0) ? $0 : nil }
            item.assignments[index].raw = "\(start)=\(Self.quoted(value, like: quote))"
            item.assignments[index].value = value
        }
        item.text = item.assignments.map(\.raw).joined(separator: "; ")
        items[place] = item
    }

    /// The quote that the file's own first value has.
    private var sampleQuote: Character? {
        guard let raw = items.lazy.compactMap({ $0.assignments.first?.raw }).first,
            let equals = raw.firstIndex(of: "=")
        else { return nil }
        return raw[raw.index(after: equals)...].first.flatMap { "\"'".contains($0) ? $0 : nil }
    }

    /// Values of ours have no quotes in them; should one, what a shell could read another way goes.
    private static func quoted(_ value: String, like quote: Character?) -> String {
        let plain = value.filter { !"'\"\\$`\n".contains($0) }
        let needsQuote = plain.isEmpty || plain.contains { " \t;&|<>()*?[]#~".contains($0) }
        guard let quote = quote ?? (needsQuote ? "\"" : nil) else { return plain }
        return "\(quote)\(plain)\(quote)"
    }

    // MARK: Reading

    /// Whether a line ends within a quoted text.
    private static func isOpen(_ line: String.UnicodeScalarView) -> Bool {
        var quote: Unicode.Scalar?
        var isEscaped = false
        var before: Unicode.Scalar = " "
        for scalar in line {
            defer { before = scalar }
            if isEscaped {
                isEscaped = false
            } else if scalar == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if scalar == open { quote = nil }
            } else if scalar == "#", before.isBlank {
                return false
            } else if scalar == "\"" || scalar == "'" {
                quote = scalar
            }
        }
        return quote != nil
    }

    private static func assignments(_ line: [Unicode.Scalar]) -> [Assignment] {
        var result: [Assignment] = []
        var at = 0
        while at < line.count {
            while at < line.count, line[at].isBlank || line[at] == ";" { at += 1 }
            guard at < line.count, line[at] != "#" else { break }
            let start = at
            if line[at...].starts(with: "export ".unicodeScalars) { at += "export ".count }
            while at < line.count, line[at].isBlank { at += 1 }
            let keyStart = at
            while at < line.count, isNameScalar(line[at]) { at += 1 }
            guard at > keyStart, at < line.count, line[at] == "=" else { return result }
            let key = text(line[keyStart..<at])
            at += 1
            let value = word(line, &at)
            result.append(Assignment(key: key, value: value, raw: text(line[start..<at])))
        }
        return result
    }

    private static func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.isASCII && (scalar.properties.isAlphabetic || "0"..."9" ~= scalar)
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }

    /// A shell word without its quotes.
    private static func word(_ line: [Unicode.Scalar], _ at: inout Int) -> String {
        var value = String.UnicodeScalarView()
        var quote: Unicode.Scalar?
        while at < line.count {
            let scalar = line[at]
            if let open = quote {
                if scalar == open {
                    quote = nil
                } else if scalar == "\\", open == "\"", at + 1 < line.count,
                    "\"\\$`\n".unicodeScalars.contains(line[at + 1])
                {
                    at += 1
                    value.append(line[at])
                } else {
                    value.append(scalar)
                }
            } else if scalar == "\"" || scalar == "'" {
                quote = scalar
            } else if scalar == "\\", at + 1 < line.count {
                at += 1
                value.append(line[at])
            } else if scalar.isBlank || scalar == ";" {
                break
            } else {
                value.append(scalar)
            }
            at += 1
        }
        return String(value)
    }
}
