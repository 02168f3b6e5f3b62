internal import Foundation
internal import Synchronization

/// Threads for work that waits: reading disks, writing files. The threads that the runtime has for everything else stay free.
public enum Workers {
    /// Runs the body so many times side by side, each on a thread of its own, and returns when all have ended.
    /// - Throws: the first error; the others are cancelled then.
    public static func run(_ count: Int, _ body: @escaping @Sendable () async throws -> Void) async throws {
        let pool = WorkerPool(count: max(1, count))
        // Tasks don't keep their executor: it has to be here until the last one has ended.
        defer { withExtendedLifetime(pool) {} }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, count) { group.addTask(executorPreference: pool) { try await body() } }
            try await group.waitForAll()
        }
    }
}

/// Threads that run tasks of their own: those that have this preference, and their children. They end with it; whoever makes
/// such tasks keeps it until the last one has ended.
public final class WorkerPool: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isEnded = false
    }

    /// What the threads share; the pool itself they must not keep.
    private final class Jobs: Sendable {
        private let queue = Mutex(Queue())
        private let waiting = DispatchSemaphore(value: 0)

        func add(_ job: UnownedJob) {
            queue.withLock { $0.jobs.append(job) }
            waiting.signal()
        }

        /// Waits for a job; nil at the end.
        func next() -> UnownedJob? {
            while true {
                waiting.wait()
                let (job, isEnded) = queue.withLock { queue in
                    (queue.jobs.isEmpty ? nil : queue.jobs.removeFirst(), queue.isEnded)
                }
                if let job { return job }
                if isEnded { return nil }
            }
        }

        func end(_ threads: Int) {
            queue.withLock { $0.isEnded = true }
            for _ in 0..<threads { waiting.signal() }
        }
    }

    private let jobs = Jobs()
    private let count: Int

    public init(count: Int) {
        self.count = count
        for number in 0..<count {
            let thread = Thread { [weak self, jobs] in
                while let job = jobs.next() {
                    // There is none without its pool.
                    guard let self else { return }
                    job.runSynchronously(on: self.asUnownedTaskExecutor())
                }
            }
            thread.name = "rehost-worker-\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    deinit { jobs.end(count) }

    public func enqueue(_ job: consuming ExecutorJob) { jobs.add(UnownedJob(job)) }
}
