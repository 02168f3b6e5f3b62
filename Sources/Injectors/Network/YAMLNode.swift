/// A part of a YAML text with its place, so that the text can be edited in place.
struct YAMLNode {
    enum Value {
        /// Without its quotes; an absent value is the empty one.
        case scalar(String)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    var value: Value
    /// The bytes from its first to its last character, comments behind it left out.
    var range: Range<Int>
    /// `[…]` or `{…}`.
    var isFlow = false

    var scalar: String? { if case .scalar(let text) = value { text } else { nil } }
    var entries: [YAMLEntry] { if case .mapping(let entries) = value { entries } else { [] } }
    var items: [YAMLNode] { if case .sequence(let items) = value { items } else { [] } }
    var isMapping: Bool { if case .mapping = value { true } else { false } }

    subscript(_ key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

    /// A list's words; one word stands for a list of one. Of an item that is a mapping, its first key counts:
    /// `- 10.0.0.5/24: {label: x}`.
    var words: [String] {
        switch value {
        case .scalar(let text): text.isEmpty ? [] : [text]
        case .sequence(let items): items.compactMap { $0.scalar ?? $0.entries.first?.key }.filter { !$0.isEmpty }
        case .mapping: []
        }
    }

    /// YAML 1.1 knows many words for the two; nil for none of them.
    var truth: Bool? {
        switch scalar?.lowercased() {
        case "true", "yes", "on", "y", "1": true
        case "false", "no", "off", "n", "0": false
        default: nil
        }
    }

    /// The node as one line of flow style, for a report.
    var summary: String {
        switch value {
        case .scalar(let text): text
        case .sequence(let items): "[" + items.map(\.summary).joined(separator: ", ") + "]"
        case .mapping(let entries):
            "{" + entries.map { "\($0.key): \($0.value.summary)" }.joined(separator: ", ") + "}"
        }
    }
}

/// One key of a mapping and what it stands for.
struct YAMLEntry {
    var key: String
    /// Where the key starts.
    var start: Int
    /// Behind the colon.
    var valueStart: Int
    var value: YAMLNode

    var end: Int { max(valueStart, value.range.upperBound) }
}

/// Why a text isn't edited: what it has that we don't know how to keep.
struct YAMLError: Error, Equatable {
    var reason: String
}

/// Edits of one text, applied all at once.
struct YAMLEdits {
    private let bytes: [UInt8]
    private var edits: [(range: Range<Int>, text: [UInt8])] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isEmpty: Bool { edits.isEmpty }

    var result: [UInt8] {
        var result = bytes
        var limit = bytes.count
        // From the end; of two that start at one place, an insertion comes to stand before what replaces the text.
        let order = edits.enumerated().sorted { left, right in
            let (one, other) = (left.element.range, right.element.range)
            if one.lowerBound != other.lowerBound { return one.lowerBound > other.lowerBound }
            if one.upperBound != other.upperBound { return one.upperBound > other.upperBound }
            return left.offset > right.offset
        }
        for (_, edit) in order where edit.range.upperBound <= limit {
            result.replaceSubrange(edit.range, with: edit.text)
            limit = edit.range.lowerBound
        }
        return result
    }

    mutating func replace(_ range: Range<Int>, with text: String) { edits.append((range, Array(text.utf8))) }

    /// Another value for an entry, on the entry's own line.
    mutating func setValue(of entry: YAMLEntry, to text: String) {
        if case .scalar = entry.value.value, !entry.value.range.isEmpty {
            replace(entry.value.range, with: text)
        } else {
            replace(entry.valueStart..<entry.end, with: " " + text)
        }
    }

    /// A mapping without some keys, and with others, given as text: `dhcp4: true`. Inside a mapping of flow style
    /// nothing else may be edited, as it is written anew.
    /// - Returns: false where nothing would be left, and nothing is done.
    @discardableResult
    mutating func edit(_ mapping: YAMLNode, removing: Set<String>, adding: [String]) -> Bool {
        let entries = mapping.entries
        let kept = entries.filter { !removing.contains($0.key) }
        guard !kept.isEmpty || !adding.isEmpty else { return false }
        guard kept.count < entries.count || !adding.isEmpty else { return true }
        guard !entries.isEmpty, !mapping.isFlow else {
            let texts = kept.map { String(decoding: bytes[$0.start..<$0.end], as: UTF8.self) } + adding
            let space = mapping.range.isEmpty ? " " : ""
            replace(mapping.range, with: space + "{" + texts.joined(separator: ", ") + "}")
            return true
        }
        editBlock(entries, removing: removing, adding: adding)
        return true
    }

    private mutating func editBlock(_ entries: [YAMLEntry], removing: Set<String>, adding: [String]) {
        let indent = String(repeating: " ", count: entries[0].start - lineStart(entries[0].start))
        let isFirstInline = !isIndentation(lineStart(entries[0].start)..<entries[0].start)
        var pending = adding
        func take() -> [String] {
            defer { pending = [] }
            return pending
        }
        var index = 0
        if isFirstInline {
            // `- key: value`: what comes next moves up behind the dash.
            let first = entries.firstIndex { !removing.contains($0.key) } ?? entries.count
            if first > 0 {
                let lines = take()
                if first < entries.count {
                    let text = lines.map { $0 + "\n" + indent }.joined()
                    replace(entries[0].start..<entries[first].start, with: text)
                } else {
                    replace(entries[0].start..<entries[first - 1].end, with: lines.joined(separator: "\n" + indent))
                }
            }
            index = first
        }
        while index < entries.count {
            let entry = entries[index]
            index += 1
            guard removing.contains(entry.key) else { continue }
            let text = take().map { indent + $0 + "\n" }.joined()
            replace(lineStart(entry.start)..<nextLine(entry.end), with: text)
        }
        if let last = entries.last, !pending.isEmpty {
            let end = nextLine(last.end)
            let isCut = end == bytes.count && bytes.last != 10
            replace(end..<end, with: (isCut ? "\n" : "") + take().map { indent + $0 + "\n" }.joined())
        }
    }

    /// Takes items out of a block sequence, each with its lines.
    mutating func removeItems(_ items: [YAMLNode]) {
        for item in items { replace(lineStart(item.range.lowerBound)..<nextLine(item.range.upperBound), with: "") }
    }

    private func lineStart(_ place: Int) -> Int {
        (bytes[..<place].lastIndex(of: 10) ?? -1) + 1
    }

    private func nextLine(_ place: Int) -> Int {
        (bytes[place...].firstIndex(of: 10) ?? bytes.count - 1) + 1
    }

    private func isIndentation(_ range: Range<Int>) -> Bool { bytes[range].allSatisfy { $0 == 32 } }
}
