public import Foundation

/// A program of this host's that runs beside us for a while and never outlives us, not even a kill -9.
public final class BackgroundProgram: @unchecked Sendable {
    private let child: SpawnedProgram
    private let input: FileHandle
    // `words` is touched with the lock held.
    private let lock = NSLock()
    private var words = Data()
    private let ended: Ended

    public enum Ending: Sendable, Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    /// The most that is kept of what it says on stderr.
    private static let wordLimit = 64 << 10

    /// Starts it.
    /// - Parameters:
    ///   - isolation: how it is started so that it has no network; none of it where nil.
    ///   - onOutput: gets stdout piece by piece, on a thread of its own.
    ///   - onEnd: called there once nothing more will come.
    public init(
        _ command: Command, isolation: NetworkIsolation? = nil, onOutput: @escaping @Sendable (Data) -> Void,
        onEnd: @escaping @Sendable () -> Void
    ) throws {
        guard let path = command.path else {
            throw Command.Failure(
                program: command.program, reason: "it is not installed",
                hint: "install it with your package manager; script/setup lists what rehost needs")
        }
        // util-linux's setpriv has the kernel end the program when its parent thread ends (prctl(2), PR_SET_PDEATHSIG).
        // It goes last: a change of rights, as by unshare, clears the wish.
        let guardian = Command("setpriv", []).path.map { [$0, "--pdeathsig", "KILL"] } ?? []
        let line = (isolation?.prefix ?? []) + guardian + [path] + command.arguments
        let environment = command.wholeEnvironment
        // Writing to a program that has just ended must not end us.
        signal(SIGPIPE, SIG_IGN)
        let started = DispatchSemaphore(value: 0)
        let box = Box()
        let ending = Ended()
        // The signal comes when the *thread* that forked is gone, so this one stays as long as the program runs.
        Thread.detachNewThread {
            do {
                let child = try SpawnedProgram(line, environment: environment)
                box.child = child
                started.signal()
                ending.set(child.wait())
            } catch {
                box.error = error
                started.signal()
            }
        }
        started.wait()
        guard let child = box.child else {
            throw Command.Failure(
                program: command.program, reason: box.error.map { "\($0)" } ?? "it could not be started")
        }
        self.child = child
        ended = ending
        input = child.input
        Self.drain(child.output, onOutput, onEnd)
        Self.drain(child.errors, { [weak self] piece in self?.keep(piece) }, {})
    }

    /// Filled before the semaphore is signalled, read after it.
    private final class Box: @unchecked Sendable {
        var error: (any Error)?
        var child: SpawnedProgram?
    }

    /// How the program ended, once it has.
    private final class Ended: @unchecked Sendable {
        private let lock = NSLock()
        private var ending: Ending?
        private let finished = DispatchSemaphore(value: 0)

        func set(_ ending: Ending) {
            lock.withLock { self.ending = ending }
            finished.signal()
        }

        var value: Ending? { lock.withLock { ending } }

        func wait() {
            finished.wait()
            finished.signal()
        }
    }

    private static func drain(
        _ handle: FileHandle, _ body: @escaping @Sendable (Data) -> Void, _ onEnd: @escaping @Sendable () -> Void
    ) {
        Thread.detachNewThread {
            while let piece = PipePiece.next(handle) { body(piece) }
            try? handle.close()
            onEnd()
        }
    }

    private func keep(_ piece: Data) {
        lock.withLock { if words.count < Self.wordLimit { words.append(piece) } }
    }

    public var processID: Int32 { child.processID }

    /// How it ended; nil while it runs.
    public var ending: Ending? { ended.value }

    /// What it said on stderr.
    public var errors: String {
        lock.withLock { String(decoding: words, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    /// Writes to its stdin. What an ended program isn't told is lost without a word.
    public func write(_ data: Data) { try? input.write(contentsOf: data) }

    /// Seconds of processor time that all its threads have used; nil when it has ended.
    public var cpuSeconds: Double? {
        guard ending == nil, let stat = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return nil }
        // Fields 14 and 15 of proc(5), counted behind the name in parentheses.
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Seconds that its threads were ready to run while other programs had the processors: the second number of
    /// /proc/PID/task/TID/schedstat, in nanoseconds (Linux's Documentation/scheduler/sched-stats). Threads that have
    /// ended are left out, so it may shrink.
    public var waitedSeconds: Double {
        let folder = "/proc/\(processID)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return threads.reduce(0) { sum, thread in
            let text = (try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)) ?? ""
            return sum + (text.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1e9
        }
    }

    /// Ends it at once and returns when it is gone: for programs whose files nobody keeps.
    public func stop() {
        guard ending == nil else { return }
        kill(processID, SIGKILL)
        ended.wait()
    }

    /// Returns when it has ended by itself.
    public func wait() { ended.wait() }
}
