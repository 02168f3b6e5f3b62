/// Words of a kernel command line inside a line of some other format: what blanks and quotes separate.
enum KernelParameters {
    enum Edit: Equatable {
        case keep
        case replace([UInt8])
        /// With the blank before it.
        case drop
    }

    /// The line with its words edited.
    /// - Parameter edits: gets all words, answers for each.
    static func rewrite(_ line: [UInt8], in range: Range<Int>, _ edits: ([ArraySlice<UInt8>]) -> [Edit]) -> [UInt8] {
        let words = words(line, in: range)
        let edits = edits(words)
        guard edits.contains(where: { $0 != .keep }) else { return line }
        var result: [UInt8] = []
        var at = 0
        for (word, edit) in zip(words, edits) {
            result += line[at..<word.startIndex]
            at = word.endIndex
            switch edit {
            case .keep: result += word
            case .replace(let new): result += new
            case .drop:
                if result.count > range.lowerBound, let last = result.last, isBlank(last) {
                    result.removeLast()
                } else if at < range.upperBound, isBlank(line[at]) {
                    at += 1
                }
            }
        }
        return result + line[at...]
    }

    private static func words(_ line: [UInt8], in range: Range<Int>) -> [ArraySlice<UInt8>] {
        line[range].split { isBlank($0) || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "'") }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    // MARK: Consoles

    /// Consoles that a KVM guest with one serial port hasn't: Xen's, and further ports.
    static func isAbsent(console name: some StringProtocol) -> Bool {
        for prefix in ["hvc", "xvc", "ttyS"] where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count)
            guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return false
            }
            return prefix != "ttyS" || digits != "0"
        }
        return false
    }

    /// `console=hvc0` becomes `console=ttyS0`, or goes where that is there already.
    static func consoles(_ words: [ArraySlice<UInt8>]) -> [Edit] {
        let mark = Array("console=".utf8)
        func device(_ word: ArraySlice<UInt8>) -> String? {
            guard word.starts(with: mark) else { return nil }
            return String(decoding: word.dropFirst(mark.count).prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)
        }
        var hasSerial = words.contains { device($0) == "ttyS0" }
        return words.map { word in
            guard let name = device(word), isAbsent(console: name) else { return .keep }
            if hasSerial { return .drop }
            hasSerial = true
            let options = word.dropFirst(mark.count).drop { $0 != UInt8(ascii: ",") }
            return .replace(Array("console=ttyS0".utf8) + options)
        }
    }

    // MARK: resume=

    /// The UUID of a word `resume=UUID=…`.
    static func resume(_ word: ArraySlice<UInt8>) -> String? {
        let mark = Array("resume=UUID=".utf8)
        guard word.starts(with: mark) else { return nil }
        return String(decoding: word.dropFirst(mark.count).prefix(64), as: UTF8.self)
    }
}
