import Guest
import GuestTesting
import Testing

struct InitSystemTests {
    private func system(_ files: [GuestPath: String], init target: String? = nil) throws -> InitSystem {
        let guest = MemoryGuest(files)
        if let target { guest.link("/sbin/init", to: target) }
        return try InitSystem(of: guest)
    }

    @Test func whatInitIs() throws {
        #expect(try system(["/lib/systemd/systemd": ""], init: "/lib/systemd/systemd") == .systemd)
        #expect(try system(["/usr/lib/systemd/systemd": ""]) == .systemd)
        #expect(try system(["/sbin/init": "ELF", "/etc/init/rc.conf": "", "/lib/systemd/systemd": ""]) == .upstart)
        #expect(try system(["/sbin/upstart": "ELF"], init: "upstart") == .upstart)
        #expect(try system(["/sbin/init": "ELF", "/etc/inittab": ""]) == .sysv)
    }

    @Test func openRC() throws {
        let alpine: [GuestPath: String] = ["/bin/busybox": "ELF", "/sbin/openrc-run": "ELF", "/etc/inittab": ""]
        #expect(try system(alpine, init: "/bin/busybox") == .openrc)
        #expect(
            try system(["/sbin/openrc-run": "", "/lib/systemd/systemd": ""], init: "/lib/systemd/systemd") == .systemd)
    }

    @Test func jobsOfPackagesDoNotMakeAnUpstart() throws {
        // Debian 7 and 8: packages brought jobs for an Upstart that wasn't there.
        #expect(try system(["/sbin/init": "ELF", "/etc/init/ssh.conf": "", "/etc/init/udev.conf": ""]) == .sysv)
    }
}
