import Guest
import GuestTesting
import Testing

@testable import Preflight

struct WitnessTests {
    private func plan(_ guest: MemoryGuest) throws -> [String] {
        var draft = Draft(over: guest, disks: guest)
        try Witness.lay(into: &draft)
        return try draft.plan().items.map { "\($0.change.kind) \($0.change)" }.map {
            String($0.prefix(200))
        }
    }

    private func paths(_ guest: MemoryGuest) throws -> String { try plan(guest).joined(separator: "\n") }

    @Test func systemdGetsAUnitThatEmergencyModeKeeps() throws {
        let guest = MemoryGuest(["/lib/systemd/systemd": "", "/etc/fstab": ""])
        guest.link("/sbin/init", to: "/lib/systemd/systemd")
        let text = try paths(guest)
        #expect(text.contains("rehost-witness.service"))
        #expect(text.contains("sysinit.target.wants"))
        #expect(text.contains("emergency.target.wants"))
    }

    @Test func othersAreStartedTheirOwnWay() throws {
        let upstart = MemoryGuest(["/sbin/init": "", "/etc/init/rc.conf": ""])
        #expect(try paths(upstart).contains("/etc/init/rehost-witness.conf"))
        let sysv = MemoryGuest(["/sbin/init": "", "/etc/inittab": ""])
        #expect(try paths(sysv).contains("rc3.d"))
        let openRC = MemoryGuest(["/sbin/init": "", "/sbin/openrc-run": ""])
        #expect(try paths(openRC).contains("/etc/runlevels/default"))
    }

    @Test func linesBecomeFacts() {
        var reader = WitnessReader()
        let lines = [
            "rehost-witness begin 8.20", "rehost-witness firmware bios", "rehost-witness root_device /dev/vda2",
            "rehost-witness root_driver virtio_blk", "rehost-witness root_serial rehost-disk1",
            "rehost-witness card ens3 virtio_net 52:54:00:12:34:56 up yes 10.0.2.15/24,fec0::1/64",
            "rehost-witness card ens4 e1000 52:54:00:12:34:57 down no ", "rehost-witness missing /srv",
            "rehost-witness tool open-vm-tools inactive masked", "rehost-witness clock 1060",
            "[   30.1] a kernel's line", "rehost-witness end 31.5", "rehost-witness host after-the-end",
        ]
        for line in lines { reader.read(line, now: 1000) }
        let facts = reader.facts
        #expect(facts.isComplete)
        #expect(facts.rootDisk == 1)
        #expect(facts.cards.map(\.isDynamic) == [true, false])
        #expect(facts.cards[0].addresses == ["10.0.2.15/24", "fec0::1/64"])
        #expect(facts.missingMounts == ["/srv"])
        #expect(facts.tools == ["open-vm-tools": "inactive, masked"])
        #expect(facts.clockOffset == 60)
        #expect(facts.upTime == 31.5)
        #expect(facts.hostName.isEmpty)
    }

    @Test func aHostileWitnessIsBounded() {
        var reader = WitnessReader()
        reader.read("rehost-witness begin 1", now: 0)
        for index in 0..<100_000 {
            reader.read("rehost-witness failed \(index)", now: 0)
            reader.read("rehost-witness tool t\(index) active", now: 0)
        }
        reader.read("rehost-witness root_serial rehost-disk99999999999999999999", now: 0)
        reader.read("rehost-witness clock nan", now: 0)
        reader.read("rehost-witness end inf", now: 0)
        #expect(reader.facts.failedUnits.count <= 64)
        #expect(reader.facts.tools.count <= 64)
        #expect(reader.facts.rootDisk == nil)
        #expect(reader.facts.clockOffset == nil)
        #expect(reader.facts.upTime.isFinite)
    }

    @Test(.enabled(if: HostTool("sh").isInstalled), arguments: ["sh", "dash", "bash"])
    func theScriptIsValidShell(_ shell: String) throws {
        let tool = HostTool(shell)
        guard tool.isInstalled else { return }
        #expect(try tool.run(["-n"], input: Array(WitnessScript.text.utf8)).text == "")
    }
}
