public import ArgumentParser
import Converter
import Foundation
import Guest
public import Preflight
import Projects

extension Machine.Firmware: ExpressibleByArgument {}
extension Machine.Chipset: ExpressibleByArgument {}
extension Machine.DiskBus: ExpressibleByArgument {}
extension Machine.Card: ExpressibleByArgument {}

/// The machine that a disk is booted in.
struct MachineOptions: ParsableArguments {
    @Option(help: "bios or uefi (default: as the report beside the image says, else bios).")
    var firmware: Machine.Firmware?
    @Option(
        name: .customLong("boot-entry"),
        help: ArgumentHelp(
            #"A loader that the UEFI's variables name, as the source's did: '\EFI\debian\grubx64.efi'."#,
            valueName: "path"))
    var bootEntry: String?
    @Option(help: "The machine's chipset (default: q35).") var machine: Machine.Chipset?
    @Option(
        name: .customLong("disk-bus"),
        help: "virtio-blk, virtio-scsi or sata (default: as the report beside the image says, else virtio-blk).")
    var diskBus: Machine.DiskBus?
    @Option(help: "The network card (default: virtio).") var nic: Machine.Card?
    @Option(help: ArgumentHelp("The card's MAC address.", valueName: "address")) var mac: String?
    @Option(
        name: .customLong("network-cidr"),
        help: ArgumentHelp("The network that the guest is on; DHCP serves it, nothing gets out.", valueName: "cidr"))
    var network = "10.0.2.0/24"
    @Option(help: ArgumentHelp("The network's router (default: its second address).", valueName: "address"))
    var gateway: String?
    @Option(help: ArgumentHelp("The machine's memory (default: 1024).", valueName: "MiB")) var memory: Int?
    @Option(help: "The machine's processors (default: 1).") var cpus: Int?

    func validate() throws {
        if let memory, !(64...1 << 20).contains(memory) {
            throw ValidationError("'--memory \(memory)' is no size in MiB")
        }
        if let cpus, !(1...64).contains(cpus) { throw ValidationError("'--cpus \(cpus)' is not between 1 and 64") }
        if let mac, mac.wholeMatch(of: /[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}/) == nil {
            throw ValidationError("'--mac \(mac)' is not of the form 52:54:00:12:34:56")
        }
        if bootEntry != nil, firmware == .bios {
            throw ValidationError("'--boot-entry' is for UEFI; add --firmware uefi")
        }
    }

    /// - Parameter written: what the domain beside the image says; only an option is worth more.
    func machine(for converted: ConvertedImage?, written: Machine? = nil) -> Machine {
        var result = written ?? Machine()
        result.firmware = firmware ?? (bootEntry == nil ? written?.firmware ?? converted?.firmware : .uefi) ?? .bios
        result.bootEntry = bootEntry
        result.chipset = machine ?? result.chipset
        result.bus = diskBus ?? written?.bus ?? converted?.bus ?? .virtioBlk
        result.bootDisk = written?.bootDisk ?? converted?.bootDisk ?? 0
        result.card = nic ?? result.card
        result.mac = mac?.lowercased() ?? result.mac
        result.network = network
        result.gateway = gateway
        result.memoryMiB = memory ?? result.memoryMiB
        result.processors = cpus ?? result.processors
        return result
    }
}

struct PreflightCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preflight",
        abstract: "Boot disks on throw-away overlays and say, with evidence, what came up.",
        discussion: """
            Each IMAGE is one machine; it is never written. Further disks of a machine are those of the report that
            'convert' wrote beside it, or given by --disk. With --connect the machine is the domain IMAGE.xml, where
            'convert' wrote one and no option asks for another machine.

            Exit code 0: all boot; 3: all boot, with warnings; 1: one does not boot, or could not be tested.

            Examples:
              rehost preflight web01.qcow2 --html web01.html
              rehost preflight converted/*.qcow2 --junit boots.xml --evidence boots/
              rehost preflight web01.qcow2 --connect qemu:///system
              rehost preflight '/backup/store#web01'
              rehost preflight db01.vmdk --disk db01-data.vmdk --firmware uefi --disk-bus sata --no-witness
            """)

    @Argument(
        help:
            "The first disk of a machine, in any format that qemu-img reads; or a recovery point, STORE#MACHINE[@POINT]."
    )
    var images: [String]
    @Option(name: .customLong("disk"), help: "A further disk of the one machine; repeat it, in its order.")
    var disks: [String] = []
    @Option(
        name: .customLong("boot-disk"),
        help: ArgumentHelp(
            "The disk that the firmware starts, from 1 (default: as the report says, else 1).", valueName: "n"))
    var bootDisk: Int?
    @OptionGroup var machine: MachineOptions
    @Option(
        help: ArgumentHelp(
            "Run the machines by this libvirt, as transient domains, instead of by a QEMU of our own.",
            valueName: "uri"))
    var connect: String?
    @Flag(name: .customLong("no-witness"), help: "Lay nothing into the guest; judge from outside alone.")
    var noWitness = false
    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "The passphrase of an encrypted device, for the witness to be laid.", valueName: "DEVICE:file:PATH"))
    var keys: [String] = []
    @Option(
        help: ArgumentHelp(
            "Processor time that a guest may take without getting further.", valueName: "cpu-seconds"))
    var budget = 900
    @Option(help: "Machines side by side (default: as many as processors and memory allow).") var jobs: Int?
    @Option(help: ArgumentHelp("Write the JSON report to this file, too.", valueName: "file")) var report: String?
    @Option(help: ArgumentHelp("Write JUnit XML, a suite an image.", valueName: "file")) var junit: String?
    @Option(help: ArgumentHelp("Write one page with everything on it.", valueName: "file")) var html: String?
    @Option(
        help: ArgumentHelp("Write all of these, and pictures, serial logs and packets, there.", valueName: "folder"))
    var evidence: String?
    @OptionGroup var storeOptions: StoreOptions
    @OptionGroup var voice: VoiceOptions

    func validate() throws {
        if images.count > 1, !disks.isEmpty || bootDisk != nil {
            throw ValidationError("--disk and --boot-disk belong to one machine; name one IMAGE with them")
        }
        guard budget > 0 else { throw ValidationError("'--budget \(budget)' is not above 0") }
        if let jobs, jobs < 1 { throw ValidationError("'--jobs \(jobs)' is not above 0") }
        if let bootDisk, bootDisk < 1 { throw ValidationError("'--boot-disk \(bootDisk)' is not above 0") }
    }

    func run() async throws {
        let console = voice.console
        var request = PreflightRequest(targets: try await targets { console.show(.note($0)) })
        request.witness = noWitness ? .none : .lay
        request.keys = try Passphrases.read(keys)
        request.budget = Double(budget)
        request.jobs = jobs
        request.connection = connect
        let outputs = PreflightOutputs(report: report, junit: junit, html: html, evidence: evidence)
        try outputs.check()
        let run = PreflightRun(request)
        let results = try await Interruption.cancelling { try await run.run { console.show($0) } }
        try outputs.write(results, created: Date())
        let reports = results.map(\.report)
        for (target, report) in zip(request.targets, reports) where target.point == nil {
            guard let origin = target.origin, report.verdict != .notTested else { continue }
            do { try await Replication.note(report, of: origin, access: storeOptions.access()) } catch {
                console.show(.note("note: the verdict isn't in '\(origin.store)': \(error)"))
            }
        }
        switch voice.format {
        case .json: Console.result(try JSON.encode(PreflightReport(images: reports)))
        case .text: for report in reports { Console.result(TextReport.render(report)) }
        }
        for path in [report, junit, html].compactMap(\.self) { console.show(.note("written: \(path)")) }
        if let evidence { console.show(.note("written: \(evidence)/index.html")) }
        if reports.contains(where: { $0.verdict != .boots }) { throw ExitCode(CommandError.Code.failed.rawValue) }
        if reports.contains(where: { $0.findings.contains { $0.level == .warning } }) {
            throw ExitCode(CommandError.Code.warnings.rawValue)
        }
    }

    private func targets(_ note: (String) -> Void) async throws -> [PreflightRequest.Target] {
        var found: [PreflightRequest.Target] = []
        for image in images { found.append(try await target(image, note)) }
        for target in found where !target.disks.indices.contains(target.machine.bootDisk) {
            throw ValidationError("'--boot-disk \(target.machine.bootDisk + 1)': there are \(target.disks.count) disks")
        }
        // A shell's *.qcow2 names the second disk of a machine, too.
        let further = Set(found.flatMap { $0.disks.dropFirst().map(Self.absolute) })
        found.removeAll { target in
            let isPart = target.disks.count == 1 && further.contains(Self.absolute(target.disks[0]))
            if isPart { note("note: '\(target.disks[0])' is a further disk of another image, and boots with it") }
            return isPart
        }
        return found
    }

    private func target(_ image: String, _ note: (String) -> Void) async throws -> PreflightRequest.Target {
        if let point = try await ServedPoint.open(image, access: storeOptions.access()) {
            guard disks.isEmpty else {
                throw ValidationError("'\(image)' has disks of its own; leave --disk out")
            }
            let described = ConvertedImage(point)
            var value = machine.machine(for: described)
            value.bootDisk = bootDisk.map { $0 - 1 } ?? value.bootDisk
            var target = PreflightRequest.Target(disks: described.disks, machine: value)
            target.point = point
            return target
        }
        let converted = ConvertedImage(beside: image)
        let all = disks.isEmpty ? converted?.disks ?? [image] : [image] + disks
        let domain = connect == nil ? nil : try WrittenDomain(beside: image)
        var value = machine.machine(for: converted, written: domain?.machine)
        value.bootDisk = bootDisk.map { $0 - 1 } ?? (disks.isEmpty ? value.bootDisk : 0)
        var target = PreflightRequest.Target(disks: all, machine: value)
        target.origin = converted?.origin
        guard let domain else { return target }
        if domain.fits(value, diskCount: all.count) {
            target.domain = domain
        } else {
            note("note: the options ask for another machine than '\(domain.path)' is; it isn't used")
        }
        return target
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}
