public import Converter
public import Descriptions
internal import Disks
public import Guest
internal import Guestfs
internal import Host
internal import Injectors

/// What is asked about a guest: where it is, and how it is opened and adapted.
public struct GuestRequest: Sendable {
    /// Disk files in the guest's own order; those of the description come before them.
    public var disks: [String]
    /// The machine that the disks are of, where something describes it.
    public var machine: MachineDescription?
    /// Where the machine's own disks are.
    public var described: DescribedMachine?
    /// A recovery point whose disks are these, before all others.
    public var point: ServedPoint?
    public var opening: OpeningOptions
    public var adaptation: Adaptation

    public init(disks: [String], opening: OpeningOptions = OpeningOptions(), adaptation: Adaptation = Adaptation()) {
        self.disks = disks
        self.opening = opening
        self.adaptation = adaptation
    }
}

/// Looking at a guest without changing it: `inspect` and `plan`.
public enum GuestSession {
    public static func inspect(
        _ request: GuestRequest, progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (inspection: Inspection, findings: [Finding]) {
        let phases = Phases(report: progress)
        return try await withAppliance(request, phases, progress) { appliance, _ in
            try await phases.time("inspect") { try await inspect(appliance, request) }
        }
    }

    public static func plan(
        _ request: GuestRequest, progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (plan: Plan, inspection: Inspection) {
        let phases = Phases(report: progress)
        let grub = try HostGrub(for: request.adaptation)
        return try await withAppliance(request, phases, progress) { appliance, grown in
            let (inspection, seen) = try await phases.time("inspect") { try await inspect(appliance, request) }
            let findings = seen + grown
            let plan = try await phases.time("plan") {
                try await appliance.run { guest in
                    try Pipeline(request.adaptation, grub: grub.bios, uefiGrub: grub.uefi)
                        .plan(guest, guest: inspection, findings: findings)
                }
            }
            return (plan, inspection)
        }
    }

    static func inspect(
        _ appliance: Appliance, _ request: GuestRequest
    ) async throws -> (inspection: Inspection, findings: [Finding]) {
        try await appliance.run { guest in
            var options = request.opening
            options.mountsSystemPartition = request.adaptation.firmware != .bios
            let opened = try Opening.open(guest, options: options)
            let inspection = try Inspector.inspect(guest, opened: opened)
            let described = (request.described?.findings ?? []) + FirmwareCheck.findings(request.machine, inspection)
            return (inspection, described + opened.findings)
        }
    }

    /// - Parameter body: gets what is to be said about the disks, too.
    private static func withAppliance<Result: Sendable>(
        _ request: GuestRequest, _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void,
        _ body: (Appliance, [Finding]) async throws -> Result
    ) async throws -> Result {
        let scratch = try Scratch()
        let unpacked = request.needsUnpacking ? try Workspace.temporary() : nil
        defer { unpacked?.remove() }
        var images = try await request.openDisks(unpackingTo: unpacked?.path ?? scratch.path, phases, progress)
        var findings: [Finding] = []
        if let grown = try await GrownDisk.make(images, for: request.adaptation, scratch: scratch.path) {
            findings.append(grown.finding(size: images[grown.index].virtualSize))
            images[grown.index] = grown.view
        }
        var disks: [ApplianceDisk] = []
        for image in images {
            guard image.isMember else {
                disks.append(ApplianceDisk(path: image.path, format: image.format, access: .readOnly))
                continue
            }
            // libguestfs asks for a path that is there.
            let overlay = scratch.path + "/member-\(disks.count).qcow2"
            try await QemuImg.createOverlay(overlay, over: image)
            disks.append(ApplianceDisk(path: overlay, format: "qcow2", access: .readOnly))
        }
        let appliance = Appliance(memory: request.opening.keys.isEmpty ? .usual : .passphrases)
        try await launch(appliance, disks: disks, scratch: scratch.path, phases, progress)
        let result = try await body(appliance, findings)
        try await appliance.shutDown()
        scratch.remove()
        return result
    }

    /// - Parameter accelerator: found out, and said, here where nil.
    static func launch(
        _ appliance: Appliance, disks: [ApplianceDisk], scratch: String, accelerator known: Accelerator? = nil,
        _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws {
        let accelerator = known ?? HostAccelerator.choose { progress(.note($0)) }
        try await phases.time("start the appliance") {
            try await appliance.launch(disks: disks, accelerator: accelerator, scratch: scratch) {
                progress(.note($0))
            }
        }
    }
}
