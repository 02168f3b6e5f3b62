internal import CLibvirt
internal import Foundation
internal import Glibc
internal import Host
internal import Libvirt
internal import XML

/// A ``Machine`` as a transient domain of libvirt's.
final class LibvirtMachine: RunningMachine, @unchecked Sendable {
    let runner: String
    let files: MachineFiles
    private let connection: LibvirtConnection
    private let events = LibvirtEvents()
    private let registration: LibvirtEvents.Registration
    /// Held until deinit. libvirt's domains may be used from any thread.
    private let domain: virDomainPtr
    /// The disks' names in the domain: "vda".
    private let targets: [String]
    // Touched with the lock held.
    private let lock = NSLock()
    private var lastCPU = 0.0

    /// Starts the domain. The guest runs then.
    /// - Parameter written: the domain that stands beside the image.
    /// - Throws: `LibvirtConnection.Failure` with libvirt's words.
    static func start(
        _ machine: Machine, from written: WrittenDomain?, overlays: [String], files: MachineFiles,
        accelerator: Accelerator, on connection: LibvirtConnection
    ) async throws -> LibvirtMachine {
        let firmware = machine.firmware == .uefi ? try UEFIFirmware() : nil
        try firmware?.writeVariables(of: machine, to: files.variables)
        let description = LibvirtDomainXML(
            name: LibvirtDomainName.new(), machine: machine, accelerator: accelerator, disks: overlays, files: files,
            firmware: firmware, securityModels: connection.securityModels)
        let xml = try description.xml(from: written)
        return try await LibvirtConnection.onThread {
            try LibvirtMachine(
                xml, files: files, runner: "libvirt \(connection.uri) with \(accelerator.rawValue)", on: connection)
        }
    }

    private init(_ xml: String, files: MachineFiles, runner: String, on connection: LibvirtConnection) throws {
        self.runner = runner
        self.files = files
        self.connection = connection
        let devices = try WrittenDomain.disks(WrittenDomain.document(Array(xml.utf8)).root)
        targets = devices.compactMap { $0.first("target")?["dev"] }
        // Paused, so that no report is missed. Should this process be killed, the daemon ends the domain when the
        // connection breaks; an embedded libvirt has nobody to do so.
        var flags = VIR_DOMAIN_START_PAUSED.rawValue
        if !connection.isEmbedded { flags |= VIR_DOMAIN_START_AUTODESTROY.rawValue }
        guard let domain = virDomainCreateXML(connection.raw, xml, flags) else {
            throw LibvirtConnection.failure("start the machine")
        }
        do {
            let registration = try events.register(connection, domain)
            guard virDomainResume(domain) == 0 else {
                let failure = LibvirtConnection.failure("start the machine")
                registration.end(connection)
                throw failure
            }
            self.registration = registration
        } catch {
            virDomainDestroy(domain)
            virDomainFree(domain)
            throw error
        }
        self.domain = domain
    }

    deinit { virDomainFree(domain) }

    func takeEvents() -> [MachineEvent] {
        let events = events.take()
        if virConnectIsAlive(connection.raw) == 0 { return events + [.broken("libvirt's daemon ended the connection")] }
        return events
    }

    func cpuSeconds() async -> Double {
        let now = try? await LibvirtConnection.onThread { [self] in
            var info = virDomainInfo()
            // Nanoseconds.
            return virDomainGetInfo(domain, &info) == 0 ? Double(info.cpuTime) / 1e9 : nil
        }
        return lock.withLock {
            lastCPU = max(lastCPU, (now ?? nil) ?? 0)
            return lastCPU
        }
    }

    /// The daemon's QEMU isn't ours to look into.
    func waitedSeconds() async -> Double { 0 }

    func diskActivity() async -> DiskActivity {
        let activity = try? await LibvirtConnection.onThread { [self] in
            targets.reduce(into: DiskActivity()) { sum, target in
                var stats = virDomainBlockStatsStruct()
                guard virDomainBlockStats(domain, target, &stats, MemoryLayout.size(ofValue: stats)) == 0 else {
                    return
                }
                sum.operations += Int(max(0, stats.rd_req) + max(0, stats.wr_req))
                sum.bytesRead += Int(max(0, stats.rd_bytes))
            }
        }
        return activity ?? DiskActivity()
    }

    func takePicture() async -> Bool {
        // Not virDomainScreenshot: its format changes with QEMU's, and it can't read the text mode's memory.
        let isTaken = try? await LibvirtConnection.onThread { [self] in
            // The legacy window of VGA text memory: IBM's VGA, 32 KiB at 0xB8000.
            execute("screendump", ["filename": files.screen])
                && execute("pmemsave", ["val": 0xB8000, "size": 0x8000, "filename": files.videoMemory])
        }
        return isTaken ?? false
    }

    /// Has QEMU do a command; libvirt hands its answer through, a refusal too.
    private func execute(_ command: String, _ arguments: [String: any Sendable]) -> Bool {
        let call = ["execute": command, "arguments": arguments] as [String: Any]
        guard let line = try? JSONSerialization.data(withJSONObject: call) else { return false }
        var answer: UnsafeMutablePointer<CChar>?
        guard virDomainQemuMonitorCommand(domain, String(decoding: line, as: UTF8.self), &answer, 0) == 0, let answer
        else { return false }
        // A copy, which is ours to free.
        defer { free(answer) }
        let object = try? JSONSerialization.jsonObject(with: Data(String(cString: answer).utf8))
        return (object as? [String: Any])?["return"] != nil
    }

    func stop() async {
        _ = try? await LibvirtConnection.onThread { [self] in
            registration.end(connection)
            // Waits until QEMU is gone; fails where it is already.
            virDomainDestroy(domain)
        }
    }
}
