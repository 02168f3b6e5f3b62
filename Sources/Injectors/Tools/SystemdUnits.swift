import Guest

/// The systemd units of a guest, and how to keep them from starting: masked, so that nothing can pull them in.
struct SystemdUnits {
    static let administrator: GuestPath = "/etc/systemd/system"
    /// Where unit files are, the strongest first (systemd.unit(5)).
    private static let folders: [GuestPath] = [
        administrator, "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    ]

    /// Each unit file's name, and the folder that it is in.
    private var places: [String: GuestPath] = [:]
    /// The links that enable a unit: "multi-user.target.wants/vgauth.service".
    private var wants: [String: [String]] = [:]

    init(of files: some GuestFiles) throws {
        for folder in Self.folders {
            for unit in try files.list(folder) where places[unit] == nil { places[unit] = folder }
        }
        for folder in try files.list(Self.administrator)
        where folder.hasSuffix(".wants") || folder.hasSuffix(".requires") {
            for unit in try files.list(Self.administrator.appending(folder)) {
                wants[unit, default: []].append("\(folder)/\(unit)")
            }
        }
    }

    var names: [String] { places.keys.sorted() }

    /// Names that the administrator's folder links to one of these units.
    func aliases(of units: Set<String>, in files: some GuestFiles) throws -> [String] {
        try names.filter { name in
            guard places[name] == Self.administrator, !units.contains(name),
                case .symlink(let target) = try files.kept(Self.administrator.appending(name))?.kind
            else { return false }
            return units.contains(GuestPath(target).name)
        }
    }

    /// Masks a unit, whether there is a file for it or it would be generated from an init script.
    ///
    /// A unit file of that name in the administrator's folder is kept beside the mask, under a name that is no unit's.
    func mask(_ unit: String, in draft: inout Draft) throws {
        let path = Self.administrator.appending(unit)
        var values = ["enabled-by": wants[unit] ?? []]
        switch try draft.kept(path)?.kind {
        case nil:
            if let folder = places[unit], try isMask(folder.appending(unit), draft) { return }
        case .symlink(let target):
            if target == "/dev/null" { return }
            values["link-to"] = [target]
        case .file:
            // An empty file is a mask, too (systemctl(1)).
            guard let bytes = try draft.read(path), !bytes.isEmpty else { return }
            let copy = try freePath(for: bytes, beside: path, draft)
            try draft.write(copy, bytes, permissions: draft.status(path)?.permissions)
            values["kept-as"] = [copy.description]
        case .directory, .special:
            draft.warn("'\(path)' is not a file; the unit stays as it is and may start")
            return
        }
        draft.record("enabled-service", of: unit, in: path, values)
        try draft.symlink(path, to: "/dev/null")
    }

    private func isMask(_ path: GuestPath, _ files: some GuestFiles) throws -> Bool {
        guard case .symlink(let target) = try files.kept(path)?.kind else { return false }
        return target == "/dev/null"
    }

    private func freePath(for bytes: [UInt8], beside path: GuestPath, _ files: some GuestFiles) throws -> GuestPath {
        var copy = path.parent.appending("\(path.name).before-rehost")
        var count = 1
        while let other = try files.kept(copy) {
            if try other.kind == .file && files.read(copy) == bytes { break }
            count += 1
            copy = path.parent.appending("\(path.name).before-rehost-\(count)")
        }
        return copy
    }
}

extension GuestFiles {
    /// What is at a path; a symlink there is not followed.
    func kept(_ path: GuestPath) throws -> FileEntry? { try entry(at: resolve(path, last: .keep)) }
}
