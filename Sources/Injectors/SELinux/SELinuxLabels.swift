public import Guest

/// Gives what is new in a guest the SELinux contexts that its policy has for it. What is replaced keeps its own.
///
/// Where the policy can't be read, the guest labels all of its files at its first start.
public struct SELinuxLabels: Injector {
    public let name = "selinux-labels"

    public init() {}

    /// Every Linux guest: whether SELinux is in use is told by its files.
    public func applies(to guest: Inspection) -> Bool { true }

    private static let folder: GuestPath = "/etc/selinux"

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let type = try policyType(&draft) else { return }
        let plan = try draft.plan()
        var files = Self.new(in: plan)
        let commands = plan.items.compactMap { if case .run(let command) = $0.change { command } else { nil } }
        if !commands.isEmpty {
            // What the guest's own tools make has no label: no policy is at work where they run.
            files += (guest.kernels.compactMap(\.initramfs) + commands.flatMap(\.makes)).map { ($0, .file) }
        }
        guard !files.isEmpty else { return }
        let policy = Self.folder.appending(type).appending("contexts/files")
        var contexts: FileContexts
        do {
            contexts = try Self.contexts(in: policy, draft, paths: files.map(\.path.description))
        } catch let error as GuestPathError {
            try relabelAll(&draft, because: error.reason)
            return
        }
        guard !contexts.isEmpty else {
            try relabelAll(&draft, because: "'\(policy)/file_contexts' isn't there or says nothing")
            return
        }
        var unknown: [GuestPath] = []
        for file in files {
            switch contexts.context(of: file.path, file.kind) {
            case .context(let context): draft.label(file.path, context)
            case .none: break
            case .unknown: unknown.append(file.path)
            }
        }
        // A policy has a context for every path ("/.*"); one that hasn't isn't whole.
        if let first = unknown.first { try relabelAll(&draft, because: "the policy has no context for '\(first)'") }
    }

    /// The policy in use; nil where SELinux is off or not there.
    private func policyType(_ draft: inout Draft) throws -> String? {
        let path = Self.folder.appending("config")
        guard let bytes = try draft.editableBytes(path, limit: 64 << 10) else { return nil }
        var values: [String: String] = [:]
        let file = ByteLines(bytes)
        for index in file.lines.indices {
            let parts = file.text(index).split(separator: "=", maxSplits: 1).map { $0.filter { $0 > " " } }
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let mode = values["SELINUX"]?.lowercased(), ["enforcing", "permissive"].contains(mode) else { return nil }
        let type = values["SELINUXTYPE"] ?? "targeted"
        guard type.utf8.count <= 64, !type.contains("/"), type != "..", !type.isEmpty else { return nil }
        return type
    }

    private static func new(in plan: Plan) -> [(path: GuestPath, kind: FileContexts.FileKind)] {
        plan.items.compactMap { item in
            switch (item.change, item.before) {
            // A file in a file's place keeps its label; whatever else is replaced is gone first.
            case (.write(let path, _, _), .nothing), (.write(let path, _, _), .symlink): (path, .file)
            case (.directory(let path, _), _): (path, .directory)
            case (.symlink(let path, _), _): (path, .symlink)
            default: nil
            }
        }
    }

    private static func contexts(in folder: GuestPath, _ draft: Draft, paths: [String]) throws -> FileContexts {
        func text(_ name: String) throws -> String {
            let path = folder.appending(name)
            guard let status = try draft.status(path), status.kind == .file else { return "" }
            guard status.size <= FileContexts.sizeLimit else {
                throw GuestPathError(path: path, reason: "'\(path)' is larger than any policy's")
            }
            return try draft.text(path) ?? ""
        }
        return FileContexts(
            [try text("file_contexts"), try text("file_contexts.homedirs"), try text("file_contexts.local")],
            subs: try text("file_contexts.subs"), subsDist: try text("file_contexts.subs_dist"), paths: paths)
    }

    /// The guest's own init does it, and starts anew once it is done.
    private func relabelAll(_ draft: inout Draft, because reason: String) throws {
        guard try !draft.exists("/.autorelabel") else { return }
        try draft.write("/.autorelabel", [])
        draft.warn(
            "the SELinux labels of new files can't be told: \(reason);"
                + " the guest labels all files at its first start, which takes minutes longer and starts it twice")
    }
}
