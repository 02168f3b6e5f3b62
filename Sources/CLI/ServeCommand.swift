import ArgumentParser
import Converter
import Foundation
import Host
import Projects
import Replicator

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve a recovery point's disks over NBD, read-only, without restoring them.",
        discussion: """
            Prints one URI for each disk and serves until Ctrl-C. What is read is fetched then, compared with its checksum, and
            kept in memory for a while. With --record, what is read is written down in the store as what a start of the machine
            wants, in its order; later serves fetch that before it is asked for.

            Example:
              rehost serve /backup/store web01 --socket web01.sock
              qemu-img create -f qcow2 -b 'nbd+unix:///disk-0?socket=web01.sock' -F raw web01-overlay.qcow2
            """)

    @Argument(help: "The store.") var store: String
    @Argument(help: ArgumentHelp("The machine's newest point, or the one named.", valueName: "machine[@point]"))
    var point: String
    @Option(help: ArgumentHelp("The socket that clients connect to; it is made.", valueName: "PATH")) var socket: String
    @Option(help: ArgumentHelp("Memory for what was read (default: 512M).", valueName: "bytes")) var memory: ByteCount?
    @Flag(help: "Write down what is read, for later starts of the machine.") var record = false
    @Flag(name: .customLong("no-prefetch"), help: "Fetch nothing before it is asked for.") var noPrefetch = false
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var voice: VoiceOptions

    func run() async throws {
        ProcessMemory.giveLargeBlocksBack()
        let repository = try await storeOptions.request(store).open()
        let point = try await repository.point(named: point)
        let server = try await PointServer(
            point, from: repository, socket: URL(fileURLWithPath: socket).standardizedFileURL.path,
            memory: Int(clamping: memory?.bytes ?? 512 << 20))
        if !noPrefetch, !record, let trace = try await repository.bootTrace(of: point.machine) {
            server.prefetch(trace)
        }
        switch voice.format {
        case .json:
            Console.result(try JSON.encode(ServeReport(machine: point.machine, point: point.id, exports: server.uris)))
        case .text: for uri in server.uris { Console.result(uri + "\n") }
        }
        defer { server.close() }
        // Interrupted is how it ends.
        try await Interruption.cancelling {
            do { while true { try await Task.sleep(for: .seconds(3600)) } } catch is CancellationError {}
        }
        if record { try await repository.keep(server.trace, of: point.machine) }
        let use = await server.use
        switch voice.format {
        case .json: Console.result(try JSON.encode(UseReport(disks: use)))
        case .text:
            for disk in use where !voice.quiet {
                Console.error("\(disk.name): \(disk.read) of \(disk.held) regions were read\n")
            }
        }
    }
}

private struct ServeReport: Encodable {
    var schema = "rehost.serve/1"
    var machine: String
    var point: String
    var exports: [String]
}

private struct UseReport: Encodable {
    var schema = "rehost.served/1"
    var disks: [PointServer.Use]
}
