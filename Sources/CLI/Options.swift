public import ArgumentParser
public import Converter
public import Disks
import Foundation
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
    @Argument(help: "A disk file in any format that qemu-img reads; it is never written.") var source: String?

    @Option(
        name: .customLong("disk"), help: "A further disk of the same guest; repeat it, in the guest's own order.")
    var disks: [String] = []

    @Option(help: "The root file system where there are several: DEVICE, or DEVICE:SUBVOLUME.") var root: String?

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp("The passphrase of an encrypted device, in a file.", valueName: "DEVICE:file:PATH"))
    var keys: [String] = []

    func request(_ adaptation: Adaptation = Adaptation()) throws -> GuestRequest {
        let all = (source.map { [$0] } ?? []) + disks
        guard !all.isEmpty else {
            throw ValidationError("name a disk file of the guest, as in: rehost plan web01.vmdk")
        }
        return GuestRequest(
            disks: all, opening: OpeningOptions(root: root, keys: try Passphrases.read(keys)), adaptation: adaptation)
    }
}

/// The values of --key: DEVICE:file:PATH.
enum Passphrases {
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
            // An editor's newline at the end is not part of a passphrase.
            result[String(key[..<range.lowerBound])] = Array(data.last == 10 ? data.dropLast() : data)
        }
        return result
    }
}

/// What is changed; the same for plan and convert.
struct AdaptationOptions: ParsableArguments {
    @Option(help: "The firmware that the result starts by.") var firmware = Adaptation.FirmwareChoice.bios
    @Option(help: "What becomes of static addresses.") var network = Adaptation.NetworkChoice.dhcp
    @Option(name: .customLong("vmware-tools"), help: "What becomes of VMware's tools.")
    var vmwareTools = Adaptation.ToolsChoice.disable
    @Option(name: .customLong("disk-bus"), help: "The bus that the result's disks are on.")
    var diskBus = Adaptation.DiskBus.virtioBlk
    @Option(help: "How the virtio drivers get into each initramfs.") var initramfs = VirtioInitramfs.Method.auto
    @Option(
        help: ArgumentHelp(
            "Leave an injector out (\(Pipeline.names.joined(separator: ", "))); repeat it for more.",
            valueName: "injector"))
    var skip: [String] = []

    func validate() throws {
        for name in skip where !Pipeline.names.contains(name) {
            throw ValidationError(
                "there is no injector '\(name)'; there are: \(Pipeline.names.joined(separator: ", "))")
        }
    }

    var adaptation: Adaptation {
        var adaptation = Adaptation()
        adaptation.firmware = firmware
        adaptation.network = network
        adaptation.vmwareTools = vmwareTools
        adaptation.diskBus = diskBus
        adaptation.initramfs = initramfs
        adaptation.skip = Set(skip)
        return adaptation
    }
}
