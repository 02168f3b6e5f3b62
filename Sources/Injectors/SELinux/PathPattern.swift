/// A regular expression as SELinux's file_contexts have them, matched against whole paths.
///
/// They come from the guest, so there is no backtracking: all ways to match are followed at once, byte by byte, in time
/// that grows with pattern times path and never faster.
struct PathPattern {
    private enum Step {
        case byte(ByteSet)
        case fork(Int, Int)
        case match
    }

    private var steps: [Step] = []
    /// What every path that matches begins with: most patterns are ruled out by it.
    let prefix: [UInt8]
    /// Whether the pattern is a plain path.
    let isLiteral: Bool

    /// Bytes. The longest of a distribution's policy is a sixth of it.
    private static let lengthLimit = 1024
    /// `{1,500}{1,500}` would fill any memory.
    private static let stepLimit = 8192

    /// nil for what isn't understood, or is larger than any real one.
    init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= Self.lengthLimit else { return nil }
        var parser = PatternParser(bytes)
        guard let node = parser.parse() else { return nil }
        (prefix, isLiteral) = node.literalPrefix
        guard emit(node), steps.count < Self.stepLimit else { return nil }
        steps.append(.match)
    }

    /// How much work it is: one unit is compiled.
    var size: Int { steps.count }

    func matches(_ bytes: [UInt8]) -> Bool {
        guard bytes.starts(with: prefix), !isLiteral || bytes.count == prefix.count else { return false }
        if isLiteral { return true }
        var now = reachable(from: [0])
        for byte in bytes {
            var next: [Int] = []
            for at in now { if case .byte(let set) = steps[at], set.contains(byte) { next.append(at + 1) } }
            guard !next.isEmpty else { return false }
            now = reachable(from: next)
        }
        return now.contains { if case .match = steps[$0] { true } else { false } }
    }

    private func reachable(from start: [Int]) -> [Int] {
        var seen = [Bool](repeating: false, count: steps.count)
        var pending = start
        var found: [Int] = []
        while let at = pending.popLast() {
            guard !seen[at] else { continue }
            seen[at] = true
            if case .fork(let one, let other) = steps[at] {
                pending += [one, other]
            } else {
                found.append(at)
            }
        }
        return found
    }

    // MARK: Compiling

    /// - Returns: false where it grows too large.
    private mutating func emit(_ node: PatternNode) -> Bool {
        guard steps.count < Self.stepLimit else { return false }
        switch node {
        case .byte(let set, _): steps.append(.byte(set))
        case .sequence(let nodes):
            for node in nodes { guard emit(node) else { return false } }
        case .choice(let nodes):
            var ends: [Int] = []
            for (index, node) in nodes.enumerated() {
                guard index < nodes.count - 1 else {
                    guard emit(node) else { return false }
                    break
                }
                let fork = steps.count
                steps.append(.fork(fork + 1, 0))
                guard emit(node) else { return false }
                ends.append(steps.count)
                steps.append(.fork(0, 0))
                steps[fork] = .fork(fork + 1, steps.count)
            }
            for end in ends { steps[end] = .fork(steps.count, steps.count) }
        case .repeated(let node, let least, let most):
            for _ in 0..<least { guard emit(node) else { return false } }
            guard let most else {
                let fork = steps.count
                steps.append(.fork(fork + 1, 0))
                guard emit(node) else { return false }
                steps.append(.fork(fork, fork))
                steps[fork] = .fork(fork + 1, steps.count)
                return true
            }
            var forks: [Int] = []
            for _ in 0..<max(0, most - least) {
                forks.append(steps.count)
                steps.append(.fork(steps.count + 1, 0))
                guard emit(node) else { return false }
            }
            for fork in forks { steps[fork] = .fork(fork + 1, steps.count) }
        }
        return true
    }
}

/// A set of byte values.
struct ByteSet: Equatable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static let any: ByteSet = {
        var set = ByteSet()
        set.words = (.max, .max, .max, .max)
        return set
    }()

    init() {}

    init(_ byte: UInt8) { insert(byte) }

    mutating func insert(_ byte: UInt8) {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        switch byte >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func contains(_ byte: UInt8) -> Bool {
        let bit: UInt64 = 1 << UInt64(byte & 63)
        return switch byte >> 6 {
        case 0: words.0 & bit != 0
        case 1: words.1 & bit != 0
        case 2: words.2 & bit != 0
        default: words.3 & bit != 0
        }
    }

    var inverted: ByteSet {
        var set = ByteSet()
        set.words = (~words.0, ~words.1, ~words.2, ~words.3)
        return set
    }

    static func == (left: ByteSet, right: ByteSet) -> Bool { left.words == right.words }
}

indirect enum PatternNode {
    case byte(ByteSet, literal: UInt8? = nil)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `most` nil: without end.
    case repeated(PatternNode, least: Int, most: Int?)

    /// The bytes that everything begins with, and whether nothing comes behind them.
    var literalPrefix: (bytes: [UInt8], isAll: Bool) {
        switch self {
        case .byte(_, let literal?): return ([literal], true)
        case .byte, .choice, .repeated: return ([], false)
        case .sequence(let nodes):
            var bytes: [UInt8] = []
            for node in nodes {
                let (more, isAll) = node.literalPrefix
                bytes += more
                if !isAll { return (bytes, false) }
            }
            return (bytes, true)
        }
    }
}
