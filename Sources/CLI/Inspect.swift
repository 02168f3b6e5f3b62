import ArgumentParser
import Converter
import Descriptions
import Guest
import Projects

struct Inspect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell what a machine is: firmware, system, kernels, boot loader, network, tools.",
        discussion: """
            Examples:
              rehost inspect web01.vmdk --disk web01-data.vmdk
              rehost inspect web01.ova
              rehost inspect web01.vmx --hardware
            """)

    @OptionGroup var source: SourceOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var voice: VoiceOptions
    @Flag(help: "Only what the machine is described with; no disk is opened, and none needs to be there.")
    var hardware = false

    func run() async throws {
        if hardware { return try showHardware() }
        let request = try await source.request(store: store)
        let console = voice.console
        let (inspection, findings) = try await Interruption.cancelling {
            try await GuestSession.inspect(request) { console.show($0) }
        }
        switch voice.format {
        case .json:
            Console.result(
                try JSON.encode(
                    InspectionReport(machine: request.machine, inspection: inspection, findings: findings)))
        case .text:
            if let described = request.described { Console.result(MachineText.render(described) + "\n") }
            Console.result(InspectionText.render(inspection))
        }
        try end(findings)
    }

    private func showHardware() throws {
        guard let name = source.source, let described = try DescriptionSource.read(name) else {
            throw ValidationError(
                "--hardware needs a description: an .ova, .ovf, .vmx, a domain's XML or libvirt+URI?domain=NAME")
        }
        switch voice.format {
        case .json:
            Console.result(
                try JSON.encode(HardwareReport(machine: described.machine, findings: described.findings)))
        case .text: Console.result(MachineText.render(described))
        }
        try end(described.findings)
    }

    private func end(_ findings: [Finding]) throws {
        Console.findings(findings)
        if findings.contains(where: { $0.level == .warning }) { throw ExitCode(CommandError.Code.warnings.rawValue) }
    }
}

private struct InspectionReport: Encodable {
    var schema = "rehost.inspection/1"
    var machine: MachineDescription?
    var inspection: Inspection
    var findings: [Finding]
}

private struct HardwareReport: Encodable {
    var schema = "rehost.machine/1"
    var machine: MachineDescription
    var findings: [Finding]
}
