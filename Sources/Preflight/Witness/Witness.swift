public import Guest

/// A witness for the boot test: a script and what starts it, laid into an overlay that is thrown away.
public enum Witness {
    private static let script: GuestPath = "/etc/rehost/witness"

    /// Lays it into a guest by the ways of its init system.
    public static func lay(into draft: inout Draft) throws {
        draft.injector = "witness"
        try draft.write(script, text: WitnessScript.text, permissions: 0o755)
        switch try InitSystem(of: draft) {
        case .systemd:
            try lay("rehost-witness", "early", order: "", wantedBy: ["sysinit"], &draft)
            // Emergency mode, started by a kernel parameter, pulls nothing else in.
            try lay(
                "rehost-witness-report", "report", order: "After=multi-user.target",
                wantedBy: ["multi-user", "rescue", "emergency"], &draft)
        case .upstart: try draft.write("/etc/init/rehost-witness.conf", text: job, permissions: 0o644)
        case .openrc:
            try draft.write("/etc/init.d/rehost-witness", text: openRC, permissions: 0o755)
            try draft.symlink("/etc/runlevels/default/rehost-witness", to: "/etc/init.d/rehost-witness")
        case .sysv:
            try draft.write("/etc/init.d/rehost-witness", text: initScript, permissions: 0o755)
            let folder: GuestPath = try draft.exists("/etc/rc.d/rc3.d") ? "/etc/rc.d" : "/etc"
            for level in 2...5 {
                try draft.symlink(
                    GuestPath("\(folder)/rc\(level).d/S99rehost-witness"), to: "../init.d/rehost-witness")
            }
        }
    }

    /// Beside everything, and not ended by the change to emergency mode: a broken boot is reported, too.
    private static func lay(
        _ name: String, _ argument: String, order: String, wantedBy targets: [String], _ draft: inout Draft
    ) throws {
        let text = """
            [Unit]
            Description=Witness of the boot check
            DefaultDependencies=no
            IgnoreOnIsolate=yes
            \(order)

            [Service]
            Type=simple
            ExecStart=/bin/sh \(script) \(argument)
            StandardInput=null
            StandardOutput=null
            StandardError=null

            """
        let folder = "/etc/systemd/system"
        try draft.write(GuestPath("\(folder)/\(name).service"), text: text, permissions: 0o644)
        for target in targets {
            try draft.symlink(
                GuestPath("\(folder)/\(target).target.wants/\(name).service"), to: "\(folder)/\(name).service")
        }
    }

    private static let job = """
        description "witness of the boot check"
        start on stopped rc RUNLEVEL=[2345]
        exec /bin/sh \(script)

        """

    private static let initScript = """
        #!/bin/sh
        ### BEGIN INIT INFO
        # Provides:          rehost-witness
        # Required-Start:    $all
        # Required-Stop:
        # Default-Start:     2 3 4 5
        # Default-Stop:
        # Short-Description: witness of the boot check
        ### END INIT INFO
        [ "$1" = start ] && /bin/sh \(script) </dev/null >/dev/null 2>&1 &
        exit 0

        """

    private static let openRC = """
        #!/sbin/openrc-run
        description="witness of the boot check"
        depend() {
            after *
        }
        start() {
            /bin/sh \(script) </dev/null >/dev/null 2>&1 &
        }

        """
}
