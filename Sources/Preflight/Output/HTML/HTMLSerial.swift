/// The serial log: one `pre`, with marks only where the evidence is.
struct HTMLSerial {
    private static let mostMarks = 200
    private static let mostSearched = 20

    /// A line of evidence to the id of its mark.
    private(set) var marks: [String: String] = [:]
    private let log: SerialLog
    private let tail: [String]
    private let id: String
    private var marked: [Int: String] = [:]

    init(_ bytes: [UInt8], tail: [String], evidence: [Evidence], id: String) {
        log = SerialLog(bytes)
        self.tail = tail
        self.id = id
        let sought = evidence.filter { [.serial, .firmware, .witness].contains($0.source) }.flatMap(\.lines)
        find(Set(sought.prefix(2_000).map(Self.key)))
    }

    /// Lines are compared without the white space around them.
    static func key(_ line: String) -> String {
        var text = GuestText.line(line)[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    private mutating func find(_ sought: Set<String>) {
        var missing = sought.filter { $0.count >= 4 }
        let wanted = missing
        // From the end: there the failure is, should a line come more often than there are marks.
        for place in log.lines.indices.reversed() where marked.count < Self.mostMarks && !log.lines[place].isEmpty {
            let key = Self.key(log.lines[place])
            guard wanted.contains(key) else { continue }
            mark(place, for: key)
            missing.remove(key)
        }
        // Evidence that is only a part of its line: without the time stamp, or cut short.
        for part in missing.sorted().prefix(Self.mostSearched) where part.utf8.count >= 12 {
            let bytes = Array((part.hasSuffix("…") ? String(part.dropLast()) : part).utf8)
            let place = log.lines.lastIndex { Self.contains($0, bytes) }
            if let place { mark(place, for: part) }
        }
    }

    private mutating func mark(_ place: Int, for key: String) {
        let name = "\(id)-log-\(place + 1)"
        marked[place] = name
        if marks[key] == nil { marks[key] = name }
    }

    private static func contains(_ line: String, _ part: [UInt8]) -> Bool {
        var line = line
        return line.withUTF8 { bytes in
            guard let first = part.first, bytes.count >= part.count else { return false }
            for start in 0...(bytes.count - part.count) where bytes[start] == first {
                if bytes[start..<start + part.count].elementsEqual(part) { return true }
            }
            return false
        }
    }

    var markup: Markup? {
        guard !log.lines.isEmpty else {
            guard !tail.isEmpty else { return nil }
            return HTMLFacts.section(
                "Serial log", aside: "the last \(Wording.count(tail.count, "line"))", isOpen: false,
                "<div class=\"log\"><pre tabindex=\"0\">\(Markup.lines(tail, count: 2_000))</pre></div>\n")
        }
        let last = tail.isEmpty ? Array(log.lines.suffix(60)) : Array(tail.suffix(60))
        let aside = Wording.count(log.lines.count + log.leftOut, "line")
        let note: Markup? =
            log.leftOut == 0
            ? nil
            : """
            <p class="note">The last \(Wording.grouped(log.lines.count)) lines are shown; \
            \(Wording.grouped(log.leftOut)) before them are not.</p>

            """
        return """
            <details class="part serial"><summary><h3>Serial log</h3> <span class="aside">\(aside)</span></summary>
            \(note)\(tools)<div class="log" data-first="\(log.leftOut + 1)"><pre tabindex="0">\(text)</pre></div>
            </details>
            <div class="on-paper"><h3>Serial log, the end</h3><pre>\(Markup.lines(last))</pre></div>

            """
    }

    /// Buttons of the script; hidden without it.
    private var tools: Markup {
        let next: Markup? = marked.isEmpty ? nil : "<button type=\"button\" data-log=\"next\">Next mark</button>"
        return """
            <p class="tools" hidden>\(next)<button type="button" data-log="numbers" aria-pressed="false">\
            Line numbers</button><button type="button" data-log="end">To the end</button></p>

            """
    }

    private var text: Markup {
        var source = ""
        source.reserveCapacity(log.lines.count * 80)
        for (place, line) in log.lines.enumerated() {
            if let name = marked[place] {
                source += "<mark id=\"\(name)\">\(GuestText.escaped(line))</mark>\n"
            } else {
                source += GuestText.escaped(line)
                source += "\n"
            }
        }
        return Markup(trusted: source)
    }
}
