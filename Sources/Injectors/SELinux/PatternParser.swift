/// Reads the part of PCRE's syntax that file_contexts use: literals, `.`, classes, groups, `|`, `*`, `+`, `?`, `{n,m}`,
/// escapes, and anchors at either end.
struct PatternParser {
    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0

    private static let depthLimit = 32
    /// Of `{n,m}`.
    private static let countLimit = 255

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// nil where something isn't understood.
    mutating func parse() -> PatternNode? {
        guard let node = choice(), at == bytes.count else { return nil }
        return node
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func choice() -> PatternNode? {
        var parts: [PatternNode] = []
        while true {
            guard let part = sequence() else { return nil }
            parts.append(part)
            guard next == UInt8(ascii: "|") else { break }
            at += 1
        }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() -> PatternNode? {
        var nodes: [PatternNode] = []
        while let byte = next, byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            // The whole path is matched anyway.
            if byte == UInt8(ascii: "^"), at == 0 || depth > 0 && nodes.isEmpty {
                at += 1
                continue
            }
            if byte == UInt8(ascii: "$"), at == bytes.count - 1 {
                at += 1
                continue
            }
            guard let atom = atom(byte), let node = repetition(of: atom) else { return nil }
            nodes.append(node)
        }
        return .sequence(nodes)
    }

    private mutating func atom(_ byte: UInt8) -> PatternNode? {
        at += 1
        switch byte {
        case UInt8(ascii: "."): return .byte(.any)
        case UInt8(ascii: "["): return bracket().map { .byte($0) }
        case UInt8(ascii: "("):
            if bytes[at...].starts(with: "?:".utf8) { at += 2 }
            depth += 1
            defer { depth -= 1 }
            guard next != UInt8(ascii: "?"), depth <= Self.depthLimit, let node = choice(),
                next == UInt8(ascii: ")")
            else { return nil }
            at += 1
            return node
        case UInt8(ascii: "\\"):
            guard let escaped = next else { return nil }
            at += 1
            if let known = Self.escape(escaped) { return .byte(known) }
            // Letters that stand for something else aren't guessed at.
            guard !Self.isLetterOrDigit(escaped) else { return nil }
            return .byte(ByteSet(escaped), literal: escaped)
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "$"): return nil
        default: return .byte(ByteSet(byte), literal: byte)
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// \d, \w, \s
    private static func escape(_ byte: UInt8) -> ByteSet? {
        var set = ByteSet()
        switch byte {
        case UInt8(ascii: "d"): for digit: UInt8 in 0x30...0x39 { set.insert(digit) }
        case UInt8(ascii: "w"):
            for byte: UInt8 in 0...0x7F where isLetterOrDigit(byte) || byte == UInt8(ascii: "_") { set.insert(byte) }
        case UInt8(ascii: "s"): for blank: UInt8 in [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20] { set.insert(blank) }
        default: return nil
        }
        return set
    }

    private mutating func bracket() -> ByteSet? {
        var set = ByteSet()
        let isInverted = next == UInt8(ascii: "^")
        if isInverted { at += 1 }
        var isFirst = true
        while let byte = next {
            at += 1
            if byte == UInt8(ascii: "]"), !isFirst { return isInverted ? set.inverted : set }
            isFirst = false
            guard byte != UInt8(ascii: "[") || next != UInt8(ascii: ":") else {
                guard let named = namedClass() else { return nil }
                for value: UInt8 in 0...255 where named.contains(value) { set.insert(value) }
                continue
            }
            var low = byte
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next else { return nil }
                at += 1
                if let known = Self.escape(escaped) {
                    for value: UInt8 in 0...255 where known.contains(value) { set.insert(value) }
                    continue
                }
                low = escaped
            }
            guard next == UInt8(ascii: "-"), at + 1 < bytes.count, bytes[at + 1] != UInt8(ascii: "]") else {
                set.insert(low)
                continue
            }
            let high = bytes[at + 1]
            at += 2
            guard low <= high else { return nil }
            for value in low...high { set.insert(value) }
        }
        return nil
    }

    /// [:alnum:] and its like, behind the bracket.
    private mutating func namedClass() -> ByteSet? {
        let classes: [(name: String, ranges: [ClosedRange<UInt8>])] = [
            ("[:alnum:]", [0x30...0x39, 0x41...0x5A, 0x61...0x7A]), ("[:alpha:]", [0x41...0x5A, 0x61...0x7A]),
            ("[:digit:]", [0x30...0x39]), ("[:lower:]", [0x61...0x7A]), ("[:upper:]", [0x41...0x5A]),
            ("[:xdigit:]", [0x30...0x39, 0x41...0x46, 0x61...0x66]),
        ]
        for known in classes where bytes[(at - 1)...].starts(with: known.name.utf8) {
            at += known.name.utf8.count - 1
            var set = ByteSet()
            for range in known.ranges { for value in range { set.insert(value) } }
            return set
        }
        return nil
    }

    private mutating func repetition(of atom: PatternNode) -> PatternNode? {
        var node = atom
        while let byte = next {
            switch byte {
            case UInt8(ascii: "*"): node = .repeated(node, least: 0, most: nil)
            case UInt8(ascii: "+"):
                // Possessive and lazy forms match the same paths where all of a path has to match.
                node = .repeated(node, least: 1, most: nil)
            case UInt8(ascii: "?"): node = Self.isRepeated(node) ? node : .repeated(node, least: 0, most: 1)
            case UInt8(ascii: "{"):
                guard let (least, most) = counts() else { return nil }
                node = .repeated(node, least: least, most: most)
                continue
            default: return node
            }
            at += 1
        }
        return node
    }

    /// `*?` is a lazy `*`.
    private static func isRepeated(_ node: PatternNode) -> Bool {
        if case .repeated = node { true } else { false }
    }

    /// `{n}`, `{n,}`, `{n,m}`; at stands on the brace, and is behind it afterwards.
    private mutating func counts() -> (least: Int, most: Int?)? {
        guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")), end - at <= 9 else { return nil }
        let parts = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
            .split(separator: ",", omittingEmptySubsequences: false)
        guard let least = parts.first.flatMap({ Int($0) }), (0...Self.countLimit).contains(least), parts.count <= 2
        else { return nil }
        at = end + 1
        if parts.count == 1 { return (least, least) }
        if parts[1].isEmpty { return (least, nil) }
        guard let most = Int(parts[1]), (least...Self.countLimit).contains(most) else { return nil }
        return (least, most)
    }
}
