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
    /// The machine that the disks are of, where something describes it.
    public var machine: MachineDescription?
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
        return try await withAppliance(request, phases, progress) { appliance in
            try await phases.time("inspect") { try await inspect(appliance, request) }
        }
    }

    public static func plan(
        _ request: GuestRequest, progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (plan: Plan, inspection: Inspection) {
        let phases = Phases(report: progress)
        let grub = try hostGrub(for: request.adaptation)
        return try await withAppliance(request, phases, progress) { appliance in
            let (inspection, findings) = try await phases.time("inspect") { try await inspect(appliance, request) }
            let plan = try await phases.time("plan") {
                try await appliance.run { guest in
                    try Pipeline(request.adaptation, grub: grub).plan(guest, guest: inspection, findings: findings)
                }
            }
            return (plan, inspection)
        }
    }

    static func inspect(
        _ appliance: Appliance, _ request: GuestRequest
    ) async throws -> (inspection: Inspection, findings: [Finding]) {
        try await appliance.run { guest in
            let opened = try Opening.open(guest, options: request.opening)
            return (try Inspector.inspect(guest, opened: opened), opened.findings)
        }
    }

    private static func withAppliance<Result: Sendable>(
        _ request: GuestRequest, _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void,
        _ body: (Appliance) async throws -> Result
    ) async throws -> Result {
        var disks: [ApplianceDisk] = []
        for path in request.disks {
            let image = try await DiskImage.open(path)
            disks.append(ApplianceDisk(path: image.path, format: image.format, access: .readOnly))
        }
        let scratch = try Scratch()
        let appliance = Appliance()
        try await launch(appliance, disks: disks, scratch: scratch.path, phases, progress)
        let result = try await body(appliance)
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

    /// GRUB as this host has it; only what is asked for needs to be installed.
    static func hostGrub(for adaptation: Adaptation) throws -> BIOSGrub {
        guard adaptation.firmware == .bios, !adaptation.skip.contains("bios-boot") else {
            return BIOSGrub(bootImage: [], modules: [:]) { _ in [] }
        }
        let platform = try GrubPlatform()
        return BIOSGrub(bootImage: try platform.bootImage(), modules: try platform.modules()) { core in
            try platform.coreImage(
                modules: core.modules, prefix: core.prefix, earlyConfiguration: core.earlyConfiguration)
        }
    }
}
