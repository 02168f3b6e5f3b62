internal import Converter
internal import Disks
internal import Foundation
public import Guest
internal import Guestfs
internal import Host
internal import Injectors
public import Preflight

/// One conversion: the guest's disks are adapted on overlays while their bulk is copied beside; then the two are laid
/// together, and only a complete result gets its name.
public struct Conversion: Sendable {
    public enum Existing: Sendable {
        case refuse
        case replace
    }

    public var request: GuestRequest
    /// The first disk's file; others get "-disk2", "-disk3" in front of the ending.
    public var output: String
    /// qemu-img's name: "qcow2", "raw", "vmdk", "vpc", "vhdx".
    public var format: String
    public var existing: Existing
    /// Where the report goes as well; one is always written beside the output.
    public var reportPath: String?
    /// The machine to boot the result in before it gets its name; its firmware, bus and boot disk come from the
    /// conversion. nil for no boot test.
    public var preflight: Machine?

    public init(request: GuestRequest, output: String, format: String, existing: Existing, reportPath: String? = nil) {
        self.request = request
        self.output = URL(fileURLWithPath: output).standardizedFileURL.path
        self.format = format
        self.existing = existing
        self.reportPath = reportPath
    }

    public static var formats: [String] { QemuImg.Format.allCases.map(\.rawValue) }

    /// The format that a file's name asks for: "qcow2" where it says nothing.
    public static func format(for output: String) -> String {
        switch URL(fileURLWithPath: output).pathExtension.lowercased() {
        case "raw", "img": "raw"
        case "vmdk": "vmdk"
        case "vhd", "vpc": "vpc"
        case "vhdx": "vhdx"
        default: "qcow2"
        }
    }

    public struct Outcome: Sendable {
        public var report: TestedReport
        public var outputs: [String]
        public var reportPath: String
        public var domainPath: String
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
        guard let format = QemuImg.Format(rawValue: format) else {
            throw Failure(
                message: "'\(format)' is no output format",
                hint: "choose one of \(Self.formats.joined(separator: ", "))")
        }
        let paths = Self.outputPaths(output, count: request.diskCount)
        let report = output + ".report.json"
        let domain = output + ".xml"
        let page = preflight.map { _ in output + ".preflight.html" }
        try refuseExisting(paths + [report, domain] + [reportPath, page].compactMap { $0 })
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
        let jobs = images.indices.map { index in
            DiskJob(
                source: images[index], image: grown?.index == index ? grown?.view ?? images[index] : images[index],
                overlay: workspace.file("overlay-\(index).qcow2"),
                copy: workspace.file("disk-\(index).\(format.rawValue)"), output: paths[index])
        }
        for job in jobs { try await QemuImg.createOverlay(job.overlay, over: job.image) }

        let findings = grown.map { [$0.finding(size: images[$0.index].virtualSize)] } ?? []
        let adapted = try await adaptWhileCopying(jobs, format, grub, findings, workspace, phases, progress)
        try await phases.time("lay the changes over the copy") {
            for job in jobs { try await QemuImg.merge(job.overlay, into: job.copy, format: format) }
        }
        var conversion = ConversionReport(
            disks: jobs.map {
                .init(
                    source: $0.source.title ?? $0.source.path, sourceFormat: $0.source.format,
                    virtualSize: $0.image.virtualSize,
                    output: $0.output, outputFormat: format.rawValue)
            },
            plan: adapted.plan, inspection: adapted.inspection, adaptation: request.adaptation,
            machine: request.machine, timings: phases.all)
        let tested = try await bootTest(jobs, adapted.inspection, progress)
        conversion.timings = phases.all
        let result = TestedReport(conversion: conversion, preflight: tested?.report)
        if let page, let tested {
            let html = HTMLPage.render(
                [(tested.report, tested.artifacts)],
                title: "Boot check of \(URL(fileURLWithPath: output).lastPathComponent)", created: Date())
            try Data(html.utf8).write(to: URL(fileURLWithPath: workspace.file("preflight.html")))
            try DurableFile.rename(workspace.file("preflight.html"), to: page)
        }
        try publish(jobs, result, adapted.inspection, workspace, report: report, domain: domain, format: format)
        return Outcome(report: result, outputs: paths, reportPath: report, domainPath: domain, pagePath: page)
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

    private struct DiskJob: Sendable {
        var source: DiskImage
        /// The source, or a larger view of it.
        var image: DiskImage
        var overlay: String
        var copy: String
        var output: String
    }

    private func refuseExisting(_ paths: [String]) throws {
        let sources = Set(request.sourceFiles.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path })
        for path in paths {
            if sources.contains(URL(fileURLWithPath: path).resolvingSymlinksInPath().path) {
                throw Failure(
                    message: "the output '\(path)' is the source itself", hint: "choose another --output")
            }
            if existing == .refuse, FileManager.default.fileExists(atPath: path) {
                throw Failure(
                    message: "'\(path)' exists already", hint: "choose another --output, or replace it with --force")
            }
        }
    }

    /// Early, rather than after an hour of copying. Compressed sources grow, so this is the least that is needed.
    private func refuseFullDisk(_ images: [DiskImage]) throws {
        let folder = URL(fileURLWithPath: output).deletingLastPathComponent()
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw Failure(
                message: "could not write to '\(folder.path)': no such folder",
                hint: "make the folder first, or choose another --output")
        }
        let needed = images.reduce(0) { $0 + $1.allocatedSize }
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: folder.path)
        guard let free = (attributes[.systemFreeSize] as? NSNumber)?.uint64Value, free < needed else { return }
        throw Failure(
            message: "'\(folder.path)' has \(free >> 20) MiB free; at least \(needed >> 20) MiB are needed",
            hint: "make room, or choose an --output on another file system")
    }

    /// "web01.qcow2", "web01-disk2.qcow2", …
    static func outputPaths(_ output: String, count: Int) -> [String] {
        let url = URL(fileURLWithPath: output)
        let ending = url.pathExtension.isEmpty ? "" : "." + url.pathExtension
        let stem = url.deletingPathExtension().path
        return (0..<count).map { $0 == 0 ? output : "\(stem)-disk\($0 + 1)\(ending)" }
    }

    /// The copies run on beside the appliance; a refusal ends them at once.
    private func adaptWhileCopying(
        _ jobs: [DiskJob], _ format: QemuImg.Format, _ grub: HostGrub, _ findings: [Finding], _ workspace: Workspace,
        _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (plan: Plan, inspection: Inspection) {
        try await withThrowingTaskGroup(of: (Plan, Inspection)?.self) { group in
            group.addTask {
                try await phases.time("copy the disks") {
                    for (index, job) in jobs.enumerated() {
                        try await QemuImg.copy(job.image, to: job.copy, format: format) { part in
                            progress(.part("copy the disks", (Double(index) + part) / Double(jobs.count)))
                        }
                    }
                }
                return nil
            }
            group.addTask { try await adapt(jobs, grub, findings, workspace, phases, progress) }
            var adapted: (Plan, Inspection)?
            for try await result in group { adapted = result ?? adapted }
            guard let adapted else { throw CancellationError() }
            return adapted
        }
    }

    private func adapt(
        _ jobs: [DiskJob], _ grub: HostGrub, _ found: [Finding], _ workspace: Workspace, _ phases: Phases,
        _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> (Plan, Inspection) {
        let appliance = Appliance(memory: request.opening.keys.isEmpty ? .usual : .passphrases)
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

    /// Report and domain first, the disks last and the main one at the very end: where it is, everything is.
    private func publish(
        _ jobs: [DiskJob], _ result: TestedReport, _ inspection: Inspection, _ workspace: Workspace,
        report: String, domain: String, format: QemuImg.Format
    ) throws {
        let accelerator = HostAccelerator.choose { _ in }
        let description = LibvirtDomain(
            name: URL(fileURLWithPath: output).deletingPathExtension().lastPathComponent,
            type: accelerator == .kvm ? "kvm" : "qemu", architecture: inspection.architecture,
            firmware: request.adaptation.targetFirmware(for: inspection), bus: request.adaptation.diskBus,
            disks: jobs.map { .init(path: $0.output, format: format.rawValue) },
            bootDisk: BootDisk.index(of: inspection))
        let json = try JSON.encode(result)
        if let reportPath { try json.write(to: URL(fileURLWithPath: reportPath)) }
        let files = [
            (json, workspace.file("report.json"), report),
            (try description.xml(), workspace.file("domain.xml"), domain),
        ]
        for (data, temporary, final) in files {
            try data.write(to: URL(fileURLWithPath: temporary))
            try DurableFile.rename(temporary, to: final)
        }
        for job in jobs.reversed() { try DurableFile.rename(job.copy, to: job.output) }
    }
}

/// A plan that must not be applied, with the reasons among its findings.
public struct BlockedPlan: Error {
    public var plan: Plan
    public var inspection: Inspection
}
