internal import CLinux
internal import Foundation
internal import Glibc

/// A child process with pipes for its input and both outputs.
///
/// Foundation's own learns of a child's end by a socket that children started at the same time inherit, too: it then waits
/// for all of them. This one asks the kernel for the one child.
final class SpawnedProgram: Sendable {
    let processID: Int32
    let input: FileHandle
    let output: FileHandle
    let errors: FileHandle

    struct Failure: Error, CustomStringConvertible {
        var code: Int32
        var description: String { String(cString: strerror(code)) }
    }

    /// - Parameter line: the program's path, and its arguments.
    init(_ line: [String], environment: [String: String]) throws {
        let pipes = try (0..<3).map { _ in try Self.pipe() }
        defer {
            close(pipes[0].read)
            close(pipes[1].write)
            close(pipes[2].write)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The copies stay open over exec; the pipes' own descriptors don't.
        for (number, descriptor) in [pipes[0].read, pipes[1].write, pipes[2].write].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: Ctrl-C is for us to pass on. Signals as every program expects them, whatever ours are.
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let words = line.map { strdup($0) } + [nil]
        let settings = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + settings { free(word) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, line[0], &actions, &attributes, words, settings)
        input = FileHandle(fileDescriptor: pipes[0].write, closeOnDealloc: true)
        output = FileHandle(fileDescriptor: pipes[1].read, closeOnDealloc: true)
        errors = FileHandle(fileDescriptor: pipes[2].read, closeOnDealloc: true)
        processID = child
        guard status == 0 else { throw Failure(code: status) }
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw Failure(code: errno) }
        return (ends[0], ends[1])
    }

    /// Returns when the program has ended; its number stays its own until ``wait()``.
    func waitUntilEnded() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }

    /// Returns when the program has ended. Called once.
    func wait() -> BackgroundProgram.Ending {
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .exit(status >> 8 & 0xFF) : .signal(signal)
    }
}
