import ArgumentParser
import Converter
import Foundation
import Projects
import Replicator

struct CaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Make a recovery point of a machine: all of it first, then what has changed.",
        discussion: """
            What is in the store already isn't stored again, whichever machine it came from. A capture that is interrupted
            leaves no point; what it stored counts the next time.

            A libvirt domain that is running goes on meanwhile. Its guest's agent, where there is one, holds the file systems
            still for the moment in which the backup begins; the next capture reads only what was written since.

            Examples:
              rehost capture web01.vmdk --to /backup/store --machine web01
              rehost capture 'libvirt+qemu:///system?domain=web01' --to /backup/store --machine web01
              rehost capture db01.vmx --to /backup/store --machine db01 --store-passphrase-file pass --bandwidth 50M
            """)

    @OptionGroup var source: SourceOptions
    @Option(
        help: ArgumentHelp("The store: a folder, made where there is none, or s3://BUCKET/PREFIX.", valueName: "STORE"))
    var to: String
    @Option(help: ArgumentHelp("What the machine is called in the store.", valueName: "NAME")) var machine: String
    @OptionGroup var storeOptions: StoreOptions
    @Option(
        name: .customLong("region-size"),
        help: ArgumentHelp("Of a new store: 64K to 8M, a power of two (default: 4M).", valueName: "bytes"))
    var regionSize: ByteCount?
    @Option(help: ArgumentHelp("The most that is read in a second, as in 50M.", valueName: "bytes"))
    var bandwidth: ByteCount?
    @Option(
        help: ArgumentHelp(
            "A folder for what a running machine overwrites while it is captured (default: /var/tmp).", valueName: "DIR"
        ))
    var scratch = "/var/tmp"
    @OptionGroup var voice: VoiceOptions

    func validate() throws {
        guard MachineName.isValid(machine) else {
            throw ValidationError(
                "'\(machine)' is no name for a machine: letters, digits, dots, dashes and underscores, 100 at most")
        }
        if let regionSize, !RegionSize.isValid(Int(regionSize.bytes)) {
            throw ValidationError("a region has 64K to 8M bytes, a power of two")
        }
    }

    func run() async throws {
        let target: CaptureTarget
        if let named = source.source, let running = try await CaptureTarget.running(named) {
            guard source.disks.isEmpty else {
                throw ValidationError("a running domain is captured with its own disks; leave --disk out")
            }
            target = running
        } else {
            target = .guest(try source.request())
        }
        let store = try storeOptions.request(to, regionSize: regionSize.map { Int($0.bytes) })
        var options = Capture.Options()
        options.bandwidth = bandwidth?.bytes
        let console = voice.console
        let outcome = try await Interruption.cancelling { [target, options] in
            try await Replication.capture(
                target, as: machine, into: store, options: options,
                scratch: URL(fileURLWithPath: scratch).standardizedFileURL.path
            ) { console.show($0) }
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(PointsReport(outcome)))
        case .text:
            let point = outcome.point
            Console.result(
                "\(point.machine)@\(point.id): \(PointsText.size(point.changed)) changed,"
                    + " \(PointsText.size(point.stored)) stored, \(PointsText.size(outcome.read)) read,"
                    + " consistency \(point.consistency.rawValue)\n")
        }
        if !voice.quiet { for note in outcome.notes { Console.error("note: \(note)\n") } }
        for warning in outcome.warnings { Console.error("warning: \(warning)\n") }
        if !outcome.warnings.isEmpty { throw ExitCode(CommandError.Code.warnings.rawValue) }
    }
}
