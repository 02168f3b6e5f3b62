public import Converter
internal import Disks
public import Guest
internal import Guestfs
internal import Host
internal import Injectors

/// What is asked about a guest: where it is, and how it is opened and adapted.
public struct GuestRequest: Sendable {
    /// Disk files in the guest's own order.
    public var disks: [String]
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
            return (try Inspector.inspect(guest, opened: opened), opened.findings)
        }
    }

    /// - Parameter body: gets what is to be said about the disks, too.
    private static func withAppliance<Result: Sendable>(
        _ request: GuestRequest, _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void,
        _ body: (Appliance, [Finding]) async throws -> Result
    ) async throws -> Result {
        var images: [DiskImage] = []
        for path in request.disks { images.append(try await DiskImage.open(path)) }
        let scratch = try Scratch()
        var findings: [Finding] = []
        if let grown = try await GrownDisk.make(images, for: request.adaptation, scratch: scratch.path) {
            findings.append(grown.finding(size: images[grown.index].virtualSize))
            images[grown.index] = grown.view
        }
        let disks = images.map { ApplianceDisk(path: $0.path, format: $0.format, access: .readOnly) }
        let appliance = Appliance()
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
