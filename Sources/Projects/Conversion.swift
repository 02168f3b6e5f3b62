internal import Converter
public import Descriptions
public import Disks
internal import Foundation
public import Guest
internal import Guestfs
internal import Host
internal import Injectors
public import Preflight

/// One conversion: the guest's disks are adapted on overlays while their bulk is copied beside; then the two are laid
/// together, or written in one go where the format can't be laid into. Only a complete result gets its name.
public struct Conversion: Sendable {
    public enum Existing: Sendable {
        case refuse
        case replace
    }

    public var request: GuestRequest
    /// The first disk's file, or the package; ``Disks/OutputNames`` has the names beside it.
    public var output: String
    public var format: OutputFormat
    public var compression: ImageCompression?
    /// What is written for those who run the result.
    public var metadata: [ConvertedMachine.Metadata]
    public var existing: Existing
    /// Where the report goes as well; one is always written beside the output.
    public var reportPath: String?
    /// The machine to boot the result in before it gets its name; its firmware, bus and boot disk come from the
    /// conversion. nil for no boot test.
    public var preflight: Machine?

    /// - Parameters:
    ///   - format: as the output's name ends where nil.
    ///   - metadata: a libvirt domain where nil and libvirt can run the format.
    public init(
        request: GuestRequest, output: String, format: OutputFormat? = nil, compression: ImageCompression? = nil,
        metadata: [ConvertedMachine.Metadata]? = nil, existing: Existing, reportPath: String? = nil
    ) {
        self.request = request
        self.output = URL(fileURLWithPath: output).standardizedFileURL.path
        let format = format ?? OutputFormat(forFileNamed: output)
        self.format = format
        self.compression = compression
        self.metadata = metadata ?? ConvertedMachine.Metadata.usual(for: format)
        self.existing = existing
        self.reportPath = reportPath
    }

    public struct Outcome: Sendable {
        public var report: TestedReport
        public var outputs: [String]
        public var reportPath: String
        public var metadataPaths: [String]
        /// What puts a Windows guest's registry back; nil where none was changed.
        public var registryUndoPath: String?
        /// The boot test's page, where there was one.
        public var pagePath: String?
    }

    public struct Failure: Error, CustomStringConvertible {
        public var message: String
        public var hint: String
        public var description: String { "\(message)\nhint: \(hint)" }
    }

    /// - Throws: ``BlockedPlan`` where the plan has a blocker, ``Guest/Refusal`` where there is no plan to be had; no
    ///   output is there then.
    public func run(progress: @escaping @Sendable (RunProgress) -> Void) async throws -> Outcome {
        if let problem = misuse { throw Failure(message: problem.message, hint: problem.hint) }
        let names = OutputNames(output, format, count: request.diskCount)
        let report = output + ".report.json"
        let page = preflight.map { _ in output + ".preflight.html" }
        let undo = output + ".undo.reg"
        let beside = metadata.map { output + $0.ending }
        try refuseExisting(
            [output, report, undo] + names.disks + beside + [names.manifest, reportPath, page].compactMap { $0 })
        try refuseUnwritableReport()
        if var machine = preflight {
            if request.adaptation.firmware == .uefi { machine.firmware = .uefi }
            try PreflightRun.refuse(machine)
        }
        let grub = try HostGrub(for: request.adaptation)
        let workspace = try Workspace(for: output)
        defer { workspace.remove() }
        let phases = Phases(report: progress)
        let images = try await request.openDisks(unpackingTo: workspace.path, phases, progress)
        try refuseFullDisk(images)
        try await request.verifyChecksums(phases, progress)
        let grown = try await GrownDisk.make(images, for: request.adaptation, scratch: workspace.path)
        let jobs = try diskJobs(images, grown, names, workspace)
        try refuseLargeDisks(jobs)
        for job in jobs { try await QemuImg.createOverlay(job.overlay, over: job.image) }
        let findings = grown.map { [$0.finding(size: images[$0.index].virtualSize)] } ?? []

        var (plan, inspection): (Plan, Inspection)
        switch format.order(compression) {
        case .copyBeside:
            (plan, inspection) = try await adaptWhileCopying(jobs, grub, findings, workspace, phases, progress)
            try await phases.time("lay the changes over the copy") {
                for job in jobs { try await QemuImg.merge(job.overlay, into: job.copy, format: format) }
            }
        case .afterwards:
            (plan, inspection) = try await adapt(jobs, grub, findings, workspace, phases, progress)
            try await write(jobs, phases, progress)
            plan.findings += growthNotes(jobs)
        }
        let machine = converted(jobs, inspection)
        let files = try await pack(jobs, machine, names, workspace, phases, progress)
        var conversion = ConversionReport(
            disks: jobs.map(reported), plan: plan, inspection: inspection, adaptation: request.adaptation,
            machine: request.machine, timings: phases.all)
        let tested = try await bootTest(jobs, inspection, progress)
        conversion.timings = phases.all
        let result = TestedReport(
            conversion: conversion, preflight: tested?.report, recoveryPoint: request.point?.reference)
        if let tested { await request.point?.note(tested.report, image: output) { progress(.note($0)) } }
        if let page, let tested {
            let html = HTMLPage.render(
                [(tested.report, tested.artifacts)],
                title: "Boot check of \(URL(fileURLWithPath: output).lastPathComponent)", created: Date())
            try Data(html.utf8).write(to: URL(fileURLWithPath: workspace.file("preflight.html")))
            try DurableFile.rename(workspace.file("preflight.html"), to: page)
        }
        if let reportPath { try JSON.encode(result).write(to: URL(fileURLWithPath: reportPath)) }
        let registry = RegistryUndo.file(for: plan)
        try publish(
            [(try JSON.encode(result), report)] + zip(metadata, beside).map { (try text(of: $0, machine), $1) }
                + (registry.map { [(Data($0), undo)] } ?? []),
            then: files, workspace)
        return Outcome(
            report: result, outputs: files.map(\.final).reversed(), reportPath: report, metadataPaths: beside,
            registryUndoPath: registry.map { _ in undo }, pagePath: page)
    }

    /// Boots what is about to get its name. A disk that doesn't boot gets it all the same: the report tells, and its owner
    /// may want to look.
    private func bootTest(
        _ jobs: [DiskJob], _ inspection: Inspection, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> PreflightRun.Result? {
        guard var machine = preflight else { return nil }
        machine.firmware = request.adaptation.targetFirmware(for: inspection) == .uefi ? .uefi : .bios
        machine.bus = request.adaptation.diskBus == .virtioSCSI ? .virtioSCSI : .virtioBlk
        machine.bootDisk = BootDisk.index(of: inspection)
        var test = PreflightRequest(targets: [.init(disks: jobs.map(\.copy), machine: machine)])
        test.keys = request.opening.keys
        var result: PreflightRun.Result
        do {
            guard let first = try await PreflightRun(test).run(progress: progress).first else { return nil }
            result = first
        } catch {
            // The conversion is complete, and worth keeping without its proof.
            try Task.checkCancellation()
            result = PreflightRun.Result(notTested: test.targets[0], because: error)
        }
        result.report.image = jobs[0].output
        result.report.disks = jobs.map(\.output)
        return result
    }
}

/// A plan that must not be applied, with the reasons among its findings.
public struct BlockedPlan: Error {
    public var plan: Plan
    public var inspection: Inspection
}
