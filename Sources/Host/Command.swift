public import Foundation

/// A program of this host's, run without a shell.
public struct Command: Sendable {
    public var program: String
    public var arguments: [String]
    public var environment: [String: String]

    /// - Parameters:
    ///   - program: a name looked up in PATH, or a path.
    ///   - environment: laid over this process's own.
    public init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    public struct Failure: Error, CustomStringConvertible {
        public var program: String
        public var reason: String
        public var hint: String?
        /// What it ended with; nil where it didn't run, or a signal ended it.
        public var status: Int32?

        public init(program: String, reason: String, hint: String? = nil, status: Int32? = nil) {
            self.program = program
            self.reason = reason
            self.hint = hint
            self.status = status
        }

        public var description: String {
            "could not run \(program): \(reason)" + (hint.map { "\nhint: \($0)" } ?? "")
        }
    }

    /// Runs to the end and returns what the program wrote to stdout.
    /// - Parameter onOutput: gets stdout piece by piece as it comes, for progress.
    /// - Throws: ``Failure`` with the program's last words where it ends with anything but 0; `CancellationError` where
    ///   the task was cancelled, after the program was ended.
    public func run(onOutput: (@Sendable (String) -> Void)? = nil) async throws -> Data {
        let running = try Running(self, onOutput: onOutput)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread { continuation.resume(with: Result { try running.finish() }) }
            }
        } onCancel: {
            running.cancel()
        }
    }

    /// The same, holding the calling thread.
    public func runBlocking() throws -> Data {
        try Running(self, onOutput: nil).finish()
    }

    /// This process's own, and what is laid over it; words as programs have them in English.
    var wholeEnvironment: [String: String] {
        ProcessInfo.processInfo.environment.merging(["LC_ALL": "C.UTF-8"].merging(environment) { $1 }) { $1 }
    }

    /// The program's path; nil where PATH has none of the name.
    public var path: String? {
        if program.contains("/") { return FileManager.default.isExecutableFile(atPath: program) ? program : nil }
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        // Administrators' programs are often missing from a user's PATH.
        return (folders + ["/usr/sbin", "/sbin"]).map { $0 + "/" + program }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

/// A started program with both its outputs drained.
private final class Running: @unchecked Sendable {
    private let process: SpawnedProgram
    private let command: Command
    private let lock = NSLock()
    private var isCancelled = false
    private var hasEnded = false
    private let output: Drain
    private let errors: Drain

    init(_ command: Command, onOutput: (@Sendable (String) -> Void)?) throws {
        self.command = command
        guard let path = command.path else {
            throw Command.Failure(
                program: command.program, reason: "it is not installed",
                hint: "install it with your package manager; script/setup lists what rehost needs")
        }
        let program: SpawnedProgram
        do {
            program = try SpawnedProgram([path] + command.arguments, environment: command.wholeEnvironment)
        } catch {
            throw Command.Failure(program: command.program, reason: "\(error)")
        }
        // Nothing is said to it: its input ends at once.
        try? program.input.close()
        process = program
        output = Drain(program.output, onOutput: onOutput)
        errors = Drain(program.errors, onOutput: nil)
    }

    func cancel() {
        lock.lock()
        defer { lock.unlock() }
        isCancelled = true
        // Until it was waited for, the number is its own.
        if !hasEnded { kill(process.processID, SIGTERM) }
    }

    func finish() throws -> Data {
        let bytes = output.finish()
        let said = errors.finish()
        process.waitUntilEnded()
        lock.lock()
        hasEnded = true
        let ending = process.wait()
        let wasCancelled = isCancelled
        lock.unlock()
        if wasCancelled { throw CancellationError() }
        guard ending == .exit(0) else {
            let words = String(decoding: said.suffix(2000), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let (end, status): (String, Int32?) =
                switch ending {
                case .exit(let status): ("it ended with \(status)", status)
                case .signal(let signal): ("signal \(signal) ended it", nil)
                }
            throw Command.Failure(program: command.program, reason: words.isEmpty ? end : words, status: status)
        }
        return bytes
    }
}

/// Reads a pipe to its end on a thread of its own, so that no program waits for us.
private final class Drain: @unchecked Sendable {
    /// The most that is kept; programs of ours print a few kilobytes, JSON of deep chains a few hundred.
    private static let limit = 64 << 20
    // Written by the thread before the semaphore is signalled, read after it.
    private var bytes = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: FileHandle, onOutput: (@Sendable (String) -> Void)?) {
        Thread.detachNewThread { [self] in
            while let piece = PipePiece.next(handle) {
                if bytes.count < Self.limit { bytes.append(piece) }
                onOutput?(String(decoding: piece, as: UTF8.self))
            }
            try? handle.close()
            done.signal()
        }
    }

    func finish() -> Data {
        done.wait()
        return bytes
    }
}

/// Reads a pipe piece by piece.
enum PipePiece {
    /// What is there now, at least a byte; nil at the end. FileHandle's own `read(upToCount:)` waits for all of the count.
    static func next(_ handle: FileHandle) -> Data? {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(handle.fileDescriptor, &bytes, bytes.count)
            if count > 0 { return Data(bytes.prefix(count)) }
            if count < 0, errno == EINTR { continue }
            return nil
        }
    }
}
