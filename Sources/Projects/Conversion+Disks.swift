internal import Converter
internal import Disks
internal import Foundation
internal import Guest
internal import Guestfs
internal import Injectors

/// A disk on its way.
struct DiskJob: Sendable {
    var source: DiskImage
    /// The source, or a larger view of it.
    var image: DiskImage
    /// A qcow2 over the source, which takes what the appliance writes.
    var overlay: String
    /// The new disk, in the workspace.
    var copy: String
    /// The file that it ends as, or in.
    var output: String
    /// Its name in a package.
    var member: String?
    /// In bytes.
    var size: UInt64
}

extension Conversion {
    func diskJobs(
        _ images: [DiskImage], _ grown: GrownDisk?, _ names: OutputNames, _ workspace: Workspace
    ) throws -> [DiskJob] {
        try images.indices.map { index in
            let image = grown?.index == index ? grown?.view ?? images[index] : images[index]
            let member = names.members.indices.contains(index) ? names.members[index] : nil
            let folder = workspace.file(member == nil ? "disk-\(index)" : "package")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return DiskJob(
                source: images[index], image: image, overlay: workspace.file("overlay-\(index).qcow2"),
                copy: "\(folder)/\(member ?? "disk.\(format.driver)")",
                output: names.disks.indices.contains(index) ? names.disks[index] : output, member: member,
                size: format.size(for: image.virtualSize))
        }
    }

    /// The copies run on beside the appliance; a refusal ends them at once.
    func adaptWhileCopying(
        _ jobs: [DiskJob], _ grub: HostGrub, _ found: [Finding], _ workspace: Workspace, _ phases: Phases,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (Plan, Inspection) {
        try await withThrowingTaskGroup(of: (Plan, Inspection)?.self) { group in
            group.addTask {
                try await phases.time("copy the disks") {
                    for (index, job) in jobs.enumerated() {
                        try await QemuImg.copy(job.image, to: job.copy, as: format) { part in
                            progress(.part("copy the disks", (Double(index) + part) / Double(jobs.count)))
                        }
                    }
                }
                return nil
            }
            group.addTask { try await adapt(jobs, grub, found, workspace, phases, progress) }
            var adapted: (Plan, Inspection)?
            for try await result in group { adapted = result ?? adapted }
            guard let adapted else { throw CancellationError() }
            return adapted
        }
    }

    func adapt(
        _ jobs: [DiskJob], _ grub: HostGrub, _ found: [Finding], _ workspace: Workspace, _ phases: Phases,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (Plan, Inspection) {
        let appliance = Appliance(memory: request.opening.keys.isEmpty ? .usual : .passphrases)
        // A copy that fails must not wait for an appliance that can't go on.
        return try await withTaskCancellationHandler {
            try await adapt(jobs, in: appliance, grub, found, workspace, phases, progress)
        } onCancel: {
            appliance.abandon()
        }
    }

    private func adapt(
        _ jobs: [DiskJob], in appliance: Appliance, _ grub: HostGrub, _ found: [Finding], _ workspace: Workspace,
        _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (Plan, Inspection) {
        try await GuestSession.launch(
            appliance, disks: jobs.map { ApplianceDisk(path: $0.overlay, format: "qcow2", access: .overlay) },
            scratch: workspace.path, phases, progress)
        let (inspection, seen) = try await phases.time("inspect") {
            try await GuestSession.inspect(appliance, request)
        }
        let plan = try await phases.time("plan") {
            try await appliance.run { guest in
                try Pipeline(request.adaptation, grub: grub.bios, uefiGrub: grub.uefi)
                    .plan(guest, guest: inspection, findings: seen + found)
            }
        }
        guard plan.blockers.isEmpty else { throw BlockedPlan(plan: plan, inspection: inspection) }
        let tolerated = try await phases.time("apply") {
            try await appliance.run { guest in try guest.apply(plan) { progress(.detail("apply: \($0)")) } }
        }
        try await phases.time("stop the appliance") { try await appliance.shutDown() }
        var applied = plan
        applied.findings += tolerated
        return (applied, inspection)
    }

    /// Writes the adapted disks in one go, source and overlay seen as one.
    func write(
        _ jobs: [DiskJob], _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws {
        try await phases.time("write the disks") {
            for (index, job) in jobs.enumerated() {
                if job.size > job.image.virtualSize { try await QemuImg.grow(job.overlay, to: job.size) }
                try await QemuImg.flatten(job.overlay, to: job.copy, as: format, compression: compression) { part in
                    progress(.part("write the disks", (Double(index) + part) / Double(jobs.count)))
                }
                if job.size > job.image.virtualSize { try PartitionTableEnd.move(in: job.copy, size: job.size) }
            }
        }
    }

    func growthNotes(_ jobs: [DiskJob]) -> [Finding] {
        jobs.enumerated().filter { $1.size > $1.image.virtualSize }.map { index, job in
            Finding(
                level: .note, injector: "convert",
                message: "disk \(index) grows from \(job.image.virtualSize) to \(job.size) bytes, as"
                    + " '\(format.rawValue)' has it; a GPT's copy moves to the new end")
        }
    }

    func reported(_ job: DiskJob) -> ConversionReport.Disk {
        .init(
            source: job.source.title ?? job.source.path, sourceFormat: job.source.format,
            virtualSize: job.image.virtualSize,
            output: job.output, outputFormat: format == .ovf ? format.ofDisks.rawValue : format.rawValue,
            outputVirtualSize: job.size, member: format == .ova ? job.member : nil)
    }
}
