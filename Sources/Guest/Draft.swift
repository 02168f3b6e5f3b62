/// Planned changes laid over a read-only guest. Reads through the draft see them; the guest stays untouched.
///
/// What comes out of ``plan()`` is the net effect: a file that is written with the bytes it has already doesn't appear.
public struct Draft: GuestFiles {
    private enum Node {
        case file([UInt8], permissions: UInt16)
        case appended([UInt8], offset: UInt64)
        case directory(permissions: UInt16)
        case symlink(target: String)
        case removed
    }

    private let base: any GuestFiles
    private let disks: any GuestSectors
    var registry: RegistryDraft
    private var nodes: [GuestPath: Node] = [:]
    private var origins: [GuestPath: String] = [:]
    private var edits: [(injector: String, edit: SectorEdit, before: [UInt8])] = []
    private var commands: [(injector: String, command: GuestCommand)] = []
    private var labels: [GuestPath: String] = [:]
    private var attributes: [GuestPath: UInt32] = [:]
    public private(set) var findings: [Finding] = []
    public private(set) var formerSettings: [FormerSetting] = []
    /// In the order in which they were asked for.
    public private(set) var firstBootSteps: [FirstBootStep] = []

    /// Who is at work: set by the pipeline, shown with each change and finding.
    public var injector = "plan"

    /// - Parameter registry: of a Windows guest.
    public init(over base: any GuestFiles, disks: any GuestSectors, registry: any GuestRegistry = NoRegistry()) {
        self.base = base
        self.disks = disks
        self.registry = RegistryDraft(over: registry)
    }

    // MARK: Reading

    public var caseSensitivity: CaseSensitivity { base.caseSensitivity }

    public func entry(at path: GuestPath) throws -> FileEntry? {
        switch nodes[path] {
        case .file(let bytes, let permissions):
            let old = try base.entry(at: path)
            return FileEntry(
                kind: .file, permissions: permissions, owner: old?.owner ?? 0, group: old?.group ?? 0,
                size: UInt64(bytes.count))
        case .appended(let bytes, let offset):
            var entry = try base.entry(at: path)
            entry?.size = offset + UInt64(bytes.count)
            return entry
        case .directory(let permissions): return FileEntry(kind: .directory, permissions: permissions)
        case .symlink(let target): return FileEntry(kind: .symlink(target: target), permissions: 0o777)
        case .removed: return nil
        case nil: return try base.entry(at: path)
        }
    }

    public func contents(ofFile path: GuestPath) throws -> [UInt8] {
        switch nodes[path] {
        case .file(let bytes, _): return bytes
        case .appended(let bytes, let offset):
            var all = try base.contents(ofFile: path)
            if UInt64(all.count) < offset { all += [UInt8](repeating: 0, count: Int(offset) - all.count) }
            return all + bytes
        case nil: return try base.contents(ofFile: path)
        case .removed, .directory, .symlink: throw GuestPathError(path: path, reason: "it is not a file")
        }
    }

    public func start(ofFile path: GuestPath, count: Int) throws -> [UInt8]? {
        if nodes[path] == nil { return try base.start(ofFile: path, count: count) }
        guard try entry(at: path)?.kind == .file else { return nil }
        return try Array(contents(ofFile: path).prefix(count))
    }

    public func names(inDirectory path: GuestPath) throws -> [String] {
        let isNew = if case .directory = nodes[path] { true } else { false }
        var names = isNew ? [] : Set(try base.names(inDirectory: path))
        for (changed, node) in nodes where !changed.isRoot && changed.parent == path {
            if case .removed = node { names.remove(changed.name) } else { names.insert(changed.name) }
        }
        return Array(names)
    }

    public func sectors(disk: Int, first: UInt64, count: Int) throws -> [UInt8] {
        let size = SectorEdit.sectorSize
        var bytes = try disks.sectors(disk: disk, first: first, count: count)
        for (_, edit, _) in edits where edit.disk == disk {
            let low = max(first, edit.firstSector)
            let high = min(first + UInt64(count), edit.firstSector + edit.sectorCount)
            guard low < high else { continue }
            let from = Int(low - edit.firstSector) * size
            let to = Int(low - first) * size
            let length = Int(high - low) * size
            bytes.replaceSubrange(to..<to + length, with: edit.bytes[from..<from + length])
        }
        return bytes
    }

    // MARK: Changing

    /// A file's new content. A symlink in the way is followed, as an editor would. New folders are made as needed.
    /// - Parameter permissions: nil keeps those of the file that is replaced; a new file gets 0644.
    public mutating func write(_ path: GuestPath, _ bytes: [UInt8], permissions: UInt16? = nil) throws {
        let real = try resolve(path)
        let old = try entry(at: real)
        if let old, old.kind != .file { throw GuestPathError(path: real, reason: "it is not a regular file") }
        try makeParents(of: real)
        set(real, .file(bytes, permissions: permissions ?? old?.permissions ?? 0o644))
    }

    /// The same for text, in the encoding that the file has.
    public mutating func write(_ path: GuestPath, text: String, permissions: UInt16? = nil) throws {
        let old = try read(path)
        try write(path, GuestText.encode(text, like: old), permissions: permissions)
    }

    /// Bytes behind a file that stays as it is, from the next multiple of `alignment` on.
    public mutating func append(_ path: GuestPath, _ bytes: [UInt8], alignment: UInt64 = 1) throws {
        let real = try resolve(path)
        guard let old = try entry(at: real), old.kind == .file else {
            throw GuestPathError(path: path, reason: "no such file")
        }
        if nodes[real] != nil {
            var all = try contents(ofFile: real)
            all += [UInt8](repeating: 0, count: (Int(alignment) - all.count % Int(alignment)) % Int(alignment)) + bytes
            set(real, .file(all, permissions: old.permissions))
        } else {
            set(real, .appended(bytes, offset: (old.size + alignment - 1) / alignment * alignment))
        }
    }

    /// A symlink, in place of whatever file or symlink has the name.
    public mutating func symlink(_ path: GuestPath, to target: String) throws {
        let real = try resolve(path, last: .keep)
        if let old = try entry(at: real), old.kind == .directory {
            throw GuestPathError(path: real, reason: "it is a directory")
        }
        try makeParents(of: real)
        set(real, .symlink(target: target))
    }

    /// Removes a file or symlink; nothing happens where there is none.
    public mutating func remove(_ path: GuestPath) throws {
        let real = try resolve(path, last: .keep)
        guard let old = try entry(at: real) else { return }
        guard old.kind != .directory else { throw GuestPathError(path: real, reason: "it is a directory") }
        set(real, .removed)
    }

    public mutating func makeDirectory(_ path: GuestPath, permissions: UInt16 = 0o755) throws {
        let real = try resolve(path)
        if let old = try entry(at: real) {
            guard old.kind == .directory else { throw GuestPathError(path: real, reason: "it is not a directory") }
            return
        }
        guard !real.isRoot else { return }
        try makeParents(of: real)
        set(real, .directory(permissions: permissions))
    }

    /// New content for whole sectors; none where they hold it already.
    public mutating func write(sectors edit: SectorEdit) throws {
        let before = try sectors(disk: edit.disk, first: edit.firstSector, count: Int(edit.sectorCount))
        guard before != edit.bytes else { return }
        edits.append((injector, edit, before))
    }

    public mutating func run(_ command: GuestCommand) {
        guard !commands.contains(where: { $0.command == command }) else { return }
        commands.append((injector, command))
    }

    /// Leaves something to the guest's first start.
    public mutating func atFirstBoot(_ step: FirstBootStep) {
        if !firstBootSteps.contains(step) { firstBootSteps.append(step) }
    }

    // MARK: Saying

    public mutating func note(_ message: String, hint: String? = nil) { say(.note, message, hint) }

    /// The message ends in what happens anyway.
    public mutating func warn(_ message: String, hint: String? = nil) { say(.warning, message, hint) }

    /// Nothing of the plan will be applied.
    public mutating func block(_ message: String, hint: String) { say(.blocker, message, hint) }

    /// Keeps what a change takes away.
    public mutating func record(_ kind: String, of subject: String, in file: GuestPath, _ values: [String: [String]]) {
        let setting = FormerSetting(kind: kind, injector: injector, subject: subject, file: file, values: values)
        if !formerSettings.contains(setting) { formerSettings.append(setting) }
    }

    private mutating func say(_ level: Finding.Level, _ message: String, _ hint: String?) {
        let finding = Finding(level: level, injector: injector, message: message, hint: hint)
        if !findings.contains(finding) { findings.append(finding) }
    }

    private mutating func set(_ path: GuestPath, _ node: Node) {
        nodes[path] = node
        origins[path] = injector
    }

    private mutating func makeParents(of path: GuestPath) throws {
        if !path.parent.isRoot { try makeDirectory(path.parent) }
    }

    /// Whether anything is planned for the file that the path leads to.
    public func isChanged(_ path: GuestPath) throws -> Bool { try nodes[resolve(path)] != nil }

    /// The SELinux context of a file that is new, or that a command makes.
    public mutating func label(_ path: GuestPath, _ context: String) { labels[path] = context }

    /// The attributes of a file or folder of NTFS, as Windows numbers them: 2 hidden, 4 system.
    public mutating func attributes(_ path: GuestPath, _ attributes: UInt32) throws {
        self.attributes[try resolve(path, last: .keep)] = attributes
    }

    /// Whether something is planned for a file, or for what is in a folder.
    public func hasChanges(inside folder: GuestPath) -> Bool { nodes.keys.contains { $0.isInside(folder) } }

    // MARK: The plan

    /// The net effect of everything that was planned, against the guest as it is.
    public func plan() throws -> Plan {
        var items: [Plan.Item] = []
        for path in nodes.keys.sorted() {
            guard let node = nodes[path], let item = try item(path, node) else { continue }
            items.append(item)
        }
        items += try registry.items()
        for (injector, command) in commands {
            items.append(Plan.Item(injector: injector, change: .run(command), before: .nothing))
        }
        for (injector, edit, before) in edits {
            items.append(Plan.Item(injector: injector, change: .disk(edit), before: .sectors(before)))
        }
        var plan = Plan(items: items, findings: findings, formerSettings: formerSettings)
        plan.labels = labels
        plan.attributes = attributes
        return plan
    }

    private func item(_ path: GuestPath, _ node: Node) throws -> Plan.Item? {
        let old = try base.entry(at: path)
        let before: Plan.Before =
            switch old?.kind {
            case .symlink(let target): .symlink(target: target)
            case .file:
                if case .appended = node {
                    .fileOfLength(old?.size ?? 0)
                } else {
                    .file(try base.contents(ofFile: path), permissions: old?.permissions ?? 0o644)
                }
            default: .nothing
            }
        let change: Change
        switch node {
        case .file(let bytes, let permissions):
            if before == .file(bytes, permissions: permissions) { return nil }
            change = .write(path, bytes, permissions: permissions)
        case .appended(let bytes, let offset): change = .append(path, bytes, offset: offset)
        case .directory(let permissions):
            if old?.kind == .directory { return nil }
            change = .directory(path, permissions: permissions)
        case .symlink(let target):
            if before == .symlink(target: target) { return nil }
            change = .symlink(path, target: target)
        case .removed:
            if old == nil { return nil }
            change = .remove(path)
        }
        return Plan.Item(injector: origins[path] ?? injector, change: change, before: before)
    }
}
