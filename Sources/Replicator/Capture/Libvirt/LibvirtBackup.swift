internal import Disks
internal import Foundation
internal import Libvirt
internal import Synchronization

/// One backup job of a domain. It is begun on a thread of its own, since libvirt waits for QEMU and the guest's agent.
final class LibvirtBackup: CaptureSession {
    let time: Date
    let consistency: RecoveryPoint.Consistency
    let disks: [SourceDisk]
    let notes: [String]
    let warnings: [String]

    private let domain: DomainHandle
    private let source: LibvirtDomain
    private let folder: BackupFolder
    /// The new one; nil where no disk can hold a bitmap.
    private let checkpoint: String?
    private let tracked: Set<String>
    private let room: RoomWatch
    private let isCommitted = Mutex(false)

    init(of source: LibvirtDomain, since tokens: [String: String]) throws {
        let domain = try DomainHandle(source.name, on: source.connection)
        try Self.endLeftover(of: domain)
        let facts = try domain.facts()
        guard !facts.disks.isEmpty else {
            throw LibvirtConnection.Failure(
                action: "capture '\(source.name)'", reason: "it has no disk that it can write to",
                hint: "'virsh domblklist' shows what it has")
        }
        let folder = try BackupFolder(in: source.scratch, embedded: source.connection.isEmbedded)
        do {
            try RoomWatch.check(folder.path)
            var start = BackupStart(of: domain, facts, source, folder, since: tokens)
            try start.begin()
            do {
                disks = try start.documents.disks.map { disk in
                    let uri = "nbd+unix:///\(disk.target)?socket=\(folder.socket)"
                    return SourceDisk(
                        name: disk.target, size: try NBDConnection(uri, contexts: []).size, place: .export(uri),
                        changes: try disk.since.map { _ in try Self.changes(disk.target, uri) },
                        trackingLoss: start.losses[disk.target])
                }
            } catch {
                try domain.endBackup()
                if let checkpoint = start.checkpoint { try? domain.remove(checkpoint: checkpoint) }
                throw error
            }
            time = start.time
            consistency = start.consistency
            warnings = start.warnings
            notes = facts.notes + start.notes
            checkpoint = start.checkpoint
            tracked = Set(start.documents.disks.filter(\.isTrackable).map(\.target))
        } catch {
            folder.remove()
            throw error
        }
        self.domain = domain
        self.source = source
        self.folder = folder
        room = RoomWatch(folder.path) { try? domain.endBackup() }
    }

    private static func changes(_ target: String, _ uri: String) throws -> [NBDConnection.Extent] {
        let context = "qemu:dirty-bitmap:" + BackupDocuments.bitmap(target)
        let connection = try NBDConnection(uri, contexts: [context])
        guard connection.has(context: context) else {
            throw DiskImage.Failure(
                "the backup of '\(target)' has no bitmap of changes", hint: "capture again; all of it is read then")
        }
        // 1: dirty.
        return try connection.extents(context, offset: 0, length: connection.size).filter { $0.flags & 1 != 0 }
    }

    /// Ends the job of a capture that was killed.
    private static func endLeftover(of domain: DomainHandle) throws {
        guard case .running(let job) = domain.job else { return }
        guard let owner = BackupFolder.owner(ofJob: job) else {
            throw LibvirtConnection.Failure(
                action: "begin a backup of '\(domain.name)'", reason: "another program's backup of it is running",
                hint: "wait for it; 'virsh backup-dumpxml' shows it, 'virsh domjobabort' ends it")
        }
        guard owner.isGone else {
            throw LibvirtConnection.Failure(
                action: "begin a backup of '\(domain.name)'",
                reason: "another capture of it is running, process \(owner.process)",
                hint: "wait for it; where that process is none of rehost's, 'virsh domjobabort \(domain.name)' ends it")
        }
        try domain.endBackup()
        owner.removeFolder()
    }

    // MARK: Session

    func token(of disk: SourceDisk) -> String? { tracked.contains(disk.name) ? checkpoint : nil }

    func checkStillness() async throws {
        if room.isShort {
            throw DiskImage.Failure(
                "the backup of '\(source.name)' was ended: '\(folder.path)' ran out of room for what the guest overwrites",
                hint: "name a folder with more room: --scratch DIR; what was stored so far counts the next time")
        }
        switch try await LibvirtConnection.onThread({ [domain] in domain.job }) {
        case .running: return
        case .none:
            throw DiskImage.Failure(
                "the backup of '\(source.name)' ended before all was read: was the machine shut down?",
                hint: "capture it again; what was stored so far counts")
        case .unknown:
            throw DiskImage.Failure(
                "libvirt stopped answering while '\(source.name)' was read: was it restarted?",
                hint: "capture it again; what was stored so far counts")
        }
    }

    func committed() async throws {
        isCommitted.withLock { $0 = true }
        try await LibvirtConnection.onThread { [self] in
            try domain.endBackup()
            // Of older points, and of captures that were killed.
            for name in domain.checkpoints() where name.hasPrefix(source.family) && name != checkpoint {
                try domain.remove(checkpoint: name)
            }
        }
    }

    func end() async throws {
        room.end()
        try await LibvirtConnection.onThread { [self] in
            // Until the job has ended, its scratch files are better seen than only felt.
            try domain.endBackup()
            folder.remove()
            if let checkpoint, !isCommitted.withLock({ $0 }) { try domain.remove(checkpoint: checkpoint) }
        }
    }
}
