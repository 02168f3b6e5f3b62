internal import Converter
internal import Disks
internal import Foundation
internal import Guest
internal import Guestfs
internal import Host
internal import Libvirt
public import Preflight

/// Boot tests of one or more machines, side by side as far as this host carries them.
public struct PreflightRun: Sendable {
    public var request: PreflightRequest

    public struct Failure: Error, CustomStringConvertible {
        public var message: String
        public var hint: String
        public var description: String { "\(message)\nhint: \(hint)" }
    }

    public struct Result: Sendable {
        public var report: ImageReport
        public var artifacts: BootArtifacts
    }

    public init(_ request: PreflightRequest) { self.request = request }

    /// What QEMU needs beside the guest's memory, in MiB: its own, caches, pictures.
    private static let overhead = 300

    /// - Returns: one result for each target, in their order; what could not be tested says why.
    /// - Throws: where nothing can be tested at all; `CancellationError` where the task is cancelled.
    public func run(progress: @escaping @Sendable (RunProgress) -> Void) async throws -> [Result] {
        let accelerator = HostAccelerator.choose { progress(.note($0)) }
        try refuseMissingPrograms()
        // One for all machines.
        var libvirt: LibvirtConnection?
        if let uri = request.connection { libvirt = try await LibvirtConnection.openForTests(uri) }
        let width = try width()
        let workspace = try Workspace.temporary()
        defer { workspace.remove() }
        return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: request.targets.count)
            var next = 0
            func start() {
                guard next < request.targets.count else { return }
                let index = next
                next += 1
                group.addTask { [libvirt] in
                    let job = PreflightJob(
                        request: request, target: request.targets[index], libvirt: libvirt,
                        accelerator: accelerator, folder: workspace.file("\(index)"),
                        isAlone: request.targets.count == 1)
                    return (index, try await job.run(progress))
                }
            }
            for _ in 0..<width { start() }
            for try await (index, result) in group {
                results[index] = result
                start()
            }
            return results.compactMap { $0 }
        }
    }

    /// Before any bulk is moved: refuses a machine that couldn't be started here.
    static func refuse(_ machine: Machine) throws {
        let run = PreflightRun(PreflightRequest(targets: [.init(disks: [], machine: machine)]))
        try run.refuseMissingPrograms()
        _ = try run.width()
    }

    private func refuseMissingPrograms() throws {
        if let uri = request.connection {
            try LibvirtConnection.check(uri)
        } else if Command("qemu-system-x86_64", []).path == nil {
            throw Failure(
                message: "could not find qemu-system-x86_64, which boots the disks",
                hint: "apt install qemu-system-x86")
        }
        for target in request.targets { try target.machine.check() }
    }

    /// How many machines run at once.
    private func width() throws -> Int {
        let needed = (request.targets.map(\.machine.memoryMiB).max() ?? 0) + Self.overhead
        let available = Self.availableMemory()
        if let available, available < needed {
            throw Failure(
                message:
                    "could not start a machine: it needs \(needed) MiB, and \(available) MiB of memory are available",
                hint: "give it less with --memory, or end other programs")
        }
        let processors = request.targets.map(\.machine.processors).max() ?? 1
        let byProcessors = max(1, ProcessInfo.processInfo.activeProcessorCount / max(1, processors))
        let byMemory = available.map { $0 / needed } ?? byProcessors
        let asked = request.jobs ?? byProcessors
        return max(1, min(asked, byMemory, request.targets.count))
    }

    /// In MiB; nil where the kernel doesn't say.
    private static func availableMemory() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 / 1024 }
    }
}

extension PreflightRun.Result {
    /// For a machine that could not be tested at all.
    init(notTested target: PreflightRequest.Target, because error: any Error) {
        let text = "\(error)".components(separatedBy: "\nhint: ")
        var report = ImageReport(
            image: target.disks[0], disks: target.disks, machine: target.machine, runner: "none",
            verdict: .notTested, reason: text[0].replacingOccurrences(of: "\n", with: " "))
        report.remedy = text.count > 1 ? text[1] : nil
        self.init(report: report, artifacts: BootArtifacts())
    }
}

/// One machine's boot test: checks, overlays, witness, boot.
struct PreflightJob: Sendable {
    var request: PreflightRequest
    var target: PreflightRequest.Target
    var libvirt: LibvirtConnection?
    var accelerator: Accelerator
    /// A folder of its own, made and removed here.
    var folder: String
    var isAlone: Bool

    /// The table and what stands before the first partition are in it.
    private static let startSize = 64 << 10

    func run(_ progress: @escaping @Sendable (RunProgress) -> Void) async throws -> PreflightRun.Result {
        do {
            return try await test(progress)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try Task.checkCancellation()
            // Others of the batch go on; this one's error is its result.
            return PreflightRun.Result(notTested: target, because: error)
        }
    }

    private func test(_ progress: @escaping @Sendable (RunProgress) -> Void) async throws -> PreflightRun.Result {
        let name = URL(fileURLWithPath: target.disks[0]).lastPathComponent
        let label = isAlone ? "" : name + ": "
        let phases = Phases { event in progress(event.labelled(label)) }
        let files = MachineFiles(folder: folder)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }

        var images: [DiskImage] = []
        let start = try await phases.time("check the image") {
            images = target.point?.images ?? []
            if target.point == nil { for path in target.disks { images.append(try await DiskImage.open(path)) } }
            for image in images { try await QemuImg.check(image) }
            return try await QemuImg.start(
                of: images[target.machine.bootDisk], count: Self.startSize, scratch: folder)
        }
        try await makeOverlays(images, files)
        let overlays = images.indices.map { files.overlay($0) }
        var notes: [PreflightFinding] = []
        if request.witness == .lay {
            do {
                try await WitnessSession.lay(
                    overlays, keys: request.keys, scratch: folder, accelerator: accelerator, phases
                ) {
                    progress($0.labelled(label))
                }
            } catch {
                try Task.checkCancellation()
                notes.append(Self.noWitness(error))
                // Whatever was begun in them mustn't take part in the boot.
                try await makeOverlays(images, files)
            }
        }
        let hasWitness = request.witness == .lay && notes.isEmpty
        var boot = BootTest(
            image: target.disks[0], disks: target.disks, machine: target.machine, overlays: overlays, files: files,
            hasWitness: hasWitness, budget: request.budget, diskStart: start)
        boot.libvirt = libvirt
        boot.domain = target.domain
        if let domain = target.domain { progress(.note(label + "the machine is the one of \(domain.path)")) }
        var (report, artifacts) = try await phases.time("boot") { [boot] in
            try await boot.run(accelerator: accelerator) { progress(.note(label + $0.text)) }
        }
        report.findings = notes + report.findings
        for phase in phases.all where phase.name != "boot" {
            report.preparation[phase.name] = phase.seconds
        }
        await target.point?.note(report, image: nil) { progress(.note(label + $0)) }
        return PreflightRun.Result(report: report, artifacts: artifacts)
    }

    private func makeOverlays(_ images: [DiskImage], _ files: MachineFiles) async throws {
        for (index, image) in images.enumerated() {
            try await QemuImg.createOverlay(files.overlay(index), over: image)
        }
    }

    /// A guest that isn't opened is boot-tested all the same.
    private static func noWitness(_ error: any Error) -> PreflightFinding {
        if let refusal = error as? Refusal {
            return PreflightFinding(
                .note, "no witness inside the guest: \(refusal.message); it is judged from outside", hint: refusal.hint)
        }
        let text = "\(error)".components(separatedBy: "\nhint: ")
        return PreflightFinding(
            .warning, "no witness inside the guest: \(text[0]); it is judged from outside",
            hint: text.count > 1 ? text[1] : nil)
    }
}

extension BootTest.Progress {
    fileprivate var text: String {
        switch self {
        case .reached(let level, let seconds): "\(level.title) (\(Int(seconds)) s)"
        case .restarted: "the guest was reset"
        }
    }
}

extension RunProgress {
    /// The same, with the machine's name in front.
    func labelled(_ label: String) -> RunProgress {
        switch self {
        case .started(let phase): .started(label + phase)
        case .part(let phase, let part, let more): .part(label + phase, part, more)
        case .finished(let phase, let seconds): .finished(label + phase, seconds: seconds)
        case .note(let text): .note(label + text)
        case .detail(let text): .detail(label + text)
        }
    }
}
