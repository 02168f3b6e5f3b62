import Dispatch
import Foundation
import Projects

/// Ctrl-C and a polite kill cancel the work; what it made so far is removed on the way out. A second one doesn't wait.
enum Interruption {
    /// Runs a body that SIGINT and SIGTERM cancel.
    static func cancelling<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await body() }
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if task.isCancelled { _exit(CommandError.Code.interrupted.rawValue) }
                Console.error("\nstopping …\n")
                task.cancel()
                // A call into the appliance returns when its QEMU has ended.
                ChildProcesses.terminate()
            }
            source.resume()
            sources.append(source)
        }
        defer { for source in sources { source.cancel() } }
        do {
            return try await task.value
        } catch {
            // Whatever a stopped program said on its way out isn't the reason.
            throw task.isCancelled ? CancellationError() : error
        }
    }
}
