import Guest

/// A file of sections and `key=value` lines, as systemd and NetworkManager have them, edited in place.
struct INIFile {
    struct Entry {
        var section: Int
        var key: String
        var value: String
        fileprivate var lines: Range<Int>
    }

    private var text: TextLines
    /// The names of the sections in the file's order; one may be there more than once.
    private(set) var sections: [String] = []
    private var headers: [Int] = []
    private(set) var entries: [Entry] = []

    init(_ text: String) {
        self.text = TextLines(text)
        var number = 0
        while number < self.text.lines.count {
            let first = number
            var line = (self.text.lines[number] ?? "").trimmed
            number += 1
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("[") {
                sections.append(String(line.dropFirst().prefix { $0 != "]" }))
                headers.append(first)
                continue
            }
            var parts: [String] = []
            while line.hasSuffix("\\"), number < self.text.lines.count {
                parts.append(String(line.dropLast()))
                line = (self.text.lines[number] ?? "").trimmed
                number += 1
            }
            line = (parts + [line]).joined(separator: " ")
            guard !sections.isEmpty, let equals = line.firstIndex(of: "=") else { continue }
            entries.append(
                Entry(
                    section: sections.count - 1, key: line[..<equals].trimmed,
                    value: line[line.index(after: equals)...].trimmed, lines: first..<number))
        }
    }

    var rendered: String { text.text }

    func entries(_ section: String, _ keys: String...) -> [Entry] {
        entries.filter { sections[$0.section] == section && keys.contains($0.key) }
    }

    /// The values of a key wherever its section is, without empty ones.
    func values(_ section: String, _ keys: String...) -> [String] {
        entries.filter { sections[$0.section] == section && keys.contains($0.key) && !$0.value.isEmpty }.map(\.value)
    }

    /// The value that counts where a key is given more than once.
    func value(_ section: String, _ key: String) -> String? { values(section, key).last }

    mutating func remove(where matches: (_ section: String, Entry) -> Bool) {
        for entry in entries where matches(sections[entry.section], entry) { erase(entry.lines) }
        let names = sections
        entries.removeAll { matches(names[$0.section], $0) }
    }

    /// Takes whole sections away, with their headings; comments stay.
    mutating func removeSections(named names: Set<String>) {
        for index in sections.indices where names.contains(sections[index]) {
            let end = index + 1 < headers.count ? headers[index + 1] : text.lines.count
            for line in headers[index]..<end {
                let content = (text.lines[line] ?? "").trimmed
                let isLast = line == text.lines.count - 1
                if !isLast, !content.hasPrefix("#"), !content.hasPrefix(";") { text.lines[line] = nil }
                if isLast, !content.isEmpty { text.lines[line] = "" }
            }
        }
        let all = sections
        entries.removeAll { names.contains(all[$0.section]) }
    }

    /// Gives a key one value: where it stands first, else directly under the section's heading, else in a new section.
    mutating func set(_ section: String, _ key: String, _ value: String) {
        let line = "\(key)=\(value)"
        let old = entries(section, key)
        if let first = old.first {
            if old.count == 1, first.value == value { return }
            for entry in old { erase(entry.lines) }
            text.lines[first.lines.lowerBound] = line
        } else if let index = sections.firstIndex(of: section), let heading = text.lines[headers[index]] {
            text.lines[headers[index]] = heading + "\n" + line
        } else {
            while text.lines.count > 1, text.lines.last == "" { text.lines.removeLast() }
            text.lines += ["", "[\(section)]", line, ""]
        }
        self = INIFile(rendered)
    }

    private mutating func erase(_ lines: Range<Int>) {
        for line in lines { text.lines[line] = nil }
    }
}
