internal import Converter
internal import Descriptions
internal import Disks
internal import Foundation
internal import Guest
internal import Host

/// A complete file of the workspace, and the name that it gets.
struct FinishedFile: Sendable {
    var temporary: String
    var final: String
}

extension Conversion {
    /// The machine of the converted guest.
    func converted(_ jobs: [DiskJob], _ inspection: Inspection) -> ConvertedMachine {
        ConvertedMachine(
            from: request.machine, named: OutputNames.parts(URL(fileURLWithPath: output).lastPathComponent).stem,
            guest: inspection, firmware: request.adaptation.targetFirmware(for: inspection),
            bus: request.adaptation.diskBus == .virtioSCSI ? .virtioSCSI : .virtioBlk,
            disks: jobs.map { .init(path: $0.output, format: format.driver, size: $0.size) },
            bootDisk: BootDisk.index(of: inspection))
    }

    /// Puts the disks into what the format is packed in.
    /// - Returns: what gets a name, the main file last.
    func pack(
        _ jobs: [DiskJob], _ machine: ConvertedMachine, _ names: OutputNames, _ workspace: Workspace,
        _ phases: Phases, _ progress: @escaping @Sendable (RunProgress) -> Void
    ) async throws -> [FinishedFile] {
        switch format {
        case .gcp:
            return try await phases.time("pack the disks") {
                var files: [FinishedFile] = []
                for (index, job) in jobs.enumerated() {
                    let file = FinishedFile(temporary: workspace.file("disk-\(index).tar.gz"), final: job.output)
                    try await DiskArchive.writeGCP(
                        folder: URL(fileURLWithPath: job.copy).deletingLastPathComponent().path, size: job.size,
                        to: file.temporary
                    ) { part in
                        progress(.part("pack the disks", (Double(index) + part) / Double(jobs.count)))
                    }
                    files.append(file)
                }
                return files.reversed()
            }
        case .ovf, .ova: return try await package(jobs, machine, names, workspace, phases)
        default: return jobs.reversed().map { FinishedFile(temporary: $0.copy, final: $0.output) }
        }
    }

    /// The descriptor and the manifest, beside the disks or in one archive with them.
    private func package(
        _ jobs: [DiskJob], _ machine: ConvertedMachine, _ names: OutputNames, _ workspace: Workspace,
        _ phases: Phases
    ) async throws -> [FinishedFile] {
        try await phases.time("describe the package") {
            let folder = workspace.file("package")
            let stem = OutputNames.parts(URL(fileURLWithPath: output).lastPathComponent).stem
            let (descriptor, manifest) = (stem + ".ovf", stem + ".mf")
            let files = try zip(jobs, names.members).map { job, name in
                let attributes = try FileManager.default.attributesOfItem(atPath: job.copy)
                return OVFDescriptor.File(name: name, size: (attributes[.size] as? NSNumber)?.uint64Value ?? 0)
            }
            try OVFDescriptor(machine, files: files).xml()
                .write(to: URL(fileURLWithPath: "\(folder)/\(descriptor)"))
            var digests: [(name: String, sha256: String)] = []
            for name in [descriptor] + names.members {
                let digest = try FileDigest.hex(of: "\(folder)/\(name)", offset: 0, size: nil, algorithm: "SHA256") {
                    _ in
                }
                digests.append((name, digest))
            }
            try OVFManifest.text(digests).write(to: URL(fileURLWithPath: "\(folder)/\(manifest)"))
            guard format == .ova else {
                return jobs.reversed().map { FinishedFile(temporary: $0.copy, final: $0.output) }
                    + [manifest, descriptor].map {
                        FinishedFile(
                            temporary: "\(folder)/\($0)", final: $0 == manifest ? names.manifest ?? output : output)
                    }
            }
            let archive = workspace.file("package.ova")
            try await DiskArchive.writeOVA(folder: folder, files: [descriptor, manifest] + names.members, to: archive)
            return [FinishedFile(temporary: archive, final: output)]
        }
    }

    func text(of metadata: ConvertedMachine.Metadata, _ machine: ConvertedMachine) throws -> Data {
        switch metadata {
        case .libvirt:
            LibvirtDomain(machine, accelerator: HostAccelerator.choose { _ in } == .kvm ? .kvm : .tcg).xml()
        case .openstack: try OpenStackImages(machine).json()
        case .kubevirt: KubeVirtManifest(machine).yaml()
        }
    }

    /// Report and metadata first, the disks last and the main file at the very end: where it is, everything is.
    func publish(_ texts: [(Data, String)], then files: [FinishedFile], _ workspace: Workspace) throws {
        for (index, (data, final)) in texts.enumerated() {
            let temporary = workspace.file("text-\(index)")
            try data.write(to: URL(fileURLWithPath: temporary))
            try DurableFile.rename(temporary, to: final)
        }
        for file in files { try DurableFile.rename(file.temporary, to: file.final) }
    }
}
