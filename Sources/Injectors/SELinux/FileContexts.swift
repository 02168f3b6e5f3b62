import Guest

/// A policy's file_contexts(5): which context a path has, by patterns.
struct FileContexts {
    enum FileKind: String {
        case file = "--"
        case directory = "-d"
        case symlink = "-l"
    }

    private struct Rule {
        var pattern: PathPattern
        /// nil: files of any kind. Kinds that nobody makes here aren't kept.
        var kind: FileKind?
        /// nil: such a path gets none (`<<none>>`).
        var context: String?
    }

    private var rules: [Rule] = []
    /// Folders whose content is labelled as another's: "/run" → "/var/run".
    private var own: [(from: String, to: String)] = []
    private var distribution: [(from: String, to: String)] = []

    /// RHEL 9's targeted policy has 6,300 lines in 400 KB.
    static let sizeLimit: UInt64 = 8 << 20
    private static let lineLimit = 50_000
    /// Compiled steps of all patterns that are kept; a distribution's have some 20,000.
    private static let totalLimit = 400_000
    /// Steps times bytes, over all paths that are asked for: seconds.
    private var budget = 100_000_000

    var isEmpty: Bool { rules.isEmpty }

    /// - Parameters:
    ///   - parts: file_contexts, file_contexts.homedirs and file_contexts.local, in this order: the later wins.
    ///   - paths: those that will be asked for; patterns that none of them can match aren't kept.
    init(_ parts: [String], subs: String = "", subsDist: String = "", paths: [String]) {
        own = Self.substitutions(subs)
        distribution = Self.substitutions(subsDist)
        let wanted = paths.map { Array(substituted($0).utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        var size = 0
        for part in parts {
            for line in part.split(whereSeparator: \.isNewline).prefix(Self.lineLimit) {
                guard let rule = Self.rule(line, for: wanted) else { continue }
                size += rule.pattern.size
                guard size < Self.totalLimit else {
                    rules = []
                    return
                }
                rules.append(rule)
            }
        }
        // Plain paths count more than patterns, wherever they are (selinux_file_context_cmp, "exact" entries last).
        rules = rules.filter { !$0.pattern.isLiteral } + rules.filter(\.pattern.isLiteral)
    }

    /// PATTERN [KIND] CONTEXT
    private static func rule(_ line: Substring, for paths: [[UInt8]]) -> Rule? {
        let words = line.split(maxSplits: 3, whereSeparator: { $0 == " " || $0 == "\t" })
        guard words.count == 2 || words.count == 3, let first = words.first, !first.hasPrefix("#") else { return nil }
        var kind: FileKind?
        if words.count == 3 {
            guard let known = FileKind(rawValue: String(words[1])) else { return nil }
            kind = known
        }
        // Most lines are about other parts of the tree: up to its first special character a pattern is a plain prefix,
        // but for the last of them, which a `?` or `*` behind it may take away.
        let special = first.utf8.firstIndex { #"\.[](){}|*+?^$"#.utf8.contains($0) } ?? first.endIndex
        let isChoice = special < first.endIndex && first[special] == "|"
        let stem = isChoice ? [] : Array(first.utf8[..<special].dropLast())
        guard has(prefix: stem, paths), let pattern = PathPattern(first) else { return nil }
        let context = words[words.count - 1]
        guard context != "<<none>>" else { return Rule(pattern: pattern, kind: kind, context: nil) }
        guard isContext(context) else { return nil }
        return Rule(pattern: pattern, kind: kind, context: String(context))
    }

    /// Whether one of sorted paths begins so.
    private static func has(prefix: [UInt8], _ paths: [[UInt8]]) -> Bool {
        var low = 0
        var high = paths.count
        while low < high {
            let middle = (low + high) / 2
            if paths[middle].lexicographicallyPrecedes(prefix) { low = middle + 1 } else { high = middle }
        }
        return low < paths.count && paths[low].starts(with: prefix)
    }

    /// user:role:type[:level]
    private static func isContext(_ text: Substring) -> Bool {
        (3...5).contains(text.split(separator: ":", omittingEmptySubsequences: false).count) && text.utf8.count < 256
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "_.:,-".utf8.contains(byte)
            }
    }

    private static func substitutions(_ text: String) -> [(from: String, to: String)] {
        text.split(whereSeparator: \.isNewline).prefix(1000).compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            guard words.count == 2, words[0].hasPrefix("/"), words[1].hasPrefix("/") else { return nil }
            return (words[0], words[1] == "/" ? "" : words[1])
        }
    }

    private func substituted(_ path: String) -> String {
        func replace(_ path: String, _ list: [(from: String, to: String)]) -> String {
            let fitting = list.filter { path == $0.from || path.hasPrefix($0.from + "/") }
            guard let longest = fitting.max(by: { $0.from.utf8.count < $1.from.utf8.count }) else { return path }
            return longest.to + path.dropFirst(longest.from.count)
        }
        return replace(replace(path, own), distribution)
    }

    enum Answer: Equatable {
        case context(String)
        /// The policy says that it has none.
        case none
        /// No pattern matches.
        case unknown
    }

    mutating func context(of path: GuestPath, _ kind: FileKind) -> Answer {
        let name = Array(substituted(path.description).utf8)
        for rule in rules.reversed() where rule.kind == nil || rule.kind == kind {
            guard name.starts(with: rule.pattern.prefix) else { continue }
            budget -= rule.pattern.size &* name.count
            guard budget > 0 else { return .unknown }
            if rule.pattern.matches(name) { return rule.context.map { .context($0) } ?? .none }
        }
        return .unknown
    }
}
