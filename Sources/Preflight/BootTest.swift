internal import Foundation
public import Host
public import Libvirt

/// One boot of one machine, watched from power on to the verdict.
public struct BootTest: Sendable {
    /// What is said while it runs.
    public enum Progress: Sendable {
        case reached(Level, seconds: Double)
        case restarted
    }

    public var image: String
    public var disks: [String]
    public var machine: Machine
    /// qcow2 files over the disks, which take what the guest writes.
    public var overlays: [String]
    public var files: MachineFiles
    /// A witness was laid into the overlays.
    public var hasWitness: Bool
    /// Processor seconds that the guest may take without getting further.
    public var budget: Double
    /// The boot disk's first 64 KiB.
    public var diskStart: [UInt8]
    /// The libvirt that runs the machine; a QEMU of our own does where nil.
    public var libvirt: LibvirtConnection?
    /// The domain beside the image, for libvirt to run.
    public var domain: WrittenDomain?

    public init(
        image: String, disks: [String], machine: Machine, overlays: [String], files: MachineFiles, hasWitness: Bool,
        budget: Double, diskStart: [UInt8]
    ) {
        self.image = image
        self.disks = disks
        self.machine = machine
        self.overlays = overlays
        self.files = files
        self.hasWitness = hasWitness
        self.budget = budget
        self.diskStart = diskStart
    }

    /// Boots in a QEMU of our own, or in libvirt's.
    /// - Throws: where the machine can't be started; `CancellationError` when the task is cancelled. Nothing runs any more
    ///   then.
    public func run(
        accelerator: Accelerator, progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> (report: ImageReport, artifacts: BootArtifacts) {
        guard let libvirt else {
            let running = try await QEMUMachine(machine, overlays: overlays, files: files, accelerator: accelerator)
            return try await watch(running, progress)
        }
        let running = try await LibvirtMachine.start(
            machine, from: domain, overlays: overlays, files: files, accelerator: accelerator, on: libvirt)
        return try await watch(running, progress)
    }

    func watch(
        _ running: any RunningMachine, _ progress: @escaping @Sendable (Progress) -> Void
    ) async throws -> (report: ImageReport, artifacts: BootArtifacts) {
        var watch = BootWatch(self, running)
        do {
            try await watch.run(progress)
        } catch {
            await running.stop()
            throw error
        }
        await running.stop()
        return await watch.finish()
    }
}
