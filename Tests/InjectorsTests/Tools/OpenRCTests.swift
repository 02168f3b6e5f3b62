import Guest
import GuestTesting
import Injectors
import Testing

struct OpenRCTests {
    @Test func toolsAreTakenOutOfTheirRunlevels() throws {
        let guest = MemoryGuest([
            "/bin/busybox": "", "/sbin/openrc-run": "", "/etc/init.d/open-vm-tools": "#!/sbin/openrc-run\n",
            "/etc/init.d/sshd": "",
        ])
        guest.link("/sbin/init", to: "/bin/busybox")
        for name in ["open-vm-tools", "sshd"] {
            guest.link("/etc/runlevels/default/\(name)", to: "/etc/init.d/\(name)")
        }
        let plan = try VMwareTools().plan(guest, .sample())
        #expect(plan.items.map(\.change) == [.remove("/etc/runlevels/default/open-vm-tools")])
        #expect(plan.formerSettings.map(\.values) == [["link-to": ["/etc/init.d/open-vm-tools"]]])
        try guest.apply(plan) { _ in }
        #expect(try VMwareTools().plan(guest, .sample()) == Plan())
    }
}
