internal import Foundation
internal import Synchronization

/// Finds out whether KVM works here, by booting a guest of one sector, then a Linux kernel up to where it misses its root.
///
/// The device file says little: in nested virtualisation `/dev/kvm` often opens and QEMU then aborts on an MSR
/// that the outer hypervisor refuses (`failed to set MSR 0x10a`, signal 6), or the guest never takes a step. Where KVM is
/// emulated in software, small guests run and a stock kernel stands still.
public struct AcceleratorProbe: Sendable {
    public let accelerator: Accelerator
    /// One line for people, e.g. `KVM boots a guest`.
    public let reason: String

    /// Probes once per boot of the host and per QEMU binary; later calls read the answer from the cache folder.
    ///
    /// `REHOST_ACCEL=kvm|tcg` overrides. Never throws: what can't be found out is an answer for ``Accelerator/tcg``.
    /// Takes at most about 30 s, under 1 ms when remembered.
    public static func run() -> AcceleratorProbe {
        if let named = ProcessInfo.processInfo.environment["REHOST_ACCEL"], let forced = Accelerator(rawValue: named) {
            return AcceleratorProbe(accelerator: forced, reason: "REHOST_ACCEL=\(named)")
        }
        let descriptor = open(device, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            return AcceleratorProbe(accelerator: .tcg, reason: "\(device): \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        guard let qemu = Command("qemu-system-x86_64", []).path else {
            return AcceleratorProbe(accelerator: .tcg, reason: "qemu-system-x86_64 is not installed")
        }
        let key = memoryKey(qemu: qemu)
        if let remembered = recall(key) { return remembered }
        let probe = boot(qemu)
        remember(probe, key)
        return probe
    }

    private static let device = "/dev/kvm"
    /// How long the guest may take: it needs 0.15 s where KVM works, even 0.3 s under TCG.
    private static let limit: TimeInterval = 8
    /// The same for a kernel: it needs 4 s under TCG.
    private static let kernelLimit: TimeInterval = 20

    private static func unusable(_ why: String) -> AcceleratorProbe {
        AcceleratorProbe(accelerator: .tcg, reason: "KVM does not work here: \(why)")
    }

    private static func boot(_ qemu: String) -> AcceleratorProbe {
        let sector = bootSector(qemu)
        guard sector.accelerator == .kvm, let kernel = kernel() else { return sector }
        return bootKernel(kernel)
    }

    /// The newest kernel of this host that can be read; nil where there is none.
    private static func kernel() -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/boot")) ?? []
        return names.filter { $0.hasPrefix("vmlinuz-") }.map { "/boot/" + $0 }
            .filter { FileManager.default.isReadableFile(atPath: $0) }
            .max { $0.compare($1, options: .numeric) == .orderedAscending }
    }

    /// A kernel without a root panics and says so on the serial port.
    private static func bootKernel(_ kernel: String) -> AcceleratorProbe {
        let serial = SerialText()
        let ended = DispatchSemaphore(value: 0)
        let command = Command(
            "qemu-system-x86_64",
            [
                "-accel", "kvm", "-cpu", "max", "-m", "256", "-nodefaults", "-no-user-config", "-display", "none",
                "-no-reboot", "-serial", "stdio", "-kernel", kernel, "-append", "console=ttyS0 panic=-1 quiet",
            ])
        do {
            // A guest that stands still would run on for ever where we are killed: this one ends with us.
            let program = try BackgroundProgram(
                command, onOutput: { if serial.adds($0, completing: "Kernel panic") { ended.signal() } },
                onEnd: { ended.signal() })
            let isInTime = ended.wait(timeout: .now() + kernelLimit) == .success
            program.stop()
            if !isInTime { return unusable("the kernel '\(kernel)' did not start in \(Int(kernelLimit)) s") }
        } catch {
            return unusable("\(error)")
        }
        guard serial.holds("Kernel panic") else {
            return unusable("the kernel '\(kernel)' did not get as far as its root")
        }
        return AcceleratorProbe(accelerator: .kvm, reason: "KVM boots a kernel")
    }

    /// What a guest said so far, on the thread that reads it and on ours.
    private final class SerialText: Sendable {
        private let data = Mutex(Data())

        func adds(_ piece: Data, completing words: String) -> Bool {
            data.withLock { $0.append(piece) }
            return holds(words)
        }

        func holds(_ words: String) -> Bool { data.withLock { $0.range(of: Data(words.utf8)) != nil } }
    }

    /// Boots ``ProbeGuest`` under KVM with every feature that the host offers, as libguestfs does.
    private static func bootSector(_ qemu: String) -> AcceleratorProbe {
        guard let disk = ProbeGuest.unlinkedFile() else { return unusable("no temporary file for the probe's disk") }
        defer { try? disk.close() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: qemu)
        process.arguments = [
            "-accel", "kvm", "-cpu", "max", "-m", "32", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
            // The disk has no name any more: QEMU opens it again through its standard input.
            "-drive", "file=/dev/stdin,format=raw,if=floppy,readonly=on,file.locking=off",
        ]
        process.standardInput = disk
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        do { try process.run() } catch { return unusable("\(qemu) does not start") }
        if ended.wait(timeout: .now() + limit) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            _ = ended.wait(timeout: .now() + 2)
            return unusable("a guest of one sector did not finish in \(Int(limit)) s")
        }
        switch (process.terminationReason, process.terminationStatus) {
        case (.exit, ProbeGuest.exitStatus): return AcceleratorProbe(accelerator: .kvm, reason: "KVM boots a guest")
        case (.exit, let status): return unusable("QEMU ended with status \(status)")
        case (_, let signal): return unusable("QEMU died of signal \(signal)")
        }
    }

    // MARK: - The answer, remembered

    private struct Memory: Codable {
        var key: String
        var accelerator: Accelerator
        var reason: String
    }

    /// A reboot, another kernel module or another QEMU may change the answer.
    private static func memoryKey(qemu: String) -> String {
        let boot = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
        let id = boot.trimmingCharacters(in: .whitespacesAndNewlines)
        let changed = (try? FileManager.default.attributesOfItem(atPath: qemu))?[.modificationDate] as? Date
        // The number of this probe: an older one's answer doesn't count.
        return "2 \(id) \(qemu) \(changed?.timeIntervalSince1970 ?? 0) \(device)"
    }

    private static func memoryFile() -> URL? {
        (try? CacheFolder.url())?.appendingPathComponent("accelerator.json")
    }

    private static func recall(_ key: String) -> AcceleratorProbe? {
        guard let file = memoryFile(), let data = try? Data(contentsOf: file),
            let memory = try? JSONDecoder().decode(Memory.self, from: data), memory.key == key
        else { return nil }
        return AcceleratorProbe(accelerator: memory.accelerator, reason: memory.reason)
    }

    private static func remember(_ probe: AcceleratorProbe, _ key: String) {
        let memory = Memory(key: key, accelerator: probe.accelerator, reason: probe.reason)
        guard let file = memoryFile(), let data = try? JSONEncoder().encode(memory) else { return }
        // Not remembering costs the next run a probe, nothing else.
        try? data.write(to: file, options: .atomic)
    }
}
