/// Which lines of some evidence say it.
enum Excerpt {
    /// In order of weight: what says most plainly that a boot failed.
    private static let signs = [
        "kernel panic", "not syncing", "no bootable device", "grub rescue", "stop code", "inaccessible", "alert!",
        "does not exist", "unable to mount", "cannot open root", "emergency mode", "rescue mode", "no such device",
        "dependency failed", "[failed]", "bug:", "oops", "not found", "error", "failed", "timed out",
    ]

    /// The place of the line that says it; nil where none stands out.
    static func important(in lines: [String]) -> Int? {
        guard lines.count > 1 else { return nil }
        let lowered = lines.prefix(200).map { $0.prefix(400).lowercased() }
        for sign in signs {
            if let place = lowered.firstIndex(where: { $0.contains(sign) }) { return place }
        }
        return nil
    }

    /// So many lines in a row, with the one that says it among them.
    static func lines(_ lines: [String], count: Int) -> [String] {
        guard lines.count > count else { return lines }
        let place = important(in: lines) ?? 0
        let start = min(max(0, place - count / 3), lines.count - count)
        return Array(lines[start..<start + count])
    }
}
