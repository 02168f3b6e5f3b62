public import Guest

/// Has the QEMU guest agent start where it is installed, and installs it from a package where it isn't and one is given.
///
/// The guest's own package tool installs it, so that the guest's database of packages stays right. What is blocked in the
/// agent's own configuration stays blocked.
public struct GuestAgent: Injector {
    public let name = "guest-agent"
    private let package: AgentPackage?

    public init(package: AgentPackage? = nil) { self.package = package }

    /// Every Linux guest: whether there is something to do is told by its files.
    public func applies(to guest: Inspection) -> Bool { true }

    private static let programs: [GuestPath] = ["/usr/bin/qemu-ga", "/usr/sbin/qemu-ga"]
    /// Debian's name, and that of RHEL 6 and Alpine's older packages.
    private static let services = ["qemu-guest-agent", "qemu-ga"]

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard try Self.programs.contains(where: { try draft.exists($0) }) else {
            if let package { try install(package, guest, &draft) }
            return
        }
        if package != nil { draft.note("the QEMU guest agent is installed already; the package given isn't needed") }
        for service in Self.services {
            switch try InitSystem(of: draft) {
            case .systemd: try enable(unit: "\(service).service", &draft)
            // A job starts by itself; an override that says "manual" is its administrator's wish.
            case .upstart where try draft.exists("/etc/init/\(service).conf"): break
            default:
                guard try draft.exists("/etc/init.d/\(service)") else { continue }
                if try draft.status("/etc/runlevels/default")?.kind == .directory {
                    try enable(runlevelService: service, &draft)
                } else {
                    try InitScripts.enable(service, in: &draft)
                }
            }
        }
    }

    // MARK: Starting it

    /// A unit that says how it is enabled, and isn't, gets its link. One without such a say is started by udev.
    private func enable(unit: String, _ draft: inout Draft) throws {
        let own = SystemdUnits.administrator.appending(unit)
        if case .symlink("/dev/null") = try draft.kept(own)?.kind {
            draft.note("the QEMU guest agent is masked by '\(own)'; it stays so", hint: "systemctl unmask \(unit)")
            return
        }
        let places = [SystemdUnits.administrator, "/usr/lib/systemd/system", "/lib/systemd/system"]
        guard let folder = try places.first(where: { try draft.exists($0.appending(unit)) }),
            let bytes = try draft.editableBytes(folder.appending(unit), limit: 64 << 10)
        else { return }
        for target in Self.wantedBy(ByteLines(bytes)) {
            let link = SystemdUnits.administrator.appending("\(target).wants").appending(unit)
            let shipped = folder.appending("\(target).wants").appending(unit)
            guard try draft.kept(link) == nil, try draft.kept(shipped) == nil else { continue }
            try draft.symlink(link, to: folder.appending(unit).description)
        }
    }

    private static func wantedBy(_ file: ByteLines) -> [String] {
        var section = ""
        var targets: [String] = []
        for index in file.lines.indices.prefix(1000) {
            let line = file.text(index).drop { $0 == " " || $0 == "\t" }
            if line.hasPrefix("[") { section = String(line.prefix { $0 != "]" }) }
            guard section == "[Install", line.hasPrefix("WantedBy=") else { continue }
            targets += line.dropFirst("WantedBy=".count).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        return targets.filter { !$0.contains("/") && $0.utf8.count < 200 }
    }

    private func enable(runlevelService service: String, _ draft: inout Draft) throws {
        let runlevels: GuestPath = "/etc/runlevels"
        for runlevel in try draft.list(runlevels)
        where try draft.kept(runlevels.appending("\(runlevel)/\(service)")) != nil { return }
        try draft.symlink(runlevels.appending("default/\(service)"), to: "/etc/init.d/\(service)")
    }

    // MARK: Installing it

    private func install(_ package: AgentPackage, _ guest: Inspection, _ draft: inout Draft) throws {
        let otherwise = "; the guest has no QEMU guest agent, and all else is converted"
        guard package.format != .msi else {
            draft.warn(
                "the guest agent's package is one for Windows\(otherwise)",
                hint: "give the package of the guest's own distribution and architecture")
            return
        }
        guard package.suits(guest.architecture) else {
            draft.warn(
                "the guest agent's package is built for '\(package.architecture)', the guest for"
                    + " '\(guest.architecture)'\(otherwise)",
                hint: "give the package of the guest's own distribution and architecture")
            return
        }
        let tools: [GuestPath] =
            package.format == .rpm ? ["/usr/bin/rpm", "/bin/rpm"] : ["/usr/bin/dpkg"]
        let databases: [GuestPath] =
            package.format == .rpm
            ? ["/var/lib/rpm", "/usr/lib/sysimage/rpm"] : ["/var/lib/dpkg/status"]
        guard let tool = try tools.first(where: { try draft.exists($0) }),
            try databases.contains(where: { try draft.exists($0) })
        else {
            draft.warn(
                "the guest agent's package is in the format \(package.format.rawValue), which this guest doesn't"
                    + " use\(otherwise)", hint: "give the package of the guest's own distribution")
            return
        }
        let file: GuestPath = "/rehost-guest-agent.\(package.format.rawValue)"
        let input = GuestCommand.Input(path: file, bytes: package.bytes)
        switch package.format {
        case .msi: break
        case .rpm:
            draft.run(
                GuestCommand(
                    [tool.description, "--install", file.description], reason: "install the QEMU guest agent",
                    input: input, failure: .tolerated(putBack: []), makes: package.files))
        case .deb:
            let installed = DebianControl.installed(try draft.text("/var/lib/dpkg/status") ?? "")
            let missing = package.dependencies.filter { Set($0).isDisjoint(with: installed) }
            guard missing.isEmpty else {
                let names = missing.map { $0.joined(separator: " or ") }.joined(separator: ", ")
                draft.warn("the guest agent's package needs \(names), which the guest lacks\(otherwise)")
                return
            }
            draft.run(
                GuestCommand(
                    [
                        "/usr/bin/env", "DEBIAN_FRONTEND=noninteractive", tool.description, "--install",
                        file.description,
                    ],
                    reason: "install the QEMU guest agent", input: input,
                    failure: .tolerated(putBack: [
                        [tool.description, "--purge", "--force-remove-reinstreq", package.name]
                    ]), makes: package.files))
        }
    }
}
