import Guest

/// Keeps services from starting, whatever starts them: masked by systemd, stopped in the init scripts' links, made
/// manual for Upstart, taken from OpenRC's runlevels. Nothing is removed but links, and those are recorded.
struct Services {
    /// Names of init scripts and jobs; with ".service" behind them, of units.
    var names: Set<String>
    /// Other units: mounts, paths, timers.
    var units: Set<String> = []
    /// Names that change from version to version.
    var isAlso: @Sendable (String) -> Bool = { _ in false }

    func disable(in draft: inout Draft) throws {
        let scripts = try draft.list("/etc/init.d").filter(isWanted)
        switch try InitSystem(of: draft) {
        case .systemd: try mask(scripts, &draft)
        case .upstart:
            let jobs = try draft.files(in: "/etc/init", suffix: ".conf").map { String($0.name.dropLast(5)) }
            for job in jobs where isWanted(job) { try InitScripts.disable(job: job, in: &draft) }
            for script in scripts { try InitScripts.disable(script, in: &draft) }
        case .openrc: try leaveRunlevels(&draft)
        case .sysv:
            for script in scripts { try InitScripts.disable(script, in: &draft) }
        }
    }

    private func isWanted(_ name: String) -> Bool { names.contains(name) || isAlso(name) }

    private func mask(_ scripts: [String], _ draft: inout Draft) throws {
        let all = try SystemdUnits(of: draft)
        var found = Set(
            all.names.filter { unit in
                units.contains(unit) || unit.hasSuffix(".service") && isWanted(String(unit.dropLast(8)))
            })
        // systemd makes units from init scripts.
        found.formUnion(scripts.map { "\($0).service" })
        found.formUnion(try all.aliases(of: found, in: draft))
        for unit in found.sorted() { try all.mask(unit, in: &draft) }
    }

    /// OpenRC starts what its runlevels have links to (`rc-update del` takes them away).
    private func leaveRunlevels(_ draft: inout Draft) throws {
        let runlevels: GuestPath = "/etc/runlevels"
        for runlevel in try draft.list(runlevels) {
            let folder = runlevels.appending(runlevel)
            for name in try draft.list(folder) where isWanted(name) {
                let path = folder.appending(name)
                guard case .symlink(let target) = try draft.kept(path)?.kind else { continue }
                draft.record("enabled-service", of: name, in: path, ["link-to": [target]])
                try draft.remove(path)
            }
        }
    }
}

/// Entries of a desktop's autostart folder.
enum Autostart {
    /// `Hidden=true` is how a desktop entry says that it is as good as deleted (Desktop Entry Specification).
    static func hide(_ path: GuestPath, _ draft: inout Draft) throws {
        guard let bytes = try draft.editableBytes(path, limit: 64 << 10) else { return }
        var file = ByteLines(bytes)
        guard let start = file.lines.firstIndex(where: { $0.starts(with: "[Desktop Entry]".utf8) }) else { return }
        let end = file.lines[(start + 1)...].firstIndex { $0.first == UInt8(ascii: "[") } ?? file.lines.count
        let now = Array("Hidden=true".utf8)
        if let line = (start + 1..<end).first(where: { file.lines[$0].starts(with: "Hidden=".utf8) }) {
            guard !file.text(line).hasSuffix("true") else { return }
            draft.record("enabled-service", of: path.name, in: path, ["was": [file.text(line)]])
            file.lines[line] = now
        } else {
            draft.record("enabled-service", of: path.name, in: path, [:])
            file.lines.insert(now, at: start + 1)
        }
        try draft.write(path, file.bytes)
    }
}

/// Folders that a hypervisor shares with its guests: mounting them fails elsewhere, and fstab's failures stop the boot.
enum SharedFolders {
    /// - Parameter host: "the VMware host", for the reader.
    static func commentOut(of host: String, in draft: inout Draft, where isShared: (FieldLine) -> Bool) throws {
        let path: GuestPath = "/etc/fstab"
        guard let bytes = try draft.editableBytes(path, limit: DeviceNames.tableLimit) else { return }
        var file = ByteLines(bytes)
        var was: [String] = []
        for index in file.lines.indices {
            guard let line = FieldLine(file.lines[index]), line.count >= 3, isShared(line) else { continue }
            was.append(file.text(index))
            file.lines[index] = Array("# ".utf8) + file.lines[index]
        }
        guard !was.isEmpty else { return }
        draft.record("fstab-line", of: "shared folders of \(host)", in: path, ["was": was])
        draft.warn("'\(path)' mounts what only \(host) has; those lines become comments, and nothing is mounted there")
        try draft.write(path, file.bytes)
    }
}

/// Modules that are loaded at each boot because a file says so. One that finds its hypervisor gone fails, and
/// systemd-modules-load with it.
enum ForcedModules {
    static let administrator: GuestPath = "/etc/modules-load.d"
    /// Where packages put them: hidden by a file of the same name in the administrator's folder (modules-load.d(5)).
    private static let vendors: [GuestPath] = ["/usr/lib/modules-load.d", "/lib/modules-load.d"]

    static func drop(_ isStale: (String) -> Bool, in draft: inout Draft) throws {
        for path in try ["/etc/modules"] + draft.files(in: administrator, suffix: ".conf") {
            try commentOut(path, isStale, in: &draft)
        }
        var seen: Set<String> = []
        for vendor in vendors {
            for path in try draft.files(in: vendor, suffix: ".conf") where seen.insert(path.name).inserted {
                let own = administrator.appending(path.name)
                guard try draft.kept(own) == nil, let bytes = try draft.editableBytes(path, limit: 64 << 10) else {
                    continue
                }
                let names = modules(ByteLines(bytes))
                guard !names.isEmpty, names.contains(where: isStale) else { continue }
                let kept = names.filter { !isStale($0) }
                draft.record("loaded-module", of: names.filter(isStale).joined(separator: ", "), in: path, [:])
                if kept.isEmpty {
                    try draft.symlink(own, to: "/dev/null")
                } else {
                    try draft.write(own, text: kept.map { $0 + "\n" }.joined())
                }
            }
        }
    }

    private static func modules(_ file: ByteLines) -> [String] {
        file.lines.compactMap { line in FieldLine(line)?.text(0) }.filter { !$0.hasPrefix(";") }
    }

    private static func commentOut(_ path: GuestPath, _ isStale: (String) -> Bool, in draft: inout Draft) throws {
        guard let bytes = try draft.editableBytes(path, limit: 64 << 10) else { return }
        var file = ByteLines(bytes)
        var was: [String] = []
        for index in file.lines.indices {
            guard let name = FieldLine(file.lines[index])?.text(0), isStale(name) else { continue }
            was.append(file.text(index))
            file.lines[index] = Array("# ".utf8) + file.lines[index]
        }
        guard !was.isEmpty else { return }
        draft.record("loaded-module", of: was.joined(separator: ", "), in: path, ["was": was])
        try draft.write(path, file.bytes)
    }
}
