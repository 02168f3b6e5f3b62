/// What starts a guest's services.
public enum InitSystem: Sendable {
    case systemd
    case upstart
    /// Links in /etc/runlevels, whoever is process 1: busybox or sysvinit.
    case openrc
    /// Links in rcN.d, whoever reads them.
    case sysv

    /// Upstart's own; Debian's packages brought jobs for it to systems that never had it.
    private static let upstartJobs: [GuestPath] = ["/etc/init/rc.conf", "/etc/init/rc-sysinit.conf"]

    public init(of files: some GuestFiles) throws {
        // Ubuntu 14.04 has parts of systemd without starting it: what /sbin/init is counts.
        let program = try files.resolve("/sbin/init")
        if program.name == "systemd" {
            self = .systemd
        } else if try program.name == "upstart" || Self.upstartJobs.contains(where: { try files.exists($0) }) {
            self = .upstart
        } else if try ["/sbin/openrc-run", "/usr/bin/openrc-run"].contains(where: { try files.exists($0) }) {
            self = .openrc
        } else if try ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].contains(where: { try files.exists($0) }),
            try !files.exists(program)
        {
            self = .systemd
        } else {
            self = .sysv
        }
    }
}
