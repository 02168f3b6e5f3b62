import ArgumentParser
import Foundation

@main
struct Rehost: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rehost",
        abstract: "Adapt a machine's disks offline so that they run in a KVM cloud.",
        discussion: """
            The source is never written. Results go to stdout, progress and messages to stderr.

            Exit codes: 0 done, 1 failed, 3 done with warnings, 4 blocked and nothing changed,
            5 guest not supported, 64 wrong usage.
            """,
        version: "0.1.0",
        subcommands: [
            Inspect.self, PlanCommand.self, Convert.self, PreflightCommand.self, CaptureCommand.self,
            PointsCommand.self,
            RestoreCommand.self, ServeCommand.self, VerifyCommand.self, PruneCommand.self, Support.self,
        ])

    /// Errors are printed in one place, with the exit code that the contract gives them.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Foundation.exit(CommandError.exitCode(for: error))
        }
    }
}
