/// Reads the YAML that network configurations are written in: block and flow style, comments, quotes.
///
/// What can't be edited safely line by line is refused with a reason: anchors, tags, several documents, tabs, scalars
/// over several lines, keys given twice. Depth is bounded; every step moves forward.
struct YAMLParser {
    private struct Line {
        /// Of the first character that isn't a blank.
        var start: Int
        var indent: Int
        /// Of the line's end, a carriage return left out.
        var end: Int
    }

    private static let depthLimit = 32
    private let bytes: [UInt8]
    private var lines: [Line] = []
    private var line = 0
    private var depth = 0

    /// - Parameter range: the part of the text that is read; it starts at a line's start.
    static func parse(_ bytes: [UInt8], in range: Range<Int>? = nil) throws(YAMLError) -> YAMLNode {
        var parser = try YAMLParser(bytes, range ?? 0..<bytes.count)
        guard let first = parser.lines.first else { return YAMLNode(value: .scalar(""), range: 0..<0) }
        let node = try parser.node(at: first.start, column: first.indent)
        guard parser.line == parser.lines.count else { throw YAMLError(reason: "its indentation is unclear") }
        return node
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) throws(YAMLError) {
        self.bytes = bytes
        var at = range.lowerBound
        while at < range.upperBound {
            let newline = bytes[at..<range.upperBound].firstIndex(of: 10) ?? range.upperBound
            var end = newline
            if end > at, bytes[end - 1] == 13 { end -= 1 }
            var start = at
            while start < end, bytes[start] == 32 { start += 1 }
            let content = bytes[start..<end]
            if start == at, content.starts(with: "---".utf8) || content.starts(with: "...".utf8) || content.first == 37
            {
                // One marker at the top is common; anything else is more than one document, or a directive.
                guard lines.isEmpty, content.starts(with: "---".utf8), Self.isBlank(content.dropFirst(3)) else {
                    throw YAMLError(reason: "it has several documents or directives")
                }
            } else if !Self.isBlank(content) {
                if content.first == 9 { throw YAMLError(reason: "it is indented with tabs") }
                lines.append(Line(start: start, indent: start - at, end: end))
            }
            at = newline + 1
        }
    }

    /// Nothing, or a comment.
    private static func isBlank(_ content: ArraySlice<UInt8>) -> Bool {
        guard let first = content.first(where: { $0 != 32 && $0 != 9 }) else { return true }
        return first == 35
    }

    private mutating func deeper<Result>(
        _ body: (inout YAMLParser) throws(YAMLError) -> Result
    ) throws(YAMLError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw YAMLError(reason: "it is nested too deeply") }
        return try body(&self)
    }

    // MARK: Block style

    /// What starts at a place in the current line. The current line is then the first that doesn't belong to it.
    private mutating func node(at place: Int, column: Int) throws(YAMLError) -> YAMLNode {
        try deeper { parser throws(YAMLError) in
            if parser.isDash(at: place) { return try parser.sequence(at: place, column: column) }
            if try parser.key(at: place) != nil { return try parser.mapping(at: place, column: column) }
            return try parser.inline(at: place, parentColumn: column - 1)
        }
    }

    private func isDash(at place: Int) -> Bool {
        bytes[place] == 45 && (place + 1 >= lines[line].end || bytes[place + 1] == 32)
    }

    private mutating func sequence(at place: Int, column: Int) throws(YAMLError) -> YAMLNode {
        var items: [YAMLNode] = []
        var at = place
        while true {
            var content = at + 1
            while content < lines[line].end, bytes[content] == 32 { content += 1 }
            if Self.isBlank(bytes[content..<lines[line].end]) {
                line += 1
                if line < lines.count, lines[line].indent > column {
                    items.append(try node(at: lines[line].start, column: lines[line].indent))
                } else {
                    items.append(YAMLNode(value: .scalar(""), range: at + 1..<at + 1))
                }
            } else {
                items.append(try node(at: content, column: column + content - at))
            }
            guard line < lines.count, lines[line].indent == column, isDash(at: lines[line].start) else { break }
            at = lines[line].start
        }
        return YAMLNode(value: .sequence(items), range: place..<(items.last?.range.upperBound ?? place + 1))
    }

    private mutating func mapping(at place: Int, column: Int) throws(YAMLError) -> YAMLNode {
        var entries: [YAMLEntry] = []
        var seen: Set<String> = []
        var at = place
        while true {
            guard let (name, colon) = try key(at: at) else { throw YAMLError(reason: "a line in it has no key") }
            guard seen.insert(name).inserted else { throw YAMLError(reason: "it has '\(name)' twice in one place") }
            let value = try value(behind: colon + 1, column: column)
            entries.append(YAMLEntry(key: name, start: at, valueStart: colon + 1, value: value))
            guard line < lines.count, lines[line].indent >= column else { break }
            guard lines[line].indent == column else { throw YAMLError(reason: "its indentation is unclear") }
            if isDash(at: lines[line].start) { break }
            at = lines[line].start
        }
        return YAMLNode(value: .mapping(entries), range: place..<(entries.last?.end ?? place))
    }

    private mutating func value(behind place: Int, column: Int) throws(YAMLError) -> YAMLNode {
        var content = place
        while content < lines[line].end, bytes[content] == 32 || bytes[content] == 9 { content += 1 }
        if Self.isBlank(bytes[content..<lines[line].end]) {
            line += 1
            guard line < lines.count else { return YAMLNode(value: .scalar(""), range: place..<place) }
            let next = lines[line]
            if next.indent > column || (next.indent == column && isDash(at: next.start)) {
                return try node(at: next.start, column: next.indent)
            }
            return YAMLNode(value: .scalar(""), range: place..<place)
        }
        return try inline(at: content, parentColumn: column)
    }

    /// A scalar or flow collection that starts in the current line.
    private mutating func inline(at place: Int, parentColumn: Int) throws(YAMLError) -> YAMLNode {
        switch bytes[place] {
        case 124, 62: return blockScalar(at: place, parentColumn: parentColumn)
        case 91, 123:
            var at = place
            let node = try flow(&at)
            // A flow collection may have taken several lines.
            while line < lines.count, lines[line].end < at { line += 1 }
            guard line < lines.count else { throw YAMLError(reason: "a bracket in it isn't closed") }
            try finishLine(behind: at, parentColumn: parentColumn)
            return node
        default:
            var at = place
            let text = try scalar(&at, isFlow: false)
            try finishLine(behind: at, parentColumn: parentColumn)
            return YAMLNode(value: .scalar(text), range: place..<at)
        }
    }

    private mutating func finishLine(behind at: Int, parentColumn: Int) throws(YAMLError) {
        guard at >= lines[line].end || Self.isBlank(bytes[at..<lines[line].end]) else {
            throw YAMLError(reason: "a value in it goes on behind its end")
        }
        line += 1
        if line < lines.count, lines[line].indent > parentColumn {
            throw YAMLError(reason: "a value in it takes several lines")
        }
    }

    private mutating func blockScalar(at place: Int, parentColumn: Int) -> YAMLNode {
        var end = lines[line].end
        line += 1
        while line < lines.count, lines[line].indent > parentColumn {
            end = lines[line].end
            line += 1
        }
        return YAMLNode(value: .scalar("…"), range: place..<end)
    }

    /// A key of a block mapping and the place of its colon; nil where a line has none.
    private func key(at place: Int) throws(YAMLError) -> (String, Int)? {
        let end = lines[line].end
        if bytes[place] == 91 || bytes[place] == 123 || bytes[place] == 124 || bytes[place] == 62 { return nil }
        if bytes[place] == 63, place + 1 == end || bytes[place + 1] == 32 {
            throw YAMLError(reason: "it has complex keys")
        }
        var at = place
        let text = try scalar(&at, isFlow: false, isKey: true)
        while at < end, bytes[at] == 32 { at += 1 }
        guard at < end, bytes[at] == 58, at + 1 == end || bytes[at + 1] == 32 || bytes[at + 1] == 9 else { return nil }
        return (text, at)
    }

    // MARK: Scalars and flow style

    /// A quoted or plain scalar; `at` is then behind it.
    private func scalar(_ at: inout Int, isFlow: Bool, isKey: Bool = false) throws(YAMLError) -> String {
        let place = at
        let limit = isFlow ? bytes.count : lines[line].end
        switch bytes[place] {
        case 34, 39: return try quoted(&at, limit)
        case 38, 42: throw YAMLError(reason: "it has anchors or aliases")
        case 33: throw YAMLError(reason: "it has tags")
        case 64, 96, 37: throw YAMLError(reason: "a value in it starts with a reserved character")
        default: break
        }
        var end = place
        while at < limit, bytes[at] != 10, bytes[at] != 13 {
            let byte = bytes[at]
            let next = at + 1 < limit ? bytes[at + 1] : 32
            if byte == 58, next == 32 || next == 9 || next == 10 || next == 13 { break }
            if byte == 58, isFlow, [44, 91, 93, 123, 125].contains(next) { break }
            if byte == 35, at > place, bytes[at - 1] == 32 || bytes[at - 1] == 9 { break }
            if isFlow, [44, 91, 93, 123, 125].contains(byte) { break }
            at += 1
            if byte != 32, byte != 9 { end = at }
        }
        if !isKey, !isFlow, at < limit, bytes[at] == 58 {
            throw YAMLError(reason: "a value in it has a colon in an odd place")
        }
        at = end
        return String(decoding: bytes[place..<end], as: UTF8.self)
    }

    private func quoted(_ at: inout Int, _ limit: Int) throws(YAMLError) -> String {
        let quote = bytes[at]
        var text: [UInt8] = []
        at += 1
        while at < limit, bytes[at] != 10 {
            let byte = bytes[at]
            at += 1
            if byte == 92, quote == 34, at < limit {
                // Names and addresses need no escapes but these two.
                guard bytes[at] == 34 || bytes[at] == 92 else {
                    text += [byte, bytes[at]]
                    at += 1
                    continue
                }
                text.append(bytes[at])
                at += 1
            } else if byte == quote {
                guard quote == 39, at < limit, bytes[at] == 39 else { return String(decoding: text, as: UTF8.self) }
                text.append(39)
                at += 1
            } else {
                text.append(byte)
            }
        }
        throw YAMLError(reason: "a quoted text in it takes several lines")
    }

    private func skipFlowSpace(_ at: inout Int) {
        while at < bytes.count {
            if bytes[at] == 35, at == 0 || [32, 9, 10, 13].contains(bytes[at - 1]) {
                at = bytes[at...].firstIndex(of: 10) ?? bytes.count
            } else if [32, 9, 10, 13].contains(bytes[at]) {
                at += 1
            } else {
                return
            }
        }
    }

    private mutating func flow(_ at: inout Int) throws(YAMLError) -> YAMLNode {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw YAMLError(reason: "it is nested too deeply") }
        let start = at
        let isMapping = bytes[at] == 123
        let close: UInt8 = isMapping ? 125 : 93
        var items: [YAMLNode] = []
        var entries: [YAMLEntry] = []
        at += 1
        while true {
            skipFlowSpace(&at)
            guard at < bytes.count else { throw YAMLError(reason: "a bracket in it isn't closed") }
            if bytes[at] == close { break }
            let itemStart = at
            var item = try flowItem(&at)
            skipFlowSpace(&at)
            if at < bytes.count, bytes[at] == 58 {
                guard let key = item.scalar else { throw YAMLError(reason: "it has complex keys") }
                at += 1
                let valueStart = at
                skipFlowSpace(&at)
                guard at < bytes.count else { throw YAMLError(reason: "a bracket in it isn't closed") }
                let isAbsent = bytes[at] == 44 || bytes[at] == close
                let value = isAbsent ? YAMLNode(value: .scalar(""), range: valueStart..<valueStart) : try flowItem(&at)
                let entry = YAMLEntry(key: key, start: itemStart, valueStart: valueStart, value: value)
                if isMapping { entries.append(entry) }
                item = YAMLNode(value: .mapping([entry]), range: itemStart..<entry.end, isFlow: true)
            } else if isMapping {
                let absent = YAMLNode(value: .scalar(""), range: item.range.upperBound..<item.range.upperBound)
                entries.append(
                    YAMLEntry(
                        key: item.scalar ?? "", start: itemStart, valueStart: item.range.upperBound, value: absent))
            }
            items.append(item)
            skipFlowSpace(&at)
            guard at < bytes.count, bytes[at] == 44 || bytes[at] == close else {
                throw YAMLError(reason: "a bracket in it isn't closed")
            }
            if bytes[at] == 44 { at += 1 }
        }
        at += 1
        if Set(entries.map(\.key)).count < entries.count { throw YAMLError(reason: "it has a key twice in one place") }
        return YAMLNode(value: isMapping ? .mapping(entries) : .sequence(items), range: start..<at, isFlow: true)
    }

    private mutating func flowItem(_ at: inout Int) throws(YAMLError) -> YAMLNode {
        if bytes[at] == 91 || bytes[at] == 123 { return try flow(&at) }
        let start = at
        let text = try scalar(&at, isFlow: true)
        guard at > start else { throw YAMLError(reason: "a value in it starts with a reserved character") }
        return YAMLNode(value: .scalar(text), range: start..<at)
    }
}
