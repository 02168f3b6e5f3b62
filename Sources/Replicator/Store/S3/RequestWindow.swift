internal import Synchronization

/// How many requests may be under way at once: half as many when the server says that it is too much, slowly more while
/// all goes well.
final class RequestWindow: Sendable {
    private struct State {
        var limit: Double
        var underway = 0
        /// Of requests, in the order of their starts.
        var number: UInt64 = 0
        /// Those that were under way at the last cut say nothing about what came of it.
        var firstAfterCut: UInt64 = 0
        var waiting: [(ticket: UInt64, continuation: CheckedContinuation<Void, any Error>)] = []
        var ticket: UInt64 = 0
    }

    private let state: Mutex<State>
    private let most: Double

    init(start: Int = 16, most: Int = 64) {
        state = Mutex(State(limit: Double(start)))
        self.most = Double(most)
    }

    /// For tests.
    var limit: Int { state.withLock { Int($0.limit) } }

    enum Verdict {
        case well
        case tooMuch
        /// It says nothing about the server's load.
        case otherwise
    }

    /// Runs the body when it is its turn.
    func run<Result: Sendable>(
        _ body: @Sendable () async throws -> Result, judging judge: (Result) -> Verdict
    ) async throws -> Result {
        try await enter()
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        do {
            let result = try await body()
            leave(number, judge(result))
            return result
        } catch {
            leave(number, .otherwise)
            throw error
        }
    }

    private enum Entry {
        case free
        case cancelled
        case waiting
    }

    private func enter() async throws {
        let ticket = state.withLock { state in
            state.ticket += 1
            return state.ticket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let entry: Entry = state.withLock { state in
                    // Asked for within the lock: a cancellation that comes later finds it among those that wait.
                    if Task.isCancelled { return .cancelled }
                    if state.underway < Int(state.limit) {
                        state.underway += 1
                        return .free
                    }
                    state.waiting.append((ticket, continuation))
                    return .waiting
                }
                switch entry {
                case .free: continuation.resume()
                case .cancelled: continuation.resume(throwing: CancellationError())
                case .waiting: break
                }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0) }
            }
            waiting?.continuation.resume(throwing: CancellationError())
        }
    }

    private func leave(_ number: UInt64, _ verdict: Verdict) {
        let next = state.withLock { state in
            state.underway -= 1
            switch verdict {
            case .well: state.limit = min(most, state.limit + 1 / state.limit)
            case .tooMuch where number >= state.firstAfterCut:
                state.limit = max(1, (state.limit / 2).rounded(.down))
                state.firstAfterCut = state.number + 1
            case .tooMuch, .otherwise: break
            }
            let free = max(0, Int(state.limit) - state.underway)
            let next = state.waiting.prefix(free)
            state.waiting.removeFirst(next.count)
            state.underway += next.count
            return Array(next)
        }
        for waiting in next { waiting.continuation.resume() }
    }
}
