import Guest

/// A text file as lines, so that what isn't edited stays byte for byte as it was.
struct TextLines {
    /// Without their line ends; nil is a line that goes away. A carriage return stays part of its line.
    var lines: [String?]

    init(_ text: String) {
        lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    }

    var text: String { lines.compactMap { $0 }.joined(separator: "\n") }
}

extension StringProtocol {
    /// Without blanks and carriage returns at both ends.
    var trimmed: String {
        let scalars = String(self).unicodeScalars.drop(while: \.isBlank)
        guard let last = scalars.lastIndex(where: { !$0.isBlank }) else { return "" }
        return String(scalars[...last])
    }

    /// What stands between blanks.
    var words: [String] { String(self).unicodeScalars.split(whereSeparator: \.isBlank).map { String($0) } }
}

extension Unicode.Scalar {
    var isBlank: Bool { self == " " || self == "\t" || self == "\r" }
}

/// A shell wildcard as fnmatch(3) knows it: `*`, `?` and `[…]`.
struct Wildcard {
    private let pattern: [Unicode.Scalar]

    init(_ pattern: String) { self.pattern = Array(pattern.unicodeScalars) }

    static func isPattern(_ text: String) -> Bool { text.unicodeScalars.contains { "*?[".unicodeScalars.contains($0) } }

    /// Steps are bounded by pattern × text: only the last star is ever tried again.
    func matches(_ text: String) -> Bool {
        let text = Array(text.unicodeScalars)
        var at = 0
        var next = 0
        var star: (pattern: Int, text: Int)?
        while at < text.count {
            if next < pattern.count, pattern[next] == "*" {
                star = (next, at)
                next += 1
            } else if next < pattern.count, let after = step(next, text[at]) {
                next = after
                at += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                next = last.pattern + 1
                at = last.text + 1
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }

    /// The place behind the one pattern element that takes this character; nil where it doesn't.
    private func step(_ place: Int, _ scalar: Unicode.Scalar) -> Int? {
        switch pattern[place] {
        case "?": return place + 1
        case "[":
            guard let close = pattern[(place + 1)...].dropFirst().firstIndex(of: "]") else { break }
            var set = pattern[(place + 1)..<close]
            let isNegated = set.first == "!" || set.first == "^"
            if isNegated { set = set.dropFirst() }
            var found = false
            while let low = set.first {
                let rest = set.dropFirst()
                if rest.first == "-", let high = rest.dropFirst().first {
                    found = found || (low <= high && low <= scalar && scalar <= high)
                    set = rest.dropFirst(2)
                } else {
                    found = found || low == scalar
                    set = rest
                }
            }
            return found != isNegated ? close + 1 : nil
        default: break
        }
        return pattern[place] == scalar ? place + 1 : nil
    }
}

extension GuestFiles {
    /// The paths that a shell wildcard names, sorted; at most 256, so that a hostile folder can't hold us up.
    func glob(_ pattern: GuestPath) throws -> [GuestPath] {
        var found: [GuestPath] = [.root]
        for component in pattern.components {
            guard Wildcard.isPattern(component) else {
                found = found.map { $0.appending(component) }
                continue
            }
            let wildcard = Wildcard(component)
            found = try found.flatMap { folder in
                try list(folder).filter { wildcard.matches($0) && (!$0.hasPrefix(".") || component.hasPrefix(".")) }
                    .map { folder.appending($0) }
            }
            found = Array(found.prefix(256))
        }
        return try found.filter { try exists($0) }
    }
}
