internal import Foundation
internal import Synchronization

/// Counts what a capture reads and stores, says so a few times a second, and slows it down to a bandwidth.
final class Meter: Sendable {
    private struct State {
        var done: UInt64 = 0
        var read: UInt64 = 0
        var stored: UInt64 = 0
        var sampled: UInt64 = 0
        var reported = ContinuousClock.now
        /// When what was read so far would have been read at the bandwidth.
        var due = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let total: UInt64
    private let bandwidth: UInt64?
    private let report: @Sendable (Capture.Progress) -> Void

    init(total: UInt64, bandwidth: UInt64?, report: @escaping @Sendable (Capture.Progress) -> Void) {
        self.total = total
        self.bandwidth = bandwidth
        self.report = report
    }

    /// In bytes.
    var read: UInt64 { state.withLock { $0.read } }
    var sampled: UInt64 { state.withLock { $0.sampled } }

    func count(_ disk: String, done: UInt64, stored: UInt64) {
        let progress = state.withLock { state -> Capture.Progress? in
            state.done += done
            state.stored += stored
            let now = ContinuousClock.now
            guard now - state.reported > .milliseconds(200) || state.done == total else { return nil }
            state.reported = now
            return Capture.Progress(disk: disk, done: state.done, total: total, read: state.read, stored: state.stored)
        }
        if let progress { report(progress) }
    }

    /// What was read to check the source's word isn't of the capture's course.
    func countSample(_ bytes: Int) { state.withLock { $0.sampled += UInt64(bytes) } }

    /// Called before a stretch is read.
    func admit(_ bytes: Int) async throws {
        let wait = state.withLock { state -> Duration? in
            state.read += UInt64(bytes)
            guard let bandwidth, bandwidth > 0 else { return nil }
            let now = ContinuousClock.now
            state.due = max(state.due, now) + .seconds(Double(bytes) / Double(bandwidth))
            return state.due - now
        }
        if let wait, wait > .zero { try await Task.sleep(for: wait) }
    }
}
