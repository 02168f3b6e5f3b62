/// A failure by name, with the reason and the way out.
struct Failure: Equatable, Sendable {
    var verdict: Verdict
    /// One sentence.
    var reason: String
    var remedy: String
    /// Seconds, of the clock and of idle processor time, before it counts: the rest of a message is worth having, and some
    /// of these aren't the end.
    var settle: Double
    /// Whether getting further after all makes it void.
    var isFinal: Bool

    init(_ verdict: Verdict, _ reason: String, remedy: String, settle: Double = 2, isFinal: Bool = true) {
        self.verdict = verdict
        self.reason = reason
        self.remedy = remedy
        self.settle = settle
        self.isFinal = isFinal
    }
}

extension Failure {
    /// Said by a boot loader that may go on after all; a lock's prompt isn't.
    var isOfBootLoader: Bool { !isFinal && [.bootLoaderError, .bootLoaderRescuePrompt].contains(verdict) }
}

extension Verdict {
    /// What must have run for such words to be said.
    var impliedLevel: Level? {
        switch self {
        case .bootLoaderRescuePrompt, .bootLoaderError: .bootLoader
        case .kernelPanic, .initramfsShell: .kernel
        case .emergencyShell: .userSpace
        default: nil
        }
    }
}
