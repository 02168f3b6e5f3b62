internal import Synchronization

/// Hands out numbers, each once.
final class Counter: Sendable {
    private let state = Mutex(0)

    /// The next number that suits; nil where there is none.
    func next(below end: Int, where suits: (Int) -> Bool = { _ in true }) -> Int? {
        state.withLock { next in
            while next < end, !suits(next) { next += 1 }
            guard next < end else { return nil }
            defer { next += 1 }
            return next
        }
    }
}
