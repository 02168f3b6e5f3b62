internal import Foundation

/// Runs an actor's jobs on one thread of its own, in order: libguestfs calls block, and a handle stays on its thread.
final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    // The queue is only touched with the condition's lock held.
    private let condition = NSCondition()
    private var queue: [UnownedJob] = []
    private var isStopped = false

    init(name: String) {
        let thread = Thread { [weak self] in
            while let self, let job = self.next() { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
        }
        thread.name = name
        // libguestfs's own code is modest; our parsers recurse little.
        thread.stackSize = 8 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        condition.lock()
        queue.append(unowned)
        condition.signal()
        condition.unlock()
    }

    func stop() {
        condition.lock()
        isStopped = true
        condition.signal()
        condition.unlock()
    }

    private func next() -> UnownedJob? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty {
            if isStopped { return nil }
            condition.wait()
        }
        return queue.removeFirst()
    }
}
