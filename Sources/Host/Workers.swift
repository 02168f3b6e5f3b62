internal import Foundation
internal import Synchronization

/// Threads for work that waits: reading disks, writing files. The threads that the runtime has for everything else stay free.
public enum Workers {
    /// Runs the body so many times side by side, each on a thread of its own, and returns when all have ended.
    /// - Throws: the first error; the others are cancelled then.
    public static func run(_ count: Int, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let pool = ThreadPool(count: max(1, count))
        // Tasks don't keep their executor: it has to be here until the last one has ended.
        defer { pool.end() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, count) { group.addTask(executorPreference: pool) { try await body() } }
            try await group.waitForAll()
        }
    }
}

private final class ThreadPool: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isEnded = false
    }

    private let queue = Mutex(Queue())
    private let waiting = DispatchSemaphore(value: 0)
    private let count: Int

    init(count: Int) {
        self.count = count
        for number in 0..<count {
            let thread = Thread { [self] in
                while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
            }
            thread.name = "rehost-worker-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        waiting.signal()
    }

    /// Waits for a job; nil at the end.
    private func next() -> UnownedJob? {
        while true {
            waiting.wait()
            let (job, isEnded) = queue.withLock { queue in
                (queue.jobs.isEmpty ? nil : queue.jobs.removeFirst(), queue.isEnded)
            }
            if let job { return job }
            if isEnded { return nil }
        }
    }

    func end() {
        queue.withLock { $0.isEnded = true }
        for _ in 0..<count { waiting.signal() }
    }
}
