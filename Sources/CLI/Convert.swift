import ArgumentParser
import Converter
import Foundation
import Guest
import Projects

struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make disks that boot in a KVM cloud; the source stays as it is.",
        discussion: """
            Writes PATH, PATH.report.json and PATH.xml, a libvirt domain that boots the result.

            Examples:
              rehost convert web01.vmdk --output web01.qcow2
              rehost convert db01.vmdk --disk db01-data.vmdk --output db01.raw --vmware-tools keep
            """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var options: AdaptationOptions
    @OptionGroup var voice: VoiceOptions
    @Option(help: ArgumentHelp("The first disk's new file; others get -disk2, -disk3 and so on.", valueName: "PATH"))
    var output: String
    @Option(
        name: .customLong("output-format"),
        help: "One of \(Conversion.formats.joined(separator: ", ")) (default: as PATH ends, else qcow2).")
    var outputFormat: String?
    @Option(help: ArgumentHelp("Write the JSON report to this file, too.", valueName: "FILE"))
    var report: String?
    @Flag(help: "Replace an output that exists.") var force = false

    func validate() throws {
        if let outputFormat, !Conversion.formats.contains(outputFormat) {
            throw ValidationError(
                "'\(outputFormat)' is no output format; there are: \(Conversion.formats.joined(separator: ", "))")
        }
    }

    func run() async throws {
        let conversion = Conversion(
            request: try source.request(options.adaptation), output: output,
            format: outputFormat ?? Conversion.format(for: output), existing: force ? .replace : .refuse,
            reportPath: report)
        let console = voice.console
        let outcome = try await Interruption.cancelling { try await conversion.run { console.show($0) } }
        switch voice.format {
        case .json: Console.result(try JSON.encode(outcome.report))
        case .text:
            for path in outcome.outputs { Console.result("\(path)\n") }
            Console.result("\(outcome.reportPath)\n\(outcome.domainPath)\n")
        }
        Console.findings(outcome.report.findings)
        if outcome.report.findings.contains(where: { $0.level == .warning }) {
            throw ExitCode(CommandError.Code.warnings.rawValue)
        }
    }
}
