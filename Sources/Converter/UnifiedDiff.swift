/// A unified diff of two texts, as `diff -u` prints it, without its two header lines.
public enum UnifiedDiff {
    /// Past this many lines in one text the comparison would take a second and no one would read it.
    private static let limit = 4000

    public static func lines(from old: String, to new: String, context: Int = 3) -> [String] {
        let before = split(old)
        let after = split(new)
        guard before.count <= limit, after.count <= limit else {
            return ["\(before.count) lines become \(after.count) lines"]
        }
        let difference = after.difference(from: before)
        var removed = [Bool](repeating: false, count: before.count)
        var inserted = [Bool](repeating: false, count: after.count)
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed[offset] = true
            case .insert(let offset, _, _): inserted[offset] = true
            }
        }
        // One walk over both texts: (mark, line, position in the old text, position in the new one).
        var walk: [(mark: Character, text: [UInt8], old: Int, new: Int)] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            if left < before.count, removed[left] {
                walk.append(("-", before[left], left, right))
                left += 1
            } else if right < after.count, inserted[right] {
                walk.append(("+", after[right], left, right))
                right += 1
            } else {
                walk.append((" ", before[left], left, right))
                left += 1
                right += 1
            }
        }
        return hunks(of: walk, context: context)
    }

    private static func hunks(
        of walk: [(mark: Character, text: [UInt8], old: Int, new: Int)], context: Int
    ) -> [String] {
        let changed = walk.indices.filter { walk[$0].mark != " " }
        var result: [String] = []
        var index = 0
        while index < changed.count {
            var end = index
            while end + 1 < changed.count, changed[end + 1] - changed[end] <= 2 * context { end += 1 }
            let range = max(0, changed[index] - context)...min(walk.count - 1, changed[end] + context)
            let lines = walk[range]
            let olds = lines.count { $0.mark != "+" }
            let news = lines.count { $0.mark != "-" }
            let start = walk[range.lowerBound]
            result.append("@@ -\(place(start.old, olds)) +\(place(start.new, news)) @@")
            for line in lines {
                let text = "\(line.mark)\(String(decoding: line.text, as: UTF8.self))"
                result += text.unicodeScalars.split(separator: "\n").map { String($0) }
            }
            index = end + 1
        }
        return result
    }

    /// Lines by their bytes: "\r\n" is one Character, and letters that only look alike are equal as text.
    private static func split(_ text: String) -> [[UInt8]] {
        var lines = text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { Array($0) }
        if lines.last == [] {
            lines.removeLast()
        } else {
            lines[lines.count - 1] += Array("\n\\ No newline at end of file".utf8)
        }
        return lines
    }

    /// "12,3"; "12" for one line; the line before for none.
    private static func place(_ start: Int, _ count: Int) -> String {
        count == 1 ? "\(start + 1)" : "\(start + (count > 0 ? 1 : 0)),\(count)"
    }
}
