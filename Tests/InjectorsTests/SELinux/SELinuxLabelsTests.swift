import Guest
import GuestTesting
import Testing

@testable import Injectors

struct SELinuxLabelsTests {
    private static let policy = """
        /.*\tsystem_u:object_r:default_t:s0
        /etc/.*\tsystem_u:object_r:etc_t:s0
        /etc/systemd/system(/.*)?\tsystem_u:object_r:systemd_unit_file_t:s0
        /boot/.*\tsystem_u:object_r:boot_t:s0
        """

    private func guest(_ mode: String = "enforcing", policy: String? = Self.policy) -> MemoryGuest {
        let guest = MemoryGuest([
            "/etc/selinux/config": "# SELINUX=disabled\nSELINUX=\(mode)\nSELINUXTYPE=targeted\n", "/etc/fstab": "old",
        ])
        if let policy { guest.put("/etc/selinux/targeted/contexts/files/file_contexts", policy) }
        return guest
    }

    private func plan(
        _ guest: MemoryGuest, _ inspection: Inspection = .sample(), _ change: (inout Draft) throws -> Void
    ) throws -> Plan {
        var draft = Draft(over: guest, disks: guest)
        draft.injector = "other"
        try change(&draft)
        draft.injector = "selinux-labels"
        try SELinuxLabels().inject(into: &draft, guest: inspection)
        return try draft.plan()
    }

    @Test func whatIsNewIsLabelledAndWhatIsReplacedIsNot() throws {
        let plan = try plan(guest()) { draft in
            try draft.write("/etc/fstab", text: "new")
            try draft.write("/etc/udev/x.rules", text: "x")
            try draft.symlink("/etc/systemd/system/a.service", to: "/dev/null")
        }
        #expect(
            plan.labels == [
                "/etc/udev": "system_u:object_r:etc_t:s0", "/etc/udev/x.rules": "system_u:object_r:etc_t:s0",
                "/etc/systemd": "system_u:object_r:etc_t:s0",
                "/etc/systemd/system": "system_u:object_r:systemd_unit_file_t:s0",
                "/etc/systemd/system/a.service": "system_u:object_r:systemd_unit_file_t:s0",
            ])
        #expect(plan.findings.isEmpty)
    }

    @Test(arguments: ["disabled", "Disabled", "nonsense"]) func withoutSELinuxNothingHappens(mode: String) throws {
        let plan = try plan(guest(mode)) { try $0.write("/etc/new", text: "x") }
        #expect(plan.labels.isEmpty && plan.findings.isEmpty && plan.items.count == 1)
    }

    @Test func withoutAPolicyTheGuestLabelsAtItsFirstStart() throws {
        for policy in [nil, "", "# nothing\n", "/opt/.*\ts:o:t:s0\n"] {
            let guest = guest("permissive", policy: policy)
            let plan = try plan(guest) { try $0.write("/etc/new", text: "x") }
            #expect(plan.items.map(\.change).contains(.write("/.autorelabel", [], permissions: 0o644)))
            #expect(plan.warnings.count == 1)
            try guest.apply(plan) { _ in }
            #expect(try self.plan(guest) { try $0.write("/etc/new", text: "x") }.isEmpty)
        }
    }

    @Test func nothingNewNeedsNothing() throws {
        #expect(try plan(guest(policy: nil)) { try $0.write("/etc/fstab", text: "new") }.warnings.isEmpty)
    }

    @Test func whatACommandMakesIsLabelledOnceItIsThere() throws {
        let kernel = SampleKernel().kernel
        let plan = try plan(guest(), .sample(kernels: [kernel])) { draft in
            draft.run(GuestCommand(["/usr/bin/rpm"], reason: "install", makes: ["/etc/qemu-ga.conf"]))
        }
        #expect(plan.labels[SampleKernel().initramfs] == "system_u:object_r:boot_t:s0")
        #expect(plan.labels["/etc/qemu-ga.conf"] == "system_u:object_r:etc_t:s0")
    }

    @Test(arguments: ["../../etc", "a/b", ".."]) func aPolicyNameCannotLeadElsewhere(type: String) throws {
        let guest = guest()
        guest.put("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=\(type)\n")
        #expect(try plan(guest) { try $0.write("/etc/new", text: "x") }.labels.isEmpty)
    }
}
