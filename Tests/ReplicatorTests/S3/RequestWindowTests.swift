import Synchronization
import Testing

@testable import Replicator

struct RequestWindowTests {
    private func run(_ window: RequestWindow, _ verdict: RequestWindow.Verdict) async throws {
        try await window.run({}, judging: { verdict })
    }

    private final class Counts: Sendable {
        let state = Mutex((now: 0, most: 0))

        func enter() {
            state.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
        }

        func leave() { state.withLock { $0.now -= 1 } }

        /// Until so many have been there at once.
        func wait(for count: Int) async { while state.withLock({ $0.most }) < count { await Task.yield() } }
    }

    @Test func noMoreThanTheLimitAreUnderWay() async throws {
        let window = RequestWindow(start: 4, most: 4)
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    try await window.run {
                        counts.enter()
                        try await Task.sleep(for: .milliseconds(1))
                        counts.leave()
                    } judging: {
                        .well
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.state.withLock { $0.most } == 4)
    }

    @Test func itIsHalvedAndGrowsSlowly() async throws {
        let window = RequestWindow(start: 16, most: 20)
        try await run(window, .tooMuch)
        #expect(window.limit == 8)
        for _ in 0..<8 { try await run(window, .well) }
        #expect(window.limit == 8)
        try await run(window, .well)
        #expect(window.limit == 9)
        for _ in 0..<1000 { try await run(window, .well) }
        #expect(window.limit == 20)
        for _ in 0..<10 { try await run(window, .tooMuch) }
        #expect(window.limit == 1)
        try await run(window, .otherwise)
        #expect(window.limit == 1)
    }

    @Test func requestsOfOneMomentCutItOnce() async throws {
        let window = RequestWindow(start: 8, most: 8)
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await window.run {
                        counts.enter()
                        await counts.wait(for: 8)
                    } judging: {
                        .tooMuch
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(window.limit == 4)
    }

    @Test func whoWaitsCanBeCancelled() async throws {
        let window = RequestWindow(start: 1, most: 1)
        let counts = Counts()
        let first = Task {
            try await window.run {
                counts.enter()
                try await Task.sleep(for: .seconds(60))
            } judging: {
                .well
            }
        }
        await counts.wait(for: 1)
        let second = Task { try await run(window, .well) }
        try await Task.sleep(for: .milliseconds(20))
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        // Nothing is lost.
        try await run(window, .well)
    }
}
