internal import Foundation
internal import Host

/// A ``Machine`` in a QEMU of our own.
final class QEMUMachine: RunningMachine, @unchecked Sendable {
    struct Failure: Error, CustomStringConvertible {
        var reason: String
        var hint: String
        var description: String { "could not start the machine: \(reason)\nhint: \(hint)" }
    }

    let runner: String
    let files: MachineFiles
    private let program: BackgroundProgram
    private let monitor: QMP
    // Touched with the lock held.
    private let lock = NSLock()
    private var lastCPU = 0.0
    private var hasReportedEnd = false

    /// Starts QEMU and waits for its first word. The guest runs then.
    init(_ machine: Machine, overlays: [String], files: MachineFiles, accelerator: Accelerator) async throws {
        let firmware = machine.firmware == .uefi ? try UEFIFirmware() : nil
        try firmware?.writeVariables(of: machine, to: files.variables)
        let isolation = machine.card == .none ? nil : NetworkIsolation.find()
        let arguments = QEMUArguments(
            machine: machine, network: try UserNetwork(machine.network, gateway: machine.gateway),
            accelerator: accelerator, disks: overlays, files: files,
            isIsolated: isolation != nil, firmware: firmware)
        self.files = files
        runner = "qemu with \(accelerator.rawValue)"
        let monitor = QMP()
        self.monitor = monitor
        let program = try BackgroundProgram(
            Command("qemu-system-x86_64", arguments.list), isolation: isolation, onOutput: { monitor.receive($0) },
            // Whoever waits for an answer then hears of it.
            onEnd: { monitor.close() })
        self.program = program
        monitor.connect { program.write($0) }
        do {
            try await greet()
        } catch {
            program.stop()
            throw error
        }
    }

    private func greet() async throws {
        // A busy host may take seconds to load QEMU; one that refuses its arguments ends at once.
        let limit = ContinuousClock.now + .seconds(60)
        while !monitor.hasGreeted {
            if program.ending != nil { throw explained() }
            guard ContinuousClock.now < limit else {
                throw Failure(reason: "QEMU does not answer", hint: "try again on a less busy machine")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        do { try await monitor.execute("qmp_capabilities") } catch {
            if program.ending != nil { throw explained() }
            throw error
        }
    }

    /// QEMU's last words, with the way out.
    private func explained() -> Failure {
        // Warnings about the processor's features come first and are no reason.
        let lines = program.errors.split(separator: "\n").filter { !$0.contains("warning:") }
        let words = lines.suffix(3).joined(separator: "; ").replacing("qemu-system-x86_64: ", with: "")
        let hint =
            if words.contains("lock") {
                "the image is in use: shut the machine down, or test a copy or a snapshot"
            } else if words.localizedCaseInsensitiveContains("memory") {
                "give it less with --memory, or end other programs"
            } else {
                "is the image complete? qemu-img check IMAGE tells"
            }
        return Failure(reason: words.isEmpty ? "QEMU ended without a word" : words, hint: hint)
    }

    func takeEvents() -> [MachineEvent] {
        var events = monitor.takeEvents().compactMap(MachineEvent.init)
        if let ending = program.ending {
            monitor.close()
            let isFirst = lock.withLock {
                defer { hasReportedEnd = true }
                return !hasReportedEnd
            }
            if isFirst, !events.contains(.poweredOff) {
                events.append(.broken("QEMU ended (\(ending)) \(program.errors.suffix(300))"))
            }
        }
        return events
    }

    func cpuSeconds() async -> Double {
        let now = program.cpuSeconds
        return lock.withLock {
            lastCPU = now ?? lastCPU
            return lastCPU
        }
    }

    func waitedSeconds() async -> Double { program.waitedSeconds }

    func diskActivity() async -> DiskActivity {
        guard let answer = try? await monitor.execute("query-blockstats"),
            let list = try? JSONSerialization.jsonObject(with: answer) as? [[String: Any]]
        else { return DiskActivity() }
        var activity = DiskActivity()
        for item in list {
            // UEFI's flash is a block device as well.
            guard (item["device"] as? String)?.hasPrefix("disk") == true, let stats = item["stats"] as? [String: Any]
            else { continue }
            for key in ["rd_operations", "wr_operations"] {
                activity.operations += (stats[key] as? NSNumber)?.intValue ?? 0
            }
            activity.bytesRead += (stats["rd_bytes"] as? NSNumber)?.intValue ?? 0
        }
        return activity
    }

    func takePicture() async -> Bool {
        guard program.ending == nil else { return false }
        do {
            try await monitor.execute("screendump", ["filename": files.screen])
            // The legacy window of VGA text memory: IBM's VGA, 32 KiB at 0xB8000.
            try await monitor.execute("pmemsave", ["val": 0xB8000, "size": 0x8000, "filename": files.videoMemory])
            return true
        } catch { return false }
    }

    func stop() async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { [self] in
                program.stop()
                monitor.close()
                continuation.resume()
            }
        }
    }
}
