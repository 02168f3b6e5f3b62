internal import Foundation
internal import Libvirt

/// Begins a domain's backup job: with the guest held still where it has an agent, and with as much tracking as its disks and
/// their bitmaps allow.
struct BackupStart {
    private(set) var documents: BackupDocuments
    /// Why changes aren't known where they should be, by the disks' targets.
    private(set) var losses: [String: String] = [:]
    private(set) var time = Date()
    private(set) var consistency = RecoveryPoint.Consistency.crash
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []

    /// The new one's name; nil where no disk can hold a bitmap.
    var checkpoint: String? { documents.checkpoint(name) == nil ? nil : name }
    private var name: String

    private let domain: DomainHandle
    private let source: LibvirtDomain
    private let folder: BackupFolder
    private let hasAgent: Bool

    /// - Parameter tokens: names of checkpoints, by the disks' targets.
    init(
        of domain: DomainHandle, _ facts: DomainFacts, _ source: LibvirtDomain, _ folder: BackupFolder,
        since tokens: [String: String]
    ) {
        self.domain = domain
        self.source = source
        self.folder = folder
        hasAgent = facts.hasAgent
        name = source.newCheckpoint
        let isPersistent = domain.isPersistent
        documents = BackupDocuments(
            disks: facts.disks.map { disk in
                BackupDocuments.Disk(
                    target: disk.target, since: nil, scratch: folder.scratch(disk.target),
                    isTrackable: isPersistent && disk.format == "qcow2")
            }, others: facts.others, socket: folder.socket)
        for (index, disk) in documents.disks.enumerated() {
            guard let token = tokens[disk.target] else { continue }
            switch domain.disks(of: token) {
            case nil: losses[disk.target] = "its checkpoint '\(token)' is gone from the domain"
            case let targets? where !targets.contains(disk.target):
                losses[disk.target] = "the checkpoint '\(token)' has no bitmap for it"
            default: documents.disks[index].since = token
            }
        }
        guard isPersistent else {
            notes = ["the domain is a transient one, for which libvirt keeps no checkpoints: all is read and compared"]
            return
        }
        notes = facts.disks.filter { $0.format != "qcow2" }.map {
            "\($0.target) is \($0.format), which can't hold a bitmap of changes: all of it is read and compared"
        }
    }

    /// - Throws: ``Libvirt/LibvirtConnection/Failure``. No job runs then, and the new checkpoint isn't there.
    mutating func begin() throws {
        do { return try attempt() } catch {
            if dropBrokenBitmaps() {
                do { return try attempt() } catch { try beginUntracked(after: error) }
            } else {
                try beginUntracked(after: error)
            }
        }
    }

    /// A qcow2 of an old version, or one that is full of bitmaps, can't hold a new one.
    private mutating func beginUntracked(after failure: any Error) throws {
        guard checkpoint != nil else { throw failure }
        for index in documents.disks.indices { documents.disks[index].isTrackable = false }
        // Where that isn't it, the first reason is the better one.
        do { try attempt() } catch { throw failure }
        let reason = (failure as? LibvirtConnection.Failure)?.reason ?? "\(failure)"
        notes.append("no checkpoint could be made (\(reason)); the next capture reads and compares all")
    }

    /// Tries each disk's bitmap alone, without holding the guest still: libvirt names one disk at most.
    /// - Returns: whether there were any that are no good; their disks are read whole.
    private mutating func dropBrokenBitmaps() -> Bool {
        var isAny = false
        for (index, disk) in documents.disks.enumerated() where disk.since != nil {
            var others = documents.others + documents.disks.map(\.target)
            others.removeAll { $0 == disk.target }
            let alone = BackupDocuments(disks: [disk], others: others, socket: documents.socket)
            do {
                try folder.makeScratch(disk.target, size: domain.size(of: disk.target))
                try domain.beginBackup(alone, checkpoint: nil)
                try domain.endBackup()
            } catch {
                losses[disk.target] = (error as? LibvirtConnection.Failure)?.reason ?? "\(error)"
                documents.disks[index].since = nil
                isAny = true
            }
        }
        return isAny
    }

    /// Freezes, begins, thaws at once.
    private mutating func attempt() throws {
        do {
            for disk in documents.disks { try folder.makeScratch(disk.target, size: domain.size(of: disk.target)) }
            if hasAgent, domain.isRunning { try beginFrozen() } else { try beginAsItIs() }
        } catch {
            // libvirt may have made the checkpoint all the same; another attempt has one of its own.
            try? domain.remove(checkpoint: name)
            name = source.newCheckpoint
            throw error
        }
    }

    private mutating func beginAsItIs() throws {
        try domain.beginBackup(documents, checkpoint: name)
        time = Date()
        let why = hasAgent ? "the domain is paused" : "no agent answers in the guest"
        notes.append("\(why): its disks are as after a power cut")
    }

    private mutating func beginFrozen() throws {
        let isWindows = domain.isWindows
        let freeze = Freeze(domain, uri: source.connection.uri)
        let failure: (any Error)?
        do {
            try domain.beginBackup(documents, checkpoint: name)
            failure = nil
        } catch { failure = error }
        time = Date()
        let said = freeze.end()
        if let failure {
            // A guest that stays frozen is worth more words than why.
            guard var told = failure as? LibvirtConnection.Failure, !said.isEmpty else { throw failure }
            told.reason += "; " + said.joined(separator: "; ")
            throw told
        }
        warnings += said
        // VSS had the programs write what they had in memory; what a Linux guest's hooks do isn't known.
        if freeze.held { consistency = isWindows ? .application : .fileSystem }
    }
}
