internal import CLibvirt
internal import Foundation
internal import Glibc
internal import Host
public import Libvirt

/// A running domain: its disks at one moment, by libvirt's backup job, which hands out the disks over NBD as they were then
/// while the guest goes on. Checkpoints, bitmaps in the disks' files, tell the next capture what was written since.
public struct LibvirtDomain: CaptureSource {
    let connection: LibvirtConnection
    let name: String
    /// Of the checkpoints that captures into the same store make for the machine.
    let family: String
    let scratch: String

    /// Whether a domain is running, or paused.
    /// - Throws: ``Libvirt/LibvirtConnection/Failure``
    public static func isActive(_ name: String, on connection: LibvirtConnection) async throws -> Bool {
        try await LibvirtConnection.onThread {
            try DomainHandle(name, on: connection).isActive
        }
    }

    /// - Parameters:
    ///   - name: or UUID.
    ///   - family: says which store and machine checkpoints are for: letters, digits, dots, dashes.
    ///   - scratch: a folder; what the guest overwrites during a capture goes into it until its end.
    public init(_ name: String, on connection: LibvirtConnection, family: String, scratch: String) {
        self.connection = connection
        self.name = name
        self.family = family
        self.scratch = scratch
    }

    var newCheckpoint: String { family + String(format: "%08x", UInt32.random(in: 0...(.max))) }

    public func begin(since tokens: [String: String]) async throws -> any CaptureSession {
        try await LibvirtConnection.onThread { try LibvirtBackup(of: self, since: tokens) }
    }

    /// The name of a domain's checkpoints of one store and machine.
    public static func family(store: String, machine: String) -> String { "rehost.\(machine).\(store.prefix(8))." }
}

/// A domain of libvirt's, with a reference of its own. libvirt's domains may be used from any thread.
final class DomainHandle: @unchecked Sendable {
    let raw: virDomainPtr
    let name: String
    private let connection: LibvirtConnection

    init(_ name: String, on connection: LibvirtConnection) throws {
        guard
            let raw = virDomainLookupByName(connection.raw, name) ?? virDomainLookupByUUIDString(connection.raw, name)
        else {
            throw LibvirtConnection.failure(
                "find the domain '\(name)' at '\(connection.uri)'",
                otherwise: "'virsh list --all' tells which there are")
        }
        self.raw = raw
        self.name = name
        self.connection = connection
    }

    deinit { virDomainFree(raw) }

    var isActive: Bool { virDomainIsActive(raw) == 1 }
    /// Not so while it is paused.
    var isRunning: Bool {
        var state: Int32 = 0
        return virDomainGetState(raw, &state, nil, 0) == 0 && state == Int32(VIR_DOMAIN_RUNNING.rawValue)
    }
    /// Whether libvirt knows it while it is off, too.
    var isPersistent: Bool { virDomainIsPersistent(raw) == 1 }

    /// Copies, and frees, a text of libvirt's.
    private func text(_ raw: UnsafeMutablePointer<CChar>?) -> String? {
        guard let raw else { return nil }
        defer { free(raw) }
        return String(cString: raw)
    }

    /// As it runs.
    func facts() throws -> DomainFacts {
        guard let xml = text(virDomainGetXMLDesc(raw, 0)) else {
            throw LibvirtConnection.failure("read the domain '\(name)'")
        }
        do { return try DomainFacts(xml) } catch {
            throw LibvirtConnection.Failure(
                action: "read the domain '\(name)'", reason: "\(error)", hint: "does 'virsh dumpxml' work?")
        }
    }

    // MARK: Backup job

    func beginBackup(_ documents: BackupDocuments, checkpoint: String?) throws {
        let point = checkpoint.flatMap { documents.checkpoint($0) }
        let flags = UInt32(VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL.rawValue)
        guard virDomainBackupBegin(raw, documents.backup(), point, flags) == 0 else {
            throw LibvirtConnection.failure(
                "begin a backup of '\(name)'",
                otherwise: "libvirt 7.2 and QEMU 5.2 are the oldest that can; does another backup or block job run? see"
                    + " 'virsh domjobinfo'")
        }
    }

    /// In bytes, as the guest sees the disk.
    func size(of target: String) throws -> UInt64 {
        var information = virDomainBlockInfo()
        guard virDomainGetBlockInfo(raw, target, &information, 0) == 0 else {
            throw LibvirtConnection.failure("tell the size of the disk '\(target)' of '\(name)'")
        }
        return information.capacity
    }

    enum Job: Equatable {
        case none
        /// As XML.
        case running(String)
        /// libvirt doesn't answer: it was restarted, say.
        case unknown
    }

    var job: Job {
        if let xml = text(virDomainBackupGetXMLDesc(raw, 0)) { return .running(xml) }
        let code = virErrorNumber(UInt32(bitPattern: virGetLastErrorCode()))
        // A domain that isn't running has none.
        return [VIR_ERR_NO_DOMAIN_BACKUP, VIR_ERR_OPERATION_INVALID, VIR_ERR_NO_DOMAIN].contains(code)
            ? .none : .unknown
    }

    /// Ends the job, and waits until it has.
    /// - Throws: where it may go on.
    func endBackup() throws {
        var domain = self
        for _ in 0..<5 {
            switch domain.job {
            case .none: return
            case .running:
                virDomainAbortJob(domain.raw)
                for _ in 0..<100 where domain.job != .none { usleep(50_000) }
            case .unknown:
                // A restarted daemon knows its domains and their jobs.
                if let fresh = try? DomainHandle(name, on: connection.reopened()) { domain = fresh } else { sleep(1) }
            }
        }
        guard domain.job != .none else { return }
        throw LibvirtConnection.Failure(
            action: "end the backup of '\(name)'", reason: "libvirt doesn't say that it has ended",
            hint: "virsh domjobabort \(name); until then what the guest overwrites takes room under the scratch folder")
    }

    // MARK: Checkpoints

    /// The targets of the disks that a checkpoint has a bitmap for; nil where there is no such checkpoint.
    func disks(of checkpoint: String) -> Set<String>? {
        guard let found = virDomainCheckpointLookupByName(raw, checkpoint, 0) else { return nil }
        defer { virDomainCheckpointFree(found) }
        let flags = UInt32(VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN.rawValue)
        guard let xml = text(virDomainCheckpointGetXMLDesc(found, flags)) else { return nil }
        return BackupDocuments.targets(ofCheckpoint: xml)
    }

    func checkpoints() -> [String] {
        var list: UnsafeMutablePointer<virDomainCheckpointPtr?>?
        let count = virDomainListAllCheckpoints(raw, &list, 0)
        guard count >= 0, let list else { return [] }
        defer { free(list) }
        // libvirt gives a reference to each, and the array; all are released here.
        return UnsafeBufferPointer(start: list, count: Int(count)).compactMap { checkpoint in
            guard let checkpoint else { return nil }
            defer { virDomainCheckpointFree(checkpoint) }
            return virDomainCheckpointGetName(checkpoint).map { String(cString: $0) }
        }
    }

    /// - Throws: where neither the bitmaps nor the record of them can be removed.
    func remove(checkpoint: String) throws {
        guard let found = virDomainCheckpointLookupByName(raw, checkpoint, 0) else { return }
        defer { virDomainCheckpointFree(found) }
        if virDomainCheckpointDelete(found, 0) == 0 { return }
        let failure = LibvirtConnection.failure(
            "remove the checkpoint '\(checkpoint)' of '\(name)'",
            otherwise: "virsh checkpoint-delete removes it; it costs the guest a little for each write")
        // Without QEMU the bitmaps stay; with their record the next capture of the running machine finds them.
        guard isActive else { return }
        // Of a disk that is gone, or a bitmap that is broken, only the record is left.
        let flags = UInt32(VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY.rawValue)
        guard virDomainCheckpointDelete(found, flags) == 0 else { throw failure }
    }

    // MARK: The guest's agent

    /// In seconds; an agent that hangs isn't waited for longer.
    private static let patience: Int32 = 20

    /// Whether an agent didn't answer, in time or at all.
    static func isSilence(_ error: any Error) -> Bool {
        let codes = [VIR_ERR_AGENT_UNRESPONSIVE, VIR_ERR_AGENT_UNSYNCED, VIR_ERR_OPERATION_TIMEOUT]
        return (error as? LibvirtConnection.Failure).map { failure in
            codes.contains { Int($0.rawValue) == failure.code }
        } ?? true
    }

    /// - Returns: how many file systems are frozen.
    func freeze() throws -> Int {
        virDomainAgentSetResponseTimeout(raw, Self.patience, 0)
        let count = virDomainFSFreeze(raw, nil, 0, 0)
        guard count >= 0 else { throw LibvirtConnection.failure("freeze the file systems of '\(name)'") }
        return Int(count)
    }

    /// - Returns: how many file systems were frozen still.
    func thaw() throws -> Int {
        let count = virDomainFSThaw(raw, nil, 0, 0)
        guard count >= 0 else {
            throw LibvirtConnection.failure(
                "thaw the file systems of '\(name)'", otherwise: "virsh domfsthaw \(name), now: the guest can't write")
        }
        return Int(count)
    }

    /// By the agent.
    var isWindows: Bool {
        var parameters: virTypedParameterPtr?
        var count: Int32 = 0
        let kinds = UInt32(VIR_DOMAIN_GUEST_INFO_OS.rawValue)
        guard virDomainGetGuestInfo(raw, kinds, &parameters, &count, 0) == 0 else { return false }
        defer { virTypedParamsFree(parameters, count) }
        var value: UnsafePointer<CChar>?
        guard virTypedParamsGetString(parameters, count, "os.id", &value) == 1, let value else { return false }
        return String(cString: value) == "mswindows"
    }
}
