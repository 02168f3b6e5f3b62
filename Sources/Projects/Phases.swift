internal import Converter
internal import Foundation

/// What happens during a run, told to whoever watches.
public enum RunProgress: Sendable {
    case started(String)
    /// The part that is done, 0 to 1, and what else is to be said of it: "84 MiB/s, 12 s left".
    case part(String, Double, String? = nil)
    case finished(String, seconds: Double)
    /// Worth reading even where all goes well.
    case note(String)
    /// For those who asked for more.
    case detail(String)
}

/// Times the phases of a run.
final class Phases: @unchecked Sendable {
    // Touched with the lock held: phases run side by side.
    private let lock = NSLock()
    private var list: [ConversionReport.Phase] = []
    private let began = Date()
    private let report: @Sendable (RunProgress) -> Void

    init(report: @escaping @Sendable (RunProgress) -> Void) { self.report = report }

    /// - Throws: `CancellationError` before the phase where the run was cancelled.
    func time<Result>(_ name: String, _ body: () async throws -> Result) async throws -> Result {
        try Task.checkCancellation()
        report(.started(name))
        let start = Date()
        let result = try await body()
        let seconds = Date().timeIntervalSince(start)
        lock.withLock {
            list.append(.init(name: name, start: start.timeIntervalSince(began).rounded3, seconds: seconds.rounded3))
        }
        report(.finished(name, seconds: seconds))
        return result
    }

    var all: [ConversionReport.Phase] { lock.withLock { list.sorted { $0.start < $1.start } } }
}

extension Double {
    /// Milliseconds are all that anybody reads.
    fileprivate var rounded3: Double { (self * 1000).rounded() / 1000 }
}
