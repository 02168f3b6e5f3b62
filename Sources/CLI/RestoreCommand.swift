import ArgumentParser
import Converter
import Disks
import Foundation
import Projects
import Replicator

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Write a recovery point's disks out, as sparse files.",
        discussion: """
            Every region is compared with its checksum on the way. What an interrupted restore has written, PATH.part,
            counts when the same point is restored to the same path again, as raw or qcow2.

            Examples:
              rehost restore /backup/store web01 --output web01.raw
              rehost restore /backup/store web01@20261128T101500Z-3f9a --output web01.qcow2
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: ArgumentHelp("The machine's newest point, or the one named.", valueName: "machine[@point]"))
    var point: String
    @Option(help: ArgumentHelp("The first disk's new file; others get -disk2, -disk3 and so on.", valueName: "PATH"))
    var output: String
    @Option(
        name: .customLong("output-format"),
        help:
            "The disks' format: raw, qcow2, vmdk, vmdk-stream-optimized, vpc, vhd-fixed or vhdx (default: as PATH ends, else qcow2)."
    )
    var outputFormat: OutputFormat?
    @Flag(help: "Replace an output that exists.") var force = false
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var voice: VoiceOptions

    func run() async throws {
        let repository = try await storeOptions.request(store).open()
        let point = try await repository.point(named: point)
        let console = voice.console
        let paths = try await Interruption.cancelling {
            try await Replication.restore(
                point, from: repository, to: output, as: outputFormat ?? OutputFormat(forFileNamed: output),
                existing: force ? .replace : .refuse
            ) { console.show($0) }
        }
        switch voice.format {
        case .json:
            Console.result(try JSON.encode(RestoreReport(point: point.id, machine: point.machine, outputs: paths)))
        case .text: for path in paths { Console.result("\(path)\n") }
        }
    }
}

private struct RestoreReport: Encodable {
    var schema = "rehost.restore/1"
    var point: String
    var machine: String
    var outputs: [String]
}
