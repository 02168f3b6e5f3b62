import Guest
import GuestTesting
import Testing

@testable import Converter

struct SpaceTests {
    private func findings(
        root: UInt64 = 1 << 30, boot: UInt64? = nil, inodes: UInt64? = 1000, _ changes: [Change]
    ) -> [Finding] {
        var mounts = [Mount(path: "/", device: "/dev/sda2", type: "ext4", free: root, freeInodes: inodes)]
        if let boot { mounts.append(Mount(path: "/boot", device: "/dev/sda1", type: "ext4", free: boot)) }
        mounts.append(Mount(path: "/var", device: "/dev/sda3", type: "xfs", free: 10))
        return Space.findings(
            for: Plan(items: changes.map { Plan.Item(injector: "x", change: $0, before: .nothing) }),
            guest: sampleInspection(mounts: mounts))
    }

    private let small = Change.write("/etc/x", [1], permissions: 0o644)

    @Test func enough() {
        #expect(findings([small]) == [])
        #expect(findings(root: 100 << 20, boot: 50 << 20, inodes: 100, [small]) == [])
        // A file system that nothing is written to may be as full as it likes.
        #expect(findings([.remove("/var/x")]) == [])
    }

    @Test func theRootIsTooFull() {
        let found = findings(root: (100 << 20) - 1, [small])
        #expect(found.map(\.level) == [.blocker])
        #expect(found[0].message == "'/' of the guest (/dev/sda2) has 99 MiB free; 100 MiB are needed")
        #expect(found[0].hint?.isEmpty == false)
    }

    @Test func bootIsTooFull() {
        #expect(findings(boot: 49 << 20, [small]).count == 1)
        let graft = Change.append("/boot/initrd", [UInt8](repeating: 0, count: 60 << 20), offset: 0)
        let found = findings(boot: 55 << 20, [graft])
        #expect(found.count == 1 && found[0].message.contains("'/boot'"))
        // What goes to /boot isn't asked of the root.
        #expect(findings(root: 100 << 20, boot: 100 << 20, [graft]) == [])
        #expect(findings(root: 59 << 20, [graft]).count == 1)
    }

    @Test func inodes() {
        let found = findings(inodes: 99, [small])
        #expect(found.count == 1 && found[0].message.contains("99 inodes"))
        #expect(findings(inodes: nil, [small]) == [])
        let many = (0..<200).map { Change.write("/etc/\($0)", [], permissions: 0o644) }
        #expect(findings(inodes: 199, many).count == 1)
        #expect(findings(inodes: 200, many) == [])
    }

    @Test func aSmallVarThatIsWrittenTo() {
        #expect(findings([.write("/var/x", [1], permissions: 0o644)]).count == 1)
    }
}
