import ArgumentParser
import Converter
import Foundation
import Guest
import Projects

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a conversion would change: a diff per file and per range of sectors.",
        discussion: """
            Examples:
              rehost plan web01.vmdk
              rehost plan web01.vmdk --firmware keep --format json --report web01-plan.json
            """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var options: AdaptationOptions
    @OptionGroup var voice: VoiceOptions
    @Option(help: "Write the plan as JSON to this file, too.") var report: String?

    func run() async throws {
        let request = try await source.request(options.adaptation(), store: store)
        let console = voice.console
        let (plan, inspection) = try await Interruption.cancelling {
            try await GuestSession.plan(request) { console.show($0) }
        }
        let json = try JSON.encode(PlanReport(plan, inspection: inspection))
        if let report { try json.write(to: URL(fileURLWithPath: report)) }
        switch voice.format {
        case .json: Console.result(json)
        case .text: Console.result(PlanText.render(plan))
        }
        Console.findings(plan.findings)
        if !plan.blockers.isEmpty { throw ExitCode(CommandError.Code.blocked.rawValue) }
        if !plan.warnings.isEmpty { throw ExitCode(CommandError.Code.warnings.rawValue) }
    }
}
