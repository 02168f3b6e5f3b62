internal import Foundation

/// Shows how far something is, how quick, and how long it will take.
final class Rate: @unchecked Sendable {
    // Progress comes from several workers; all state is touched with the lock held.
    private let lock = NSLock()
    private let what: String
    private let progress: @Sendable (RunProgress) -> Void
    private let started = ContinuousClock.now
    private var shown = ContinuousClock.now

    init(_ what: String, _ progress: @escaping @Sendable (RunProgress) -> Void) {
        self.what = what
        self.progress = progress
    }

    /// - Parameters:
    ///   - done: in bytes, what is behind, whether it had to be moved or not.
    ///   - moved: in bytes.
    func show(_ done: UInt64, of total: UInt64, moved: UInt64) {
        lock.withLock {
            guard total > 0, ContinuousClock.now - shown > .milliseconds(100) || done == total else { return }
            shown = .now
            let seconds = (shown - started) / .seconds(1)
            progress(.part(what, Double(done) / Double(total), Self.text(done, total, moved, seconds)))
        }
    }

    /// "84 MiB/s, 2 min 5 s left"
    static func text(_ done: UInt64, _ total: UInt64, _ moved: UInt64, _ seconds: Double) -> String? {
        // The first second says little.
        guard seconds >= 1, done > 0 else { return nil }
        let rate = Double(moved) / seconds / 1_048_576
        let left = Int((seconds / Double(done) * Double(total - min(done, total))).rounded(.up))
        let time =
            left < 60
            ? "\(left) s" : left < 3600 ? "\(left / 60) min \(left % 60) s" : "\(left / 3600) h \(left % 3600 / 60) min"
        return "\(rate < 10 ? String(format: "%.1f", rate) : "\(Int(rate))") MiB/s"
            + (done < total ? ", \(time) left" : "")
    }
}
