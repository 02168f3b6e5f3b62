internal import Foundation
internal import Glibc
internal import Synchronization

/// Inputs that nearly are what a parser expects, the same ones in every run.
///
///     let violations = Mutation.run("os-release", texts: samples) { _ = OSReleaseFile.parse($0) }
///     #expect(violations == [])
///
/// A parser may throw; it may not trap, nor think for long. A trap ends the tests' process, so each input is in a file
/// while it is tried: `rehost-fuzz-NAME.PID` in the temporary folder, removed when the run has ended.
///
/// Environment: `REHOST_FUZZ_ROUNDS` in place of a test's own number of rounds, `REHOST_FUZZ_SEED` for other inputs (1),
/// `REHOST_FUZZ_LOG` names a file that gets one line for each run. `script/fuzz` sets them.
public enum Mutation {
    /// Processor seconds that one input may take. Debug builds on slow hosts pass: it is the input of a kilobyte that
    /// takes minutes which is looked for.
    public static let secondsPerInput = 5.0
    /// Seconds by the clock after which an input counts as an endless loop.
    static let secondsUntilHung = 120.0

    /// Tries mutants of a corpus; the first inputs are the corpus itself.
    /// - Parameters:
    ///   - name: of a file: no slashes. It is part of the seed.
    ///   - tokens: what has a meaning to this parser, to be put in anywhere.
    ///   - rounds: inputs to try, unless the environment says another number.
    ///   - body: parses the input. That it throws is fine.
    /// - Returns: what isn't as it should be; nothing, for a good parser.
    public static func run(
        _ name: String, corpus: [[UInt8]], tokens: [String] = [], rounds: Int = 200,
        body: ([UInt8]) throws -> Void
    ) -> [String] {
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["REHOST_FUZZ_ROUNDS"].flatMap { Int($0) } ?? rounds
        let seed = environment["REHOST_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
        guard !corpus.isEmpty, rounds > 0 else { return ["\(name): there is nothing to mutate"] }
        let mutator = Mutator(corpus: corpus, tokens: tokens)
        let record: Record
        do { record = try Record(name) } catch { return ["\(name): \(error)"] }
        defer { record.close() }

        var slow: [String] = []
        var refused = 0
        var longest = 0.0
        for round in 0..<rounds {
            let input = round < corpus.count ? corpus[round] : mutator.mutant(number(of: round, name, seed))
            record.begin(input, "\(name): input \(round) of seed \(seed)")
            let start = processorSeconds()
            do { try body(input) } catch { refused += 1 }
            let took = processorSeconds() - start
            longest = max(longest, took)
            if took > secondsPerInput {
                slow.append("\(name): input \(round) of seed \(seed), \(input.count) bytes, took \(Int(took)) s")
                if let copy = record.keep(round) { slow.append("\(name): that input is in '\(copy)'") }
            }
        }
        if let log = environment["REHOST_FUZZ_LOG"] {
            append("\(name) \(rounds) \(refused) \(Int(longest * 1000))\n", to: log)
        }
        return slow
    }

    /// Texts, as ``run(_:corpus:tokens:rounds:body:)`` has bytes. Mutants needn't be UTF-8: what isn't arrives as
    /// U+FFFD, as it would by `GuestFiles.text`.
    public static func run(
        _ name: String, texts: [String], tokens: [String] = [], rounds: Int = 200, body: (String) throws -> Void
    ) -> [String] {
        run(name, corpus: texts.map { Array($0.utf8) }, tokens: tokens, rounds: rounds) {
            try body(String(decoding: $0, as: UTF8.self))
        }
    }

    private static func number(of round: Int, _ name: String, _ seed: UInt64) -> UInt64 {
        // FNV-1a: Swift's own hashes differ in each process.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return hash &+ seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(round) &* 0xD1B5_4A32_D192_ED03
    }

    /// Of this thread: a busy host makes no parser slow.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func append(_ line: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = line.utf8CString.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count - 1) }
    }
}

/// The input that is being tried, where the end of the process can't reach it; and a watch for one that never ends.
private final class Record: Sendable {
    private struct State {
        var what = ""
        var begun = ContinuousClock.now
        var isClosed = false
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let path: String
    private let descriptor: Int32
    private let state = Mutex(State())

    init(_ name: String) throws {
        path = FileManager.default.temporaryDirectory.path + "/rehost-fuzz-\(name).\(getpid())"
        descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "could not write '\(path)'") }
        let watch = Thread { [self] in
            while true {
                Thread.sleep(forTimeInterval: 1)
                let hung = state.withLock { state -> String? in
                    if state.isClosed { return "" }
                    return state.begun.duration(to: .now) > .seconds(Mutation.secondsUntilHung) ? state.what : nil
                }
                if hung == "" { return }
                guard let hung else { continue }
                FileHandle.standardError.write(Data("\(hung) doesn't end; it is in '\(path)'\n".utf8))
                abort()
            }
        }
        watch.start()
    }

    func begin(_ input: [UInt8], _ what: String) {
        state.withLock {
            $0.what = what
            $0.begun = .now
        }
        _ = pwrite(descriptor, input, input.count, 0)
        ftruncate(descriptor, input.count)
    }

    /// A copy of the input that is being tried.
    func keep(_ round: Int) -> String? {
        let copy = "\(path).\(round)"
        return (try? FileManager.default.copyItem(atPath: path, toPath: copy)).map { copy }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        Glibc.close(descriptor)
        unlink(path)
    }
}
