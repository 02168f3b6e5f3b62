internal import Foundation

/// A command that is run should this process end, kill -9 included, before it says that all is well.
public final class LastWill: Sendable {
    private let input: FileHandle

    /// - Parameter command: tried for half a minute; what it needs may be ours until we are gone.
    /// - Throws: ``Command/Failure``
    public init(_ command: Command) throws {
        guard let path = command.path else {
            throw Command.Failure(program: command.program, reason: "it is not installed")
        }
        // Input ends when this process does, or says a line before. The words are arguments: no shell reads them.
        let script = "read -r line && exit; for try in $(seq 30); do \"$@\" >/dev/null 2>&1 && exit; sleep 1; done"
        do {
            // No child of ours: what ends our children, at Ctrl-C, must not end this one.
            let child = try SpawnedProgram(
                ["/usr/bin/setsid", "--fork", "/bin/sh", "-c", script, "sh", path] + command.arguments,
                environment: command.wholeEnvironment)
            _ = child.wait()
            input = child.input
        } catch {
            throw Command.Failure(program: "/bin/sh", reason: "\(error)")
        }
    }

    /// It is wanted now, whatever becomes of this process.
    public func execute() { try? input.close() }

    /// All is well.
    public func revoke() {
        try? input.write(contentsOf: Data("\n".utf8))
        try? input.close()
    }
}
