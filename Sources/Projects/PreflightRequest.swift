internal import Converter
internal import Foundation
internal import Guest
public import Preflight

/// What is to be boot-tested, and how.
public struct PreflightRequest: Sendable {
    public enum WitnessChoice: Sendable {
        /// Lay one where the guest can be opened.
        case lay
        case none
    }

    /// One machine to boot.
    public struct Target: Sendable {
        /// Its disks, in its order; the first names it.
        public var disks: [String]
        public var machine: Machine
        /// The domain beside the first disk, where libvirt is to run it.
        public var domain: WrittenDomain?
        /// The recovery point whose disks these are; their names are only names then.
        public var point: ServedPoint?
        /// The point that the disks were converted from.
        public var origin: PointReference?

        public init(disks: [String], machine: Machine) {
            self.disks = disks
            self.machine = machine
        }
    }

    public var targets: [Target]
    public var witness = WitnessChoice.lay
    /// Passphrases for encrypted devices, for the witness to be laid.
    public var keys: [String: [UInt8]] = [:]
    /// Processor seconds that a guest may take without getting further.
    public var budget = 900.0
    /// Machines side by side; as many as memory and processors allow where nil.
    public var jobs: Int?
    /// The URI of a libvirt of this host to run the machines, in place of a QEMU of our own.
    public var connection: String?

    public init(targets: [Target]) { self.targets = targets }
}

/// What a conversion's report says about the machine that its output needs.
public struct ConvertedImage: Sendable {
    /// All disks of the guest that the image is the first of.
    public var disks: [String]
    public var firmware: Machine.Firmware?
    public var bus: Machine.DiskBus?
    public var bootDisk: Int
    /// The recovery point that it was converted from.
    public var origin: PointReference?

    /// A machine as a recovery point's description has it.
    public init(_ point: ServedPoint) {
        disks = point.names
        firmware = point.machine?.firmware.flatMap { Machine.Firmware(rawValue: $0.rawValue) }
        let buses = point.machine?.disks.compactMap(\.bus) ?? []
        bus =
            switch buses.first {
            case .virtio: .virtioBlk
            case .scsi: .virtioSCSI
            case .sata, .ide: .sata
            default: nil
            }
        let order = point.machine?.disks.map { $0.bootOrder ?? .max } ?? []
        bootDisk = order.indices.min { order[$0] < order[$1] } ?? 0
        if !disks.indices.contains(bootDisk) { bootDisk = 0 }
    }

    /// Reads IMAGE.report.json, which `convert` writes beside its output; nil where there is none that fits.
    public init?(beside image: String) {
        let path = URL(fileURLWithPath: image).standardizedFileURL.path
        guard let data = FileManager.default.contents(atPath: path + ".report.json"),
            let report = try? JSONDecoder().decode(Outline.self, from: data),
            let first = report.disks.first
        else { return nil }
        // A folder that was moved keeps its files' names.
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let name = URL(fileURLWithPath: path).lastPathComponent
        guard URL(fileURLWithPath: first.output).lastPathComponent == name else { return nil }
        disks = report.disks.map {
            folder.appendingPathComponent(URL(fileURLWithPath: $0.output).lastPathComponent).path
        }
        disks[0] = path
        firmware = Machine.Firmware(rawValue: report.requirements.firmware)
        bus = Machine.DiskBus(rawValue: report.requirements.diskBus)
        bootDisk = disks.indices.contains(report.requirements.bootDisk) ? report.requirements.bootDisk : 0
        origin = report.recoveryPoint
    }

    private struct Outline: Decodable {
        struct Disk: Decodable { var output: String }
        struct Requirements: Decodable {
            var firmware: String
            var diskBus: String
            var bootDisk: Int
        }
        var disks: [Disk]
        var requirements: Requirements
        var recoveryPoint: PointReference?
    }
}
