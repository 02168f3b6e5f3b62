public import ArgumentParser
public import Converter
import Descriptions
public import Disks
import Foundation
import Guest
public import Injectors
import Projects

enum OutputStyle: String, ExpressibleByArgument, CaseIterable {
    case text
    case json
}

extension Adaptation.FirmwareChoice: ExpressibleByArgument {}
extension Adaptation.NetworkChoice: ExpressibleByArgument {}
extension Adaptation.ToolsChoice: ExpressibleByArgument {}
extension Adaptation.DiskBus: ExpressibleByArgument {}
extension VirtioInitramfs.Method: ExpressibleByArgument {}
extension CardMatch: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
extension OutputFormat: ExpressibleByArgument {}
extension ImageCompression: ExpressibleByArgument {}

/// How a command speaks.
struct VoiceOptions: ParsableArguments {
    @Option(help: "How the result is printed.") var format = OutputStyle.text
    @Flag(help: "No progress, only errors and findings.") var quiet = false
    @Flag(help: "More about each step.") var verbose = false

    var console: Console { Console(quiet ? .quiet : verbose ? .verbose : .normal) }
}

/// Which guest, and how it is opened.
struct SourceOptions: ParsableArguments {
    @Argument(
        help: """
            A disk file in any format that qemu-img reads; an .ova, an .ovf or its folder, a .vmx, a libvirt domain's XML; \
            libvirt+URI?domain=NAME; a recovery point, STORE#MACHINE or STORE#MACHINE@POINT. It is never written.
            """)
    var source: String?

    @Option(
        name: .customLong("disk"), help: "A further disk of the same guest; repeat it, in the guest's own order.")
    var disks: [String] = []

    @Option(help: "The root file system where there are several: DEVICE, or DEVICE:SUBVOLUME.") var root: String?

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "The passphrase of an encrypted device in a file, or its key file. DEVICE may be a UUID, or 'all'.",
            valueName: "DEVICE:file:PATH"))
    var keys: [String] = []

    /// The same, where the source may be a recovery point.
    func request(_ adaptation: Adaptation = Adaptation(), store: StoreOptions) async throws -> GuestRequest {
        guard let source, let point = try await ServedPoint.open(source, access: store.access()) else {
            return try request(adaptation)
        }
        var request = GuestRequest(
            disks: disks, opening: OpeningOptions(root: root, keys: try Passphrases.read(keys)), adaptation: adaptation)
        request.point = point
        request.machine = point.machine
        return request
    }

    func request(_ adaptation: Adaptation = Adaptation()) throws -> GuestRequest {
        let described = try source.flatMap { try DescriptionSource.read($0) }
        let all = (described == nil ? source.map { [$0] } ?? [] : []) + disks
        guard !all.isEmpty || described?.sources.isEmpty == false else {
            throw ValidationError(
                described == nil
                    ? "name a disk file of the guest, as in: rehost plan web01.vmdk"
                    : "'\(source ?? "")' describes no disk; name the machine's disks with --disk")
        }
        var request = GuestRequest(
            disks: all, opening: OpeningOptions(root: root, keys: try Passphrases.read(keys)), adaptation: adaptation)
        request.described = described
        request.machine = described?.machine
        request.machine?.disks += disks.map { .init(file: URL(fileURLWithPath: $0).standardizedFileURL.path) }
        return request
    }
}

/// The values of --key: DEVICE:file:PATH, where DEVICE may be a UUID or "all". A passphrase's closing newline is for
/// ``Opening`` to judge: it may belong to a key file.
enum Passphrases {
    /// cryptsetup's own.
    private static let limit = 8 << 20

    static func read(_ keys: [String]) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for key in keys {
            guard let range = key.range(of: ":file:") else {
                throw ValidationError("'--key \(key)' is not of the form DEVICE:file:PATH")
            }
            let path = String(key[range.upperBound...])
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ValidationError("could not read the key file '\(path)'")
            }
            guard data.count <= Self.limit else {
                throw ValidationError("the key file '\(path)' has \(data.count) bytes; cryptsetup takes 8 MiB at most")
            }
            result[String(key[..<range.lowerBound])] = Array(data)
        }
        return result
    }
}

/// What is changed; the same for plan and convert.
struct AdaptationOptions: ParsableArguments {
    @Option(help: "The firmware that the result starts by.") var firmware = Adaptation.FirmwareChoice.bios
    @Option(help: "What becomes of static addresses.") var network = Adaptation.NetworkChoice.dhcp
    @Option(
        help: ArgumentHelp(
            "The new machine's card that an interface gets, by its name or address; repeat it.",
            valueName: "MAC=INTERFACE|ADDRESS"))
    var mac: [CardMatch] = []
    @Option(
        name: .customLong("vmware-tools"), help: "What becomes of a hypervisor's tools; Windows can uninstall VMware's."
    )
    var vmwareTools = Adaptation.ToolsChoice.disable
    @Option(name: .customLong("disk-bus"), help: "The bus that the result's disks are on.")
    var diskBus = Adaptation.DiskBus.virtioBlk
    @Option(help: "How the virtio drivers get into each initramfs.") var initramfs = VirtioInitramfs.Method.auto
    @Option(
        name: .customLong("guest-agent"),
        help: ArgumentHelp(
            "A package of the QEMU guest agent (.rpm, .deb, .msi) to install where there is none.",
            valueName: "package-file")
    )
    var guestAgent: String?
    @Option(
        name: .customLong("virtio-win"),
        help: ArgumentHelp(
            "The drivers for a Windows guest: virtio-win's ISO, or its folder.", valueName: "path"))
    var virtioWin: String?
    @Option(
        help: ArgumentHelp(
            "Leave an injector out (\(Pipeline.names.joined(separator: ", "))); repeat it for more.",
            valueName: "injector"))
    var skip: [String] = []

    func validate() throws {
        if let guestAgent { _ = try AgentPackageFile.read(guestAgent) }
        for name in skip where !Pipeline.names.contains(name) {
            throw ValidationError(
                "there is no injector '\(name)'; there are: \(Pipeline.names.joined(separator: ", "))")
        }
        if !mac.isEmpty, skip.contains("dhcp-network") {
            throw ValidationError("--mac is for the injector dhcp-network, which --skip leaves out")
        }
    }

    private func drivers(_ path: String) throws -> DriverMedia {
        do {
            return try VirtioWin.open(path)
        } catch let error as VirtioWin.Failure {
            throw ValidationError(error.description)
        }
    }

    func adaptation() throws -> Adaptation {
        var adaptation = Adaptation()
        adaptation.firmware = firmware
        adaptation.network = network
        adaptation.cards = mac
        adaptation.vmwareTools = vmwareTools
        adaptation.diskBus = diskBus
        adaptation.initramfs = initramfs
        adaptation.skip = Set(skip)
        // Read, and found to be a package, when the options were checked.
        adaptation.driverMedia = try virtioWin.map(drivers)
        adaptation.guestAgent = guestAgent.flatMap { try? AgentPackageFile.read($0) }
        return adaptation
    }
}

/// The value of --guest-agent.
enum AgentPackageFile {
    static func read(_ path: String) throws -> AgentPackage {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("could not read the package '\(path)'")
        }
        do {
            return try AgentPackage(Array(data))
        } catch {
            throw ValidationError("'\(path)' is no package of the QEMU guest agent: \(error)")
        }
    }
}
