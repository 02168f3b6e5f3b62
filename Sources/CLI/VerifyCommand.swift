public import ArgumentParser
import Converter
import Foundation
import Projects
public import Replicator

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "See whether a store still has what its recovery points need.",
        discussion: """
            quick: each chunk is there. sampled: one in twenty is read through, others each time. deep: all are.
            What is damaged is stored anew by the next capture of a machine that still has it.

            Exit code: 0 all is well, 1 something is damaged.
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: "Only this machine's points.") var machine: String?
    @Option(help: "How closely: quick, sampled or deep.") var depth = Verification.Depth.sampled
    @Flag(help: "The same as --depth deep.") var deep = false
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var voice: VoiceOptions

    func run() async throws {
        let repository = try await storeOptions.request(store).open()
        let console = voice.console
        let verification = Verification(repository, depth: deep ? .deep : depth)
        let outcome = try await Interruption.cancelling {
            try await verification.run(machine: machine) { console.show(.part("verify", $0)) }
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(VerifyReport(outcome: outcome)))
        case .text:
            for damage in outcome.damage { Console.result("damaged: \(damage)\n") }
            for point in outcome.damagedPoints { Console.result("can't be restored: \(point)\n") }
            Console.result(
                "\(outcome.chunks) chunks, \(outcome.decoded) read through: "
                    + (outcome.damage.isEmpty ? "all is well" : "\(outcome.damage.count) damaged") + "\n")
        }
        if !outcome.damage.isEmpty { throw ExitCode(CommandError.Code.failed.rawValue) }
    }
}

extension Verification.Depth: ExpressibleByArgument {}

private struct VerifyReport: Encodable {
    var schema = "rehost.verify/1"
    var outcome: Verification.Outcome
}
