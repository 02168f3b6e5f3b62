/// The filters of an lvm.conf(5): lists of patterns that accept or reject devices by name; the first that matches wins.
struct LVMFilter {
    /// The file with the new bus accepted wherever the old one was.
    private(set) var bytes: [UInt8]
    /// The patterns that were added.
    private(set) var added: [String] = []
    /// Patterns that hold names of the old bus, and that nothing could be added for.
    private(set) var doubtful: [String] = []

    /// - Parameter diskPrefix: the new bus: "vd".
    init(_ file: [UInt8], accepting diskPrefix: String) {
        bytes = file
        for list in Self.lists(in: file).reversed() {
            let patterns = list.map { Pattern(quoted: $0, in: file) }
            guard !Self.covers(diskPrefix, patterns), patterns.contains(where: { $0?.accepts == false }) else {
                continue
            }
            for pattern in patterns.reversed() {
                guard let pattern, pattern.accepts, pattern.namesOldBus else { continue }
                if let new = pattern.widened(to: diskPrefix) {
                    bytes.insert(contentsOf: Array(", \"\(new)\"".utf8), at: pattern.range.upperBound)
                    added.insert(new, at: 0)
                } else {
                    doubtful.insert(pattern.text, at: 0)
                }
            }
        }
    }

    /// Whether disks of the bus are accepted already.
    private static func covers(_ diskPrefix: String, _ patterns: [Pattern?]) -> Bool {
        for case let pattern? in patterns {
            if pattern.matchesAll { return pattern.accepts }
            if pattern.accepts, pattern.names(bus: diskPrefix) { return true }
        }
        return false
    }

    // MARK: One pattern

    private struct Pattern {
        /// The string with its quotes.
        let range: Range<Int>
        /// "a|^/dev/sd.*|"
        let text: String
        let accepts: Bool
        private let delimiter: UInt8
        private let expression: [UInt8]

        init?(quoted range: Range<Int>, in file: [UInt8]) {
            let inner = file[range].dropFirst().dropLast()
            guard inner.count >= 3, inner.count <= 1000, let kind = inner.first, let last = inner.last,
                kind == UInt8(ascii: "a") || kind == UInt8(ascii: "r"), inner[inner.startIndex + 1] == last
            else { return nil }
            self.range = range
            text = String(decoding: inner, as: UTF8.self)
            accepts = kind == UInt8(ascii: "a")
            delimiter = last
            expression = Array(inner.dropFirst(2).dropLast())
        }

        var matchesAll: Bool {
            let known = ["", ".", ".*", "^.*", ".*$", "^.*$", ".*/", "/", "/dev/", "^/dev/", "/dev/.*", "^/dev/.*"]
            return known.contains(String(decoding: expression, as: UTF8.self))
        }

        var namesOldBus: Bool {
            ["sd", "hd", "xvd", "nvme"].contains { names(bus: $0) } || hasHardwareName || bracket != nil
        }

        private var hasHardwareName: Bool {
            ["by-path/", "by-id/ata-", "by-id/scsi-", "by-id/wwn-", "by-id/nvme-"].contains { place(of: $0) != nil }
        }

        func names(bus: String) -> Bool {
            if !starts(of: bus).isEmpty { return true }
            guard let bracket, let first = bus.utf8.first else { return false }
            return bus.utf8.count == 2 && expression[bracket].dropLast(2).contains(first)
        }

        /// Where the name of a bus begins: not in the middle of a word.
        private func starts(of bus: String) -> [Int] {
            let bus = Array(bus.utf8)
            return expression.indices.filter { at in
                expression[at...].starts(with: bus) && (at == 0 || "/(|^*".utf8.contains(expression[at - 1]))
                    && !Self.foldersOfVolumes.contains {
                        expression[..<at].suffix($0.utf8.count).elementsEqual($0.utf8)
                    }
            }
        }

        /// What is in there has names of its own: "/dev/mapper/sda3_crypt".
        private static let foldersOfVolumes = ["mapper/", "md/", "by-label/", "by-partlabel/"]

        private func place(of text: String) -> Int? {
            expression.indices.first { expression[$0...].starts(with: text.utf8) }
        }

        /// `[sh]d`
        private var bracket: Range<Int>? {
            guard let open = expression.firstIndex(of: UInt8(ascii: "[")),
                let close = expression[open...].firstIndex(of: UInt8(ascii: "]")),
                close + 1 < expression.count, expression[close + 1] == UInt8(ascii: "d"),
                expression[(open + 1)..<close].allSatisfy({ (0x61...0x7A).contains($0) })
            else { return nil }
            return open..<close + 2
        }

        /// The same pattern for another bus; nil where that isn't a matter of a word: `/dev/nvme0n1p2`.
        func widened(to bus: String) -> String? {
            guard !hasHardwareName else { return nil }
            var new = expression
            if let bracket {
                new.replaceSubrange(bracket, with: bus.utf8)
            } else {
                for old in ["xvd", "sd", "hd"] where old != bus {
                    for at in starts(of: old).reversed() {
                        new.replaceSubrange(at..<at + old.utf8.count, with: bus.utf8)
                    }
                    if new != expression { break }
                }
                if new == expression, let at = starts(of: "nvme").first {
                    let next = expression.indices.contains(at + 4) ? expression[at + 4] : UInt8(ascii: ".")
                    guard ".*$)|".utf8.contains(next) else { return nil }
                    new.replaceSubrange(at..<at + 4, with: bus.utf8)
                }
            }
            guard new != expression else { return nil }
            return String(decoding: [text.utf8.first ?? 0, delimiter] + new + [delimiter], as: UTF8.self)
        }
    }

    // MARK: Finding the lists

    /// The quoted strings of each `filter` and `global_filter`, outside comments.
    private static func lists(in file: [UInt8]) -> [[Range<Int>]] {
        var lists: [[Range<Int>]] = []
        var at = 0
        while at < file.count {
            let byte = file[at]
            if byte == UInt8(ascii: "#") {
                at = file[at...].firstIndex(of: 0x0A) ?? file.count
            } else if byte == UInt8(ascii: "\"") {
                at = string(at, file)
            } else if isWord(byte) {
                let end = file[at...].firstIndex { !isWord($0) } ?? file.count
                let name = String(decoding: file[at..<end].suffix(32), as: UTF8.self)
                at = end
                guard ["filter", "global_filter", "devices/filter", "devices/global_filter"].contains(name) else {
                    continue
                }
                let (list, next) = strings(at, file)
                if !list.isEmpty { lists.append(list) }
                at = next
            } else {
                at += 1
            }
        }
        return lists
    }

    /// The strings behind `=`, up to the end of the list.
    private static func strings(_ start: Int, _ file: [UInt8]) -> ([Range<Int>], next: Int) {
        var found: [Range<Int>] = []
        var at = start
        var isOpen = false
        while at < file.count {
            switch file[at] {
            case UInt8(ascii: "#"): at = file[at...].firstIndex(of: 0x0A) ?? file.count
            case UInt8(ascii: "\""):
                let end = string(at, file)
                guard end - at >= 2 else { return ([], end) }
                found.append(at..<end)
                at = end
                if !isOpen { return (found, at) }
            case UInt8(ascii: "["):
                isOpen = true
                at += 1
            case UInt8(ascii: "]"): return (found, at + 1)
            case UInt8(ascii: "="), UInt8(ascii: ","), 0...0x20: at += 1
            default: return ([], at)
            }
        }
        return ([], at)
    }

    /// The end of a string, behind its closing quote.
    private static func string(_ start: Int, _ file: [UInt8]) -> Int {
        var at = start + 1
        while at < file.count, file[at] != UInt8(ascii: "\"") {
            at += file[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(at + 1, file.count)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "/"): true
        default: false
        }
    }
}
