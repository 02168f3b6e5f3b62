internal import Disks
internal import Foundation
internal import Glibc
internal import Host
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
            var losses: [String: String] = [:]
            let isPersistent = domain.isPersistent
            var wanted = facts.disks.map { disk in
                BackupDocuments.Disk(
                    target: disk.target, since: nil, scratch: folder.scratch(disk.target),
                    isTrackable: isPersistent && disk.format == "qcow2")
            }
            for (index, disk) in wanted.enumerated() {
                guard let token = tokens[disk.target] else { continue }
                switch domain.disks(of: token) {
                case nil: losses[disk.target] = "its checkpoint '\(token)' is gone from the domain"
                case let targets? where !targets.contains(disk.target):
                    losses[disk.target] = "the checkpoint '\(token)' has no bitmap for it"
                default: wanted[index].since = token
                }
            }
            var name = source.newCheckpoint
            var untracked: String?
            var documents = BackupDocuments(disks: wanted, others: facts.others, socket: folder.socket)
            let begun: Begun
            do {
                begun = try Self.begin(documents, name, domain, source, folder, facts.hasAgent)
            } catch {
                // libvirt may have made the checkpoint all the same.
                try? domain.remove(checkpoint: name)
                name = source.newCheckpoint
                // Whose bitmap it is about, libvirt says for one disk at most.
                let broken = Self.brokenBitmaps(documents, domain, folder)
                for (index, disk) in documents.disks.enumerated() {
                    guard let reason = broken[disk.target] else { continue }
                    losses[disk.target] = reason
                    documents.disks[index].since = nil
                }
                do {
                    guard !broken.isEmpty else { throw error }
                    begun = try Self.begin(documents, name, domain, source, folder, facts.hasAgent)
                } catch let first {
                    // A qcow2 of an old version, or one that is full of bitmaps, can't hold a new one.
                    try? domain.remove(checkpoint: name)
                    guard documents.checkpoint(name) != nil else { throw first }
                    for index in documents.disks.indices { documents.disks[index].isTrackable = false }
                    do {
                        begun = try Self.begin(documents, name, domain, source, folder, facts.hasAgent)
                    } catch { throw first }
                    untracked = (first as? LibvirtConnection.Failure)?.reason ?? "\(first)"
                }
            }
            do {
                disks = try documents.disks.map { disk in
                    let uri = "nbd+unix:///\(disk.target)?socket=\(folder.socket)"
                    return SourceDisk(
                        name: disk.target, size: try NBDConnection(uri, contexts: []).size, place: .export(uri),
                        changes: try disk.since.map { _ in try Self.changes(disk.target, uri) },
                        trackingLoss: losses[disk.target])
                }
            } catch {
                try domain.endBackup()
                if documents.checkpoint(name) != nil { try? domain.remove(checkpoint: name) }
                throw error
            }
            time = begun.time
            consistency = begun.consistency
            warnings = begun.warnings
            notes =
                facts.notes + begun.notes + Self.notes(facts, isPersistent)
                + (untracked.map { ["no checkpoint could be made (\($0)); the next capture reads and compares all"] }
                    ?? [])
            tracked = Set(documents.disks.filter(\.isTrackable).map(\.target))
            checkpoint = documents.checkpoint(name) == nil ? nil : name
        } catch {
            folder.remove()
            throw error
        }
        self.domain = domain
        self.source = source
        self.folder = folder
        room = RoomWatch(folder.path) { try? domain.endBackup() }
    }

    private static func notes(_ facts: DomainFacts, _ isPersistent: Bool) -> [String] {
        guard isPersistent else {
            return ["the domain is a transient one, for which libvirt keeps no checkpoints: all is read and compared"]
        }
        let untracked = facts.disks.filter { $0.format != "qcow2" }
        return untracked.map {
            "\($0.target) is \($0.format), which can't hold a bitmap of changes: all of it is read and compared"
        }
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

    // MARK: Beginning

    private struct Begun {
        var time: Date
        var consistency: RecoveryPoint.Consistency
        var warnings: [String] = []
        var notes: [String] = []
    }

    /// Freezes, begins, thaws at once.
    private static func begin(
        _ documents: BackupDocuments, _ checkpoint: String, _ domain: DomainHandle, _ source: LibvirtDomain,
        _ folder: BackupFolder, _ hasAgent: Bool
    ) throws -> Begun {
        for disk in documents.disks { try folder.makeScratch(disk.target, size: domain.size(of: disk.target)) }
        guard hasAgent, domain.isRunning else {
            try domain.beginBackup(documents, checkpoint: checkpoint)
            let why = hasAgent ? "the domain is paused" : "no agent answers in the guest"
            return Begun(
                time: Date(), consistency: .crash, notes: ["\(why): its disks are as after a power cut"])
        }
        let isWindows = domain.isWindows
        let freeze = Freeze(domain, uri: source.connection.uri)
        let failure: (any Error)?
        do {
            try domain.beginBackup(documents, checkpoint: checkpoint)
            failure = nil
        } catch { failure = error }
        let time = Date()
        let warnings = freeze.end()
        if let failure {
            // A guest that stays frozen is worth more words than why.
            guard var told = failure as? LibvirtConnection.Failure, !warnings.isEmpty else { throw failure }
            told.reason += "; " + warnings.joined(separator: "; ")
            throw told
        }
        // VSS had the programs write what they had in memory; what a Linux guest's hooks do isn't known.
        let consistency: RecoveryPoint.Consistency = isWindows ? .application : .fileSystem
        return Begun(time: time, consistency: freeze.held ? consistency : .crash, warnings: warnings)
    }

    /// Tries each disk's bitmap alone, without holding the guest still: why each that is no good isn't.
    private static func brokenBitmaps(
        _ documents: BackupDocuments, _ domain: DomainHandle, _ folder: BackupFolder
    ) -> [String: String] {
        var broken: [String: String] = [:]
        for disk in documents.disks where disk.since != nil {
            var others = documents.others + documents.disks.map(\.target)
            others.removeAll { $0 == disk.target }
            let alone = BackupDocuments(disks: [disk], others: others, socket: documents.socket)
            do {
                try folder.makeScratch(disk.target, size: domain.size(of: disk.target))
                try domain.beginBackup(alone, checkpoint: nil)
                try domain.endBackup()
            } catch let failure as LibvirtConnection.Failure {
                broken[disk.target] = failure.reason
            } catch { broken[disk.target] = "\(error)" }
        }
        return broken
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
