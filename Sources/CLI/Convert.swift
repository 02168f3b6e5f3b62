import ArgumentParser
import Converter
import Descriptions
import Disks
import Foundation
import Guest
import Preflight
import Projects

struct Convert: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make disks that boot in a KVM cloud; the source stays as it is.",
        discussion: """
            Writes PATH, PATH.report.json and PATH.xml, a libvirt domain that boots the result, or other metadata; with
            --preflight PATH.preflight.html, too. A result that does not boot is kept, and the exit code is 1.
            docs/how-to/outputs.md has each format and how it is imported.

            Examples:
              rehost convert web01.vmdk --output web01.qcow2
              rehost convert db01.vmdk --disk db01-data.vmdk --output db01.raw --vmware-tools keep
              rehost convert web01.vmdk --output web01.qcow2 --compress zstd --metadata libvirt,openstack
            """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var options: AdaptationOptions
    @OptionGroup var voice: VoiceOptions
    @Option(help: ArgumentHelp("The first disk's new file; others get -disk2, -disk3 and so on.", valueName: "PATH"))
    var output: String
    @Option(
        name: .customLong("output-format"),
        help: "The disks' format (default: as PATH ends, else qcow2).")
    var outputFormat: OutputFormat?
    @Option(help: "Compress a qcow2: zlib, which every QEMU reads, or zstd, which QEMU 5.1 and later read.")
    var compress: ImageCompression?
    @Option(
        help: ArgumentHelp(
            """
            Files for those who run the result, separated by commas or repeated: \
            \(ConvertedMachine.Metadata.allCases.map { "\($0.rawValue) (PATH\($0.ending))" }.joined(separator: ", ")) \
            (default: libvirt, where the format is one that it runs).
            """, valueName: "kind"))
    var metadata: [String] = []
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
        for name in metadataNames where ConvertedMachine.Metadata(rawValue: name) == nil {
            throw ValidationError(
                "there is no metadata '\(name)'; there are: "
                    + ConvertedMachine.Metadata.allCases.map(\.rawValue).joined(separator: ", "))
        }
        if let misuse = conversion(GuestRequest(disks: [])).misuse {
            throw ValidationError("\(misuse.message)\nhint: \(misuse.hint)")
        }
        if !preflight, network != nil || gateway != nil {
            throw ValidationError("--network-cidr and --gateway are for the boot test; add --preflight")
        }
    }

    private var metadataNames: [String] { metadata.flatMap { $0.split(separator: ",").map(String.init) } }

    private func conversion(_ request: GuestRequest) -> Conversion {
        let asked = metadataNames.compactMap { ConvertedMachine.Metadata(rawValue: $0) }
        // Each once, in the order in which they are listed.
        let metadata = ConvertedMachine.Metadata.allCases.filter { asked.contains($0) }
        return Conversion(
            request: request, output: output, format: outputFormat, compression: compress,
            metadata: metadata.isEmpty ? nil : metadata, existing: force ? .replace : .refuse, reportPath: report)
    }

    private var machine: Machine? {
        guard preflight else { return nil }
        var machine = Machine()
        machine.network = network ?? machine.network
        machine.gateway = gateway
        return machine
    }

    func run() async throws {
        var conversion = conversion(try await source.request(options.adaptation(), store: store))
        conversion.preflight = machine
        let console = voice.console
        let outcome = try await Interruption.cancelling { [conversion] in
            try await conversion.run { console.show($0) }
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(outcome.report))
        case .text:
            for path in outcome.outputs { Console.result("\(path)\n") }
            let more = outcome.metadataPaths + [outcome.registryUndoPath].compactMap { $0 }
            for path in [outcome.reportPath] + more { Console.result("\(path)\n") }
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
