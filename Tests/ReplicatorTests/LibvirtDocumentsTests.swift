import Foundation
import Libvirt
import Testing
import XML

@testable import Replicator

/// What libvirt is asked for, and what it is understood to say; no libvirt is asked.
struct LibvirtDocumentsTests {
    private let documents = BackupDocuments(
        disks: [
            .init(target: "vda", since: "rehost.web01.0a.1", scratch: "/s/a & b", isTrackable: true),
            .init(target: "sdb", since: nil, scratch: "/s/sdb", isTrackable: false),
        ], others: ["sda"], socket: "/s/nbd")

    @Test func eachDiskIsAskedForInItsWay() throws {
        let root = try XMLDocument(parsing: Array(documents.backup().utf8)).root
        #expect(root["mode"] == "pull" && root.first("server")?["socket"] == "/s/nbd")
        let disks = root.first("disks")?.all("disk") ?? []
        #expect(disks.map { $0["name"] } == ["vda", "sdb", "sda"])
        #expect(disks.map { $0["backup"] } == ["yes", "yes", "no"])
        #expect(disks[0]["incremental"] == "rehost.web01.0a.1" && disks[0]["exportbitmap"] == "changed-vda")
        #expect(disks[0].first("scratch")?["file"] == "/s/a & b")
        #expect(disks[1]["incremental"] == nil && disks[1]["backupmode"] == "full")
    }

    @Test func onlyDisksThatCanHoldABitmapGetOne() throws {
        let text = try #require(documents.checkpoint("x"))
        #expect(BackupDocuments.targets(ofCheckpoint: text) == ["vda"])
        var raw = documents
        raw.disks.removeFirst()
        #expect(raw.checkpoint("x") == nil)
        #expect(BackupDocuments.targets(ofCheckpoint: "no xml") == [])
    }

    @Test func aDomainsDisksAreFound() throws {
        let facts = try DomainFacts(
            """
            <domain><devices>
            <disk type='file' device='disk'><driver type='qcow2'/><source file='/a'/><target dev='vda'/></disk>
            <disk type='network' device='disk'><source protocol='rbd'/><target dev='vdb'/></disk>
            <disk type='file' device='disk'><source file='/c'/><target dev='vdc'/><readonly/></disk>
            <disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk>
            <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/></channel>
            </devices></domain>
            """)
        #expect(facts.disks.map(\.target) == ["vda", "vdb"] && facts.disks.map(\.format) == ["qcow2", "raw"])
        #expect(facts.others == ["vdc", "sda"] && facts.hasAgent && facts.notes.count == 1)
        #expect(throws: (any Error).self) { try DomainFacts("<domain>") }
        #expect(try DomainFacts("<domain/>").disks.isEmpty)
        #expect(
            try !DomainFacts(
                "<domain><devices><channel><target name='org.qemu.guest_agent.0' state='disconnected'/></channel>"
                    + "</devices></domain>"
            ).hasAgent)
    }

    @Test func aJobTellsWhoseItIs() throws {
        func job(_ socket: String) -> String { "<domainbackup><server socket='\(socket)'/></domainbackup>" }
        // In a container each run may have the same number, so this process's own is one that is gone.
        let own = try #require(BackupFolder.owner(ofJob: job("/var/tmp/rehost-backup-\(getpid())-0a/nbd")))
        #expect(own.process == getpid() && own.isGone)
        let parent = try #require(BackupFolder.owner(ofJob: job("/var/tmp/rehost-backup-\(getppid())-0a/nbd")))
        #expect(!parent.isGone)
        // Above the largest number that Linux gives (proc(5), pid_max).
        #expect(BackupFolder.owner(ofJob: job("/var/tmp/rehost-backup-4194999-0a/nbd"))?.isGone == true)
        #expect(BackupFolder.owner(ofJob: job("/var/tmp/virtnbdbackup.12")) == nil)
        #expect(BackupFolder.owner(ofJob: job("/x/rehost-backup--1/nbd")) == nil)
        #expect(BackupFolder.owner(ofJob: "<domainbackup/>") == nil)
    }

    @Test func aFolderWhosePathIsTooLongForASocketIsRefused() {
        #expect(throws: LibvirtConnection.Failure.self) {
            try BackupFolder(in: "/tmp/" + String(repeating: "x", count: 90), embedded: true)
        }
    }
}
