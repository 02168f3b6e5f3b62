import Disks
import Foundation
import Libvirt
import Synchronization
import Testing

@testable import Replicator

/// A running machine under load, captured again and again: each point is the disk as it was at one moment, to the byte.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "captures a running guest for minutes: script/test sets REHOST_END_TO_END=1"),
    .enabled(if: EmbeddedLibvirt.obstacle == nil, "\(EmbeddedLibvirt.obstacle ?? "libvirt can be used here")"))
final class LiveDomainTests {
    private let work = Tools.work("live")
    private let rounds = 10

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    /// One process opens one libvirt of its own, once: both guests are there before it does.
    @Test func everyPointIsTheDiskAtOneMoment() async throws {
        let libvirt = EmbeddedLibvirt("live")
        defer { libvirt.remove() }
        var guests: [WriterGuest] = []
        defer { for guest in guests { guest.end() } }
        for fileSystem in ["ext4", "xfs"] {
            guests.append(
                try WriterGuest(
                    work.appendingPathComponent(fileSystem), fileSystem: fileSystem, libvirt: libvirt))
        }
        let repository = try await Repository.openOrMake(FolderStore(path("store")))
        let connection = try await LibvirtConnection.open(libvirt.uri)
        for guest in guests { try await capture(guest, connection, into: repository) }
        #expect(try await Verification(repository, depth: .deep).run { _ in }.damage == [])
    }

    private func capture(
        _ guest: WriterGuest, _ connection: LibvirtConnection, into repository: Repository
    ) async throws {
        let family = LibvirtDomain.family(store: repository.settings.id, machine: guest.name)
        var points: [RecoveryPoint] = []
        var least: [Int] = []
        for round in 0..<rounds {
            try await Task.sleep(for: .seconds(2))
            let source = CopyingSource(
                inner: LibvirtDomain(guest.name, on: connection, family: family, scratch: "/var/tmp"),
                copy: path("\(guest.name)-\(round).copy.raw"))
            least.append(try #require(guest.acknowledged))
            let outcome = try await Capture(of: source, as: guest.name, into: repository).run { _ in }
            #expect(outcome.warnings == [])
            #expect(outcome.point.consistency == .fileSystem)
            #expect(outcome.point.disks.map(\.tracking) == [round == 0 ? .full : .bitmap])
            points.append(outcome.point)
        }
        guest.end()
        var disks: [String] = []
        for (round, point) in points.enumerated() {
            let disk = path("\(guest.name)-\(round).qcow2")
            try await Restore(point, from: repository).run(to: [disk], as: .qcow2) { _ in }
            let copy = path("\(guest.name)-\(round).copy.raw")
            let compared = try Tools.run("/usr/bin/qemu-img", ["compare", "-f", "qcow2", "-F", "raw", disk, copy])
            #expect(compared.status == 0, "round \(round): \(compared.output)\(compared.errors)")
            try FileManager.default.removeItem(atPath: copy)
            disks.append(disk)
        }
        let found = try guest.check(disks, least: least)
        for (round, line) in found.enumerated() { #expect(line.hasPrefix("ok "), "round \(round): \(line)") }
        // The check can fail: the disk of one moment isn't that of a later one.
        let stale = try guest.check([disks[0]], least: [least[rounds - 1]])
        #expect(stale[0].hasPrefix("BAD "), "\(stale)")
    }

    // MARK: As a user

    private func capture(_ guest: WriterGuest, into store: String, _ more: String...) throws -> Tools.Result {
        try Tools.rehost(
            ["capture", "libvirt+\(guest.libvirt.uri)&domain=\(guest.name)", "--to", store, "--machine", "writer"]
                + more)
    }

    private static func isReading(_ process: Int32) -> Bool {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/var/tmp")) ?? []
        return folders.contains {
            $0.hasPrefix("rehost-backup-\(process)-")
                && FileManager.default.fileExists(atPath: "/var/tmp/\($0)/nbd")
        }
    }

    /// The commands, each a process of its own; and virtnbdbackup as a second opinion.
    @Test func whatGoesWrongCostsTimeAlone() throws {
        let libvirt = EmbeddedLibvirt("user")
        defer { libvirt.remove() }
        let guest = try WriterGuest(work.appendingPathComponent("user"), fileSystem: "ext4", libvirt: libvirt)
        defer { guest.end() }
        let store = path("user-store")
        let first = try capture(guest, into: store)
        try #require(first.status == 0, "\(first.errors)")
        #expect(first.output.contains("consistency file-system"), "\(first.output)")

        // Held still from outside, both programs see the same disk.
        #expect(try libvirt.virsh("suspend", guest.name).status == 0)
        let paused = try capture(guest, into: store)
        #expect(paused.status == 0 && paused.output.contains("consistency crash"), "\(paused.output)\(paused.errors)")
        let restored = path("restored.qcow2")
        #expect(try Tools.rehost(["restore", store, "writer", "--output", restored]).status == 0)
        let peer = try libvirt.virtnbdbackup(guest.name, into: work.appendingPathComponent("peer").path)
        // virtnbdrestore's server may still have it open.
        let compared = try Tools.run("/usr/bin/qemu-img", ["compare", "-U", restored, peer])
        #expect(compared.status == 0, "\(compared.output)\(compared.errors)")
        #expect(try libvirt.virsh("resume", guest.name).status == 0)

        // A capture is killed while it reads. The job that it leaves is ended by the next one, and its checkpoint goes.
        let slow = try Tools.start(
            [
                "capture", "libvirt+\(libvirt.uri)&domain=\(guest.name)", "--to", store, "--machine", "writer",
                "--bandwidth", "64K",
            ])
        // Its backup's socket is there while it reads.
        for _ in 0..<300 where !Self.isReading(slow.processIdentifier) { Thread.sleep(forTimeInterval: 0.1) }
        #expect(Self.isReading(slow.processIdentifier))
        kill(slow.processIdentifier, SIGKILL)
        slow.waitUntilExit()
        #expect(try libvirt.virsh("domjobinfo", guest.name).output.contains("Backup"))
        #expect(try libvirt.virsh("checkpoint-list", guest.name, "--name").output.split(separator: "\n").count == 2)
        let after = try capture(guest, into: store, "--format", "json")
        #expect(
            after.status == 0 && after.output.contains("\"tracking\" : \"bitmap\""), "\(after.output)\(after.errors)")
        #expect(try libvirt.virsh("checkpoint-list", guest.name, "--name").output.split(separator: "\n").count == 1)
        #expect(!(try libvirt.virsh("domjobinfo", guest.name).output.contains("Backup")))

        // A power cut at the host: the bitmap isn't to be believed, and all is compared.
        let least = try #require(guest.acknowledged)
        libvirt.kill(guest.name)
        try guest.start()
        let cut = try capture(guest, into: store)
        #expect(cut.status == 3 && cut.errors.contains("vda: what changed isn't known"), "\(cut.errors)")
        let again = try capture(guest, into: store)
        #expect(again.status == 0, "\(again.errors)")
        guest.end()
        Thread.sleep(forTimeInterval: 2)
        let off = try capture(guest, into: store)
        #expect(off.status == 0 && off.output.contains("consistency off"), "\(off.output)\(off.errors)")
        let last = path("last.qcow2")
        #expect(try Tools.rehost(["restore", store, "writer", "--output", last]).status == 0)
        #expect(try Tools.run("/usr/bin/qemu-img", ["compare", last, guest.disk]).status == 0)
        #expect(try guest.check([last], least: [least])[0].hasPrefix("ok "))
        let verified = try Tools.rehost(["verify", store, "--deep"])
        #expect(verified.status == 0, "\(verified.output)")
    }

    /// From a running machine to one that boots elsewhere: a command each.
    @Test func aRunningMachineIsCapturedConvertedAndBooted() throws {
        let libvirt = EmbeddedLibvirt("web")
        defer { libvirt.remove() }
        let disk = path("web01.qcow2")
        let built = try Tools.run("images/build-guest", [disk])
        try #require(built.status == 0, "\(built.errors)")
        try libvirt.prepare()
        let console = path("web01.console")
        let xml = """
            <domain type='qemu'><name>web01</name><memory unit='MiB'>1024</memory><vcpu>2</vcpu>
            <os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type>
            <firmware><feature enabled='no' name='secure-boot'/></firmware></os>
            <features><acpi/></features><cpu mode='maximum'/>
            <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
            <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
            <source file='\(disk)'/><target dev='sda' bus='sata'/></disk>
            <serial type='file'><source path='\(console)'/></serial><memballoon model='none'/></devices></domain>
            """
        try Data(xml.utf8).write(to: URL(fileURLWithPath: path("web01.xml")))
        #expect(try libvirt.virsh("define", path("web01.xml")).status == 0)
        let started = try libvirt.virsh("start", "web01")
        try #require(started.status == 0, "\(started.errors)")
        defer { libvirt.kill("web01") }
        func isUp() -> Bool {
            let text = (try? Data(contentsOf: URL(fileURLWithPath: console))).map {
                String(decoding: $0, as: UTF8.self)
            }
            return text?.contains("login:") == true
        }
        for _ in 0..<360 where !isUp() { Thread.sleep(forTimeInterval: 1) }
        #expect(isUp())

        let store = path("web-store")
        let captured = try Tools.rehost(
            ["capture", "libvirt+\(libvirt.uri)&domain=web01", "--to", store, "--machine", "web01"])
        try #require(captured.status == 0, "\(captured.errors)")
        libvirt.kill("web01")
        let converted = try Tools.rehost(["convert", "\(store)#web01", "--output", path("moved.qcow2")])
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")
        // What the domain was made of came along.
        #expect(try String(contentsOfFile: path("moved.qcow2.xml"), encoding: .utf8).contains("1024"))
        let booted = try Tools.rehost(["preflight", path("moved.qcow2")])
        #expect(booted.output.contains(": boots"), "\(booted.output)\(booted.errors)")
        let points = try Tools.rehost(["points", store, "web01"])
        #expect(points.output.contains("boots"), "\(points.output)")
    }

    /// Copies what the backup job shows, by another program, while the job is still there.
    private struct CopyingSource: CaptureSource {
        let inner: LibvirtDomain
        let copy: String

        func begin(since tokens: [String: String]) async throws -> any CaptureSession {
            Session(inner: try await inner.begin(since: tokens), copy: copy)
        }

        private struct Session: CaptureSession {
            let inner: any CaptureSession
            let copy: String
            var time: Date { inner.time }
            var consistency: RecoveryPoint.Consistency { inner.consistency }
            var disks: [SourceDisk] { inner.disks }
            var warnings: [String] { inner.warnings }
            var notes: [String] { inner.notes }
            func token(of disk: SourceDisk) -> String? { inner.token(of: disk) }
            func checkStillness() async throws {
                guard case .export(let uri) = inner.disks[0].place else { return }
                let copied = try Tools.run(
                    "/usr/bin/qemu-img", ["convert", "-f", "raw", "-O", "raw", uri, copy])
                #expect(copied.status == 0, "\(copied.errors)")
                try await inner.checkStillness()
            }
            func committed() async throws { try await inner.committed() }
            func end() async throws { try await inner.end() }
        }
    }
}
