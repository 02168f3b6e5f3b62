public import Foundation
public import Guest

/// A plan as JSON: one entry a change. Fields are only ever added.
public struct PlanReport: Codable, Sendable {
    public struct Entry: Codable, Sendable {
        public var injector: String
        /// "write", "append", "directory", "symlink", "remove", "registry", "sectors", "command".
        public var kind: String
        /// A path in the guest, a registry key, "disk 0, sectors 34–2047", or a command's reason.
        public var target: String
        /// A unified diff, for text; for a registry key a line per value.
        public var diff: [String]?
        /// In bytes, after the change.
        public var size: Int?
        /// Octal, as in chmod: "0644".
        public var mode: String?
        public var linkTarget: String?
        /// What sectors hold.
        public var what: String?
        public var command: [String]?
        /// The SELinux context of what is new.
        public var label: String?
    }

    public var schema = "rehost.plan/1"
    public var inspection: Inspection
    public var changes: [Entry]
    public var findings: [Finding]
    public var formerSettings: [FormerSetting]

    public init(_ plan: Plan, inspection: Inspection) {
        self.inspection = inspection
        findings = plan.findings
        formerSettings = plan.formerSettings
        changes = plan.items.map(Self.entry)
        for (index, item) in plan.items.enumerated() {
            changes[index].label = item.change.path.flatMap { plan.labels[$0] }
        }
    }

    static func entry(_ item: Plan.Item) -> Entry {
        var entry = Entry(
            injector: item.injector, kind: item.change.kind, target: PlanText.target(of: item.change))
        switch item.change {
        case .write(_, let bytes, let permissions):
            entry.size = bytes.count
            entry.mode = "0" + String(permissions, radix: 8)
            var old: [UInt8] = []
            if case .file(let bytes, _) = item.before { old = bytes }
            // Binary files and long lists of modules have sizes, not diffs.
            if bytes.count < 1 << 16, !bytes.contains(0), !old.contains(0) { entry.diff = PlanText.diff(old, bytes) }
        case .append(_, let bytes, let offset): entry.size = Int(offset) + bytes.count
        case .symlink(_, let target): entry.linkTarget = target
        case .disk(let edit):
            entry.what = edit.what
            entry.size = edit.bytes.count
        case .registry(let edit): entry.diff = RegistryText.lines(edit, before: item.before)
        case .run(let command): entry.command = command.arguments
        case .remove:
            if case .file(let old, _) = item.before, !old.contains(0) { entry.diff = PlanText.diff(old, []) }
        case .directory(_, let permissions): entry.mode = "0" + String(permissions, radix: 8)
        }
        return entry
    }
}

/// What a conversion did: written beside its output.
public struct ConversionReport: Codable, Sendable {
    public struct Disk: Codable, Sendable {
        public var source: String
        public var sourceFormat: String
        /// In bytes, as the guest sees it.
        public var virtualSize: UInt64
        public var output: String
        public var outputFormat: String
        /// In bytes; more than `virtualSize` where the format has only whole numbers of something.
        public var outputVirtualSize: UInt64
        /// The disk's name inside an output that is an archive.
        public var member: String?

        public init(
            source: String, sourceFormat: String, virtualSize: UInt64, output: String, outputFormat: String,
            outputVirtualSize: UInt64? = nil, member: String? = nil
        ) {
            self.source = source
            self.sourceFormat = sourceFormat
            self.virtualSize = virtualSize
            self.output = output
            self.outputFormat = outputFormat
            self.outputVirtualSize = outputVirtualSize ?? virtualSize
            self.member = member
        }
    }

    /// What the result needs from the place that it is started in.
    public struct Requirements: Codable, Sendable {
        public var firmware: String
        public var diskBus: String
        public var nicModel: String
        public var architecture: String
        /// The place of the boot disk among the disks, from 0.
        public var bootDisk: Int
        /// What the source had; nil where nothing said so.
        public var memoryMiB: UInt64?
        public var processors: Int?
        public var topology: MachineDescription.Topology?
        /// The source's cards in their order, with their addresses and networks.
        public var networkCards: [MachineDescription.NetworkCard]?
    }

    public struct Phase: Codable, Sendable {
        public var name: String
        /// Seconds since the conversion started; phases may overlap.
        public var start: Double
        public var seconds: Double

        public init(name: String, start: Double, seconds: Double) {
            self.name = name
            self.start = start
            self.seconds = seconds
        }
    }

    /// One step back: what a change replaced.
    public struct Undo: Codable, Sendable {
        /// "restore" (write the content back), "truncate", "symlink", "remove", "sectors".
        public var kind: String
        public var target: String
        /// Base64.
        public var content: String?
        public var mode: String?
        public var linkTarget: String?
        public var length: UInt64?
        public var disk: Int?
        public var firstSector: UInt64?
    }

    public var schema = "rehost.report/1"
    /// The first disk's file.
    public var source: String
    public var disks: [Disk]
    /// The machine as its hypervisor described it; nil where only disks were given.
    public var machine: MachineDescription?
    public var inspection: Inspection
    public var changes: [PlanReport.Entry]
    public var findings: [Finding]
    public var formerSettings: [FormerSetting]
    public var requirements: Requirements
    public var timings: [Phase]
    public var undo: [Undo]

    public init(
        disks: [Disk], plan: Plan, inspection: Inspection, adaptation: Adaptation, machine: MachineDescription? = nil,
        timings: [Phase]
    ) {
        self.disks = disks
        self.machine = machine
        self.inspection = inspection
        self.timings = timings
        source = disks.first?.source ?? ""
        let report = PlanReport(plan, inspection: inspection)
        changes = report.changes
        findings = report.findings
        formerSettings = report.formerSettings
        requirements = Requirements(
            firmware: adaptation.targetFirmware(for: inspection).rawValue, diskBus: adaptation.diskBus.rawValue,
            nicModel: "virtio", architecture: inspection.architecture, bootDisk: BootDisk.index(of: inspection),
            memoryMiB: machine?.memory.map { $0 >> 20 }, processors: machine?.processors,
            topology: machine?.topology, networkCards: machine?.networkCards)
        // Backwards: the last change is the first to be undone.
        undo = plan.items.reversed().compactMap(Self.undo)
    }

    private static func undo(_ item: Plan.Item) -> Undo? {
        let target = PlanText.target(of: item.change)
        switch (item.change, item.before) {
        // Registry keys are put back by the .reg file beside the report.
        case (.run, _), (.registry, _): return nil
        case (.disk(let edit), .sectors(let bytes)):
            return Undo(
                kind: "sectors", target: target, content: Data(bytes).base64EncodedString(), disk: edit.disk,
                firstSector: edit.firstSector)
        case (_, .file(let bytes, let permissions)):
            return Undo(
                kind: "restore", target: target, content: Data(bytes).base64EncodedString(),
                mode: "0" + String(permissions, radix: 8))
        case (_, .fileOfLength(let length)): return Undo(kind: "truncate", target: target, length: length)
        case (_, .symlink(let old)): return Undo(kind: "symlink", target: target, linkTarget: old)
        case (_, .nothing), (_, .sectors), (_, .registry): return Undo(kind: "remove", target: target)
        }
    }
}

/// Which disk the firmware should start from.
public enum BootDisk {
    /// The disk with an EFI system partition, else with boot code. Of several, as where disks of another system are
    /// among them, the one that the guest boots from by its own mounts; else the first.
    public static func index(of guest: Inspection) -> Int {
        let systems = guest.disks.filter(\.hasEFISystemPartition)
        let candidates = systems.isEmpty ? guest.disks.filter(\.hasBootCode) : systems
        for path: GuestPath in ["/boot/efi", "/efi", "/boot", "/"] {
            guard let mount = guest.mounts.first(where: { $0.path == path }),
                let place = FileSystem(device: mount.device, type: mount.type).partition,
                let disk = candidates.first(where: { $0.device == place.disk })
            else { continue }
            return disk.index
        }
        return candidates.first?.index ?? 0
    }
}

/// JSON as every command prints it: sorted keys, no escaped slashes.
public enum JSON {
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value) + Data("\n".utf8)
    }
}
