import ArgumentParser
import Converter
import Foundation
import Guest
import Preflight
import Projects

struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make disks that boot in a KVM cloud; the source stays as it is.",
        discussion: """
            Writes PATH, PATH.report.json and PATH.xml, a libvirt domain that boots the result; with --preflight
            PATH.preflight.html, too. A result that does not boot is kept, and the exit code is 1.

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
    @Flag(help: "Boot the result on a throw-away overlay and say what came up.") var preflight = false
    @Option(
        name: .customLong("network-cidr"),
        help: ArgumentHelp(
            "The network of that boot, for a guest that keeps its address (default: 10.0.2.0/24, with DHCP).",
            valueName: "cidr"))
    var network: String?
    @Option(help: ArgumentHelp("That network's router (default: its second address).", valueName: "address"))
    var gateway: String?

    func validate() throws {
        if let outputFormat, !Conversion.formats.contains(outputFormat) {
            throw ValidationError(
                "'\(outputFormat)' is no output format; there are: \(Conversion.formats.joined(separator: ", "))")
        }
        if !preflight, network != nil || gateway != nil {
            throw ValidationError("--network-cidr and --gateway are for the boot test; add --preflight")
        }
    }

    private var machine: Machine? {
        guard preflight else { return nil }
        var machine = Machine()
        machine.network = network ?? machine.network
        machine.gateway = gateway
        return machine
    }

    func run() async throws {
        var conversion = Conversion(
            request: try source.request(options.adaptation), output: output,
            format: outputFormat ?? Conversion.format(for: output), existing: force ? .replace : .refuse,
            reportPath: report)
        conversion.preflight = machine
        let console = voice.console
        let outcome = try await Interruption.cancelling { [conversion] in
            try await conversion.run { console.show($0) }
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(outcome.report))
        case .text:
            for path in outcome.outputs { Console.result("\(path)\n") }
            Console.result("\(outcome.reportPath)\n\(outcome.domainPath)\n")
            if let page = outcome.pagePath { Console.result("\(page)\n") }
        }
        Console.findings(outcome.report.conversion.findings)
        if let tested = outcome.report.preflight {
            Console.error(TextReport.render(tested))
            if tested.verdict != .boots { throw ExitCode(CommandError.Code.failed.rawValue) }
        }
        if outcome.report.hasWarnings {
            throw ExitCode(CommandError.Code.warnings.rawValue)
        }
    }
}
