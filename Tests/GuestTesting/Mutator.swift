/// Makes one mutant of a corpus from one number.
struct Mutator {
    /// What every parser may stumble over: ends of ranges, quotes and brackets left open, paths that lead out.
    private static let tokens = [
        "\0", "\n", "\r\n", "\t", " ", "\"", "'", "\\", "`", "$(x)", "${", "}", "{", "[", "]", "(", ")", "#", "=", "==",
        ":",
        ": ", "- ", ",", ";", "|", "&", "*", "!", "%", "/", "//", "/../../..", "../", "-1", "0", "00000000", "ffffffff",
        "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e309",
        "999.999.999.999/99", "::/129", "ü", "日本", "\u{301}", "\u{FEFF}", "\u{2028}",
    ]
    private static let numbers: [UInt64] = [
        0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0000, .max,
    ]
    /// Bytes: past it a mutant only shrinks. Time that grows with the square of the input shows well before.
    private static let longest = 1 << 20

    let corpus: [[UInt8]]
    private let tokens: [[UInt8]]

    init(corpus: [[UInt8]], tokens: [String]) {
        self.corpus = corpus
        // A parser's own come as often as all the others.
        let own = tokens.isEmpty ? 0 : max(1, Self.tokens.count / tokens.count)
        self.tokens = (Self.tokens + Array(repeating: tokens, count: own).flatMap { $0 }).map { Array($0.utf8) }
    }

    func mutant(_ seed: UInt64) -> [UInt8] {
        var random = Seeded(seed)
        var bytes = pick(corpus, &random)
        // Mostly few changes: a parser that gave up at the first saw nothing of the others.
        for _ in 0..<(1 << Int.random(in: 0...4, using: &random)) { change(&bytes, &random) }
        return Array(bytes.prefix(Self.longest))
    }

    private func change(_ bytes: inout [UInt8], _ random: inout Seeded) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1:
            guard at < bytes.count else { return }
            bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2:
            guard at < bytes.count else { return }
            bytes[at] = .random(in: 0...255, using: &random)
        case 3: bytes.removeSubrange(part(of: bytes, from: at, &random))
        case 4 where Bool.random(using: &random): bytes.removeSubrange(at...)
        case 4: bytes.removeSubrange(..<at)
        case 5:
            let copy = Array(bytes[part(of: bytes, from: at, &random)])
            insert(copy, into: &bytes, at: .random(in: 0...bytes.count, using: &random))
        case 6: replace(with: pick(tokens, &random), at, &bytes, &random)
        case 7: insert(pick(tokens, &random), into: &bytes, at: at)
        case 8:
            let other = pick(corpus, &random)
            let from = Int.random(in: 0...other.count, using: &random)
            replace(with: Array(other[part(of: other, from: from, &random)]), at, &bytes, &random)
        case 9: setNumber(at, &bytes, &random)
        case 10: moveLine(&bytes, &random)
        default: repeatMuch(at, &bytes, &random)
        }
    }

    private func insert(_ new: [UInt8], into bytes: inout [UInt8], at: Int) {
        guard bytes.count + new.count <= Self.longest else { return }
        bytes.insert(contentsOf: new, at: at)
    }

    /// Takes the place of as many bytes, or of another number of them.
    private func replace(with new: [UInt8], _ at: Int, _ bytes: inout [UInt8], _ random: inout Seeded) {
        let old =
            Bool.random(using: &random) ? at..<min(bytes.count, at + new.count) : part(of: bytes, from: at, &random)
        guard bytes.count + new.count - old.count <= Self.longest else { return }
        bytes.replaceSubrange(old, with: new)
    }

    /// A field of 1, 2, 4 or 8 bytes, of either byte order.
    private func setNumber(_ at: Int, _ bytes: inout [UInt8], _ random: inout Seeded) {
        let size = 1 << Int.random(in: 0...3, using: &random)
        guard at + size <= bytes.count else { return }
        let value = pick(Self.numbers, &random) &+ UInt64.random(in: 0...2, using: &random) &- 1
        var field = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
        if Bool.random(using: &random) { field.reverse() }
        bytes.replaceSubrange(at..<at + size, with: field)
    }

    /// A line is what many formats are made of: one goes elsewhere, or comes twice.
    private func moveLine(_ bytes: inout [UInt8], _ random: inout Seeded) {
        var lines = bytes.split(separator: 0x0A, maxSplits: 4096, omittingEmptySubsequences: false)
        let line = lines[.random(in: 0..<lines.count, using: &random)]
        if Bool.random(using: &random) { lines.remove(at: .random(in: 0..<lines.count, using: &random)) }
        lines.insert(line, at: .random(in: 0...lines.count, using: &random))
        bytes = Array(lines.joined(separator: [0x0A]))
    }

    /// Depth and length: one bracket, one line, one header, thousands of times. Rarely: the most of the time goes here.
    private func repeatMuch(_ at: Int, _ bytes: inout [UInt8], _ random: inout Seeded) {
        guard Int.random(in: 0..<4, using: &random) == 0 else { return }
        let piece =
            Bool.random(using: &random) ? pick(tokens, &random) : Array(bytes[part(of: bytes, from: at, &random)])
        guard !piece.isEmpty else { return }
        let times = min(1 << Int.random(in: 4...16, using: &random), Self.longest / 4 / piece.count)
        insert(Array(repeatElement(piece, count: times).joined()), into: &bytes, at: at)
    }

    /// From here on, up to a length that is small more often than large.
    private func part(of bytes: [UInt8], from: Int, _ random: inout Seeded) -> Range<Int> {
        let length = Int.random(in: 0...(1 << Int.random(in: 0...10, using: &random)), using: &random)
        return from..<min(bytes.count, from + length)
    }

    private func pick<Element>(_ list: [Element], _ random: inout Seeded) -> Element {
        list[.random(in: 0..<list.count, using: &random)]
    }
}
