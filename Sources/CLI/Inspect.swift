import ArgumentParser
import Converter
import Guest
import Projects

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what a machine is: firmware, system, kernels, boot loader, network, tools.",
        discussion: "Example:\n  rehost inspect web01.vmdk --disk web01-data.vmdk")

    @OptionGroup var source: SourceOptions
    @OptionGroup var voice: VoiceOptions

    func run() async throws {
        let request = try source.request()
        let console = voice.console
        let (inspection, findings) = try await Interruption.cancelling {
            try await GuestSession.inspect(request) { console.show($0) }
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(InspectionReport(inspection: inspection, findings: findings)))
        case .text: Console.result(InspectionText.render(inspection))
        }
        Console.findings(findings)
        if findings.contains(where: { $0.level == .warning }) { throw ExitCode(CommandError.Code.warnings.rawValue) }
    }
}

private struct InspectionReport: Encodable {
    var schema = "rehost.inspection/1"
    var inspection: Inspection
    var findings: [Finding]
}
