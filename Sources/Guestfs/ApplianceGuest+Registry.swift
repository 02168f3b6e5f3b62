internal import CGuestfs
internal import Glibc
public import Guest
internal import Hives

/// What is known of a guest's hives.
struct ApplianceRegistry {
    struct Known {
        /// The file that is opened: the hive, or a copy of it that is up to date.
        var file: GuestPath
        var tree: HiveTree<ApplianceHive>
        var recovered: HiveRecovery.Recovered?
        var values: [RegistryPath: [NamedRegistryValue]?] = [:]
        var subkeys: [RegistryPath: [String]?] = [:]
    }

    var known: [Hive: Known?] = [:]
    /// libguestfs has one hive open at a time.
    var open: Hive?
}

/// Hives of a disk that isn't trusted are read and written inside the appliance. A hive that wasn't closed cleanly is
/// brought up to date here first, as bytes; until something is applied its copy lies beside it in the overlay.
extension ApplianceGuest {
    public func subkeys(of key: RegistryPath) throws -> [String]? {
        if let names = registry.known[key.hive]??.subkeys[key] { return names }
        guard try open(key.hive) else { return nil }
        let names = try reading(key.hive) { try registry.known[key.hive]??.tree.subkeys(of: key) }
        registry.known[key.hive]??.subkeys[key] = .some(names)
        return names
    }

    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? {
        if let values = registry.known[key.hive]??.values[key] { return values }
        guard try open(key.hive) else { return nil }
        let values = try reading(key.hive) { try registry.known[key.hive]??.tree.values(of: key) }
        registry.known[key.hive]??.values[key] = .some(values)
        return values
    }

    /// What is wrong with a hive's content is the hive's, not the appliance's.
    private func reading<Result>(_ hive: Hive, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as GuestfsError {
            throw RegistryError(hive: hive, reason: error.reason)
        }
    }

    public func recoveredTransactions(of hive: Hive) throws -> Int? {
        try know(hive)?.recovered?.transactions
    }

    /// Each hive is opened, edited and written once.
    func apply(_ edits: [RegistryEdit]) throws {
        var hives: [Hive] = []
        for edit in edits where !hives.contains(edit.key.hive) { hives.append(edit.key.hive) }
        for hive in hives {
            let known = try know(hive)
            let file = try resolve(hive.file)
            if let whole = known?.recovered { try upload(whole.bytes, to: file) }
            try open(file, writable: true)
            registry.open = nil
            var tree = HiveTree(ApplianceHive(self))
            try tree.apply(edits.filter { $0.key.hive == hive })
            try tree.nodes.commit()
            try withHandle { try $0.check(guestfs_hivex_close($0.raw), "close the registry hive '\(hive.file)'") }
        }
    }

    /// Forgets what was read, and removes the copies.
    func forgetRegistry() throws {
        if registry.open != nil { _ = withHandle { guestfs_hivex_close($0.raw) } }
        for case let known? in registry.known.values where known.recovered != nil {
            try withHandle { try $0.check(guestfs_rm_f($0.raw, known.file.description), "remove '\(known.file)'") }
        }
        registry = ApplianceRegistry()
    }

    /// - Returns: whether there is such a hive; it is the one that is open then.
    private func open(_ hive: Hive) throws -> Bool {
        guard let known = try know(hive) else { return false }
        if registry.open == hive { return true }
        do {
            try open(known.file, writable: false)
        } catch let error as GuestfsError {
            throw RegistryError(hive: hive, reason: error.reason)
        }
        registry.open = hive
        return true
    }

    private func open(_ file: GuestPath, writable: Bool) throws {
        if registry.open != nil {
            _ = withHandle { guestfs_hivex_close($0.raw) }
            registry.open = nil
        }
        var options = guestfs_hivex_open_argv()
        options.bitmask = rehost_hivex_open_write
        options.write = writable ? 1 : 0
        try withHandle {
            try $0.check(
                guestfs_hivex_open_argv($0.raw, file.description, &options), "open the registry hive '\(file)'")
        }
    }

    private func know(_ hive: Hive) throws -> ApplianceRegistry.Known? {
        if let known = registry.known[hive] { return known }
        let file = try resolve(hive.file)
        guard try entry(at: file)?.kind == .file else {
            registry.known[hive] = .some(nil)
            return nil
        }
        var known = ApplianceRegistry.Known(file: file, tree: HiveTree(ApplianceHive(self)))
        guard let header = try start(ofFile: file, count: HiveHeader.size).flatMap(HiveHeader.init) else {
            throw RegistryError(hive: hive, reason: "it is no registry hive")
        }
        if !header.isClean {
            do {
                known.recovered = try HiveRecovery.recover(contents(ofFile: file), logs: hive.logs(in: self))
            } catch let error as HiveRecovery.Failure {
                throw RegistryError(hive: hive, reason: error.description, hint: Hive.dirtyHint)
            }
            if let whole = known.recovered {
                known.file = file.parent.appending(file.name + ".rehost")
                try upload(whole.bytes, to: known.file)
            }
        }
        registry.known[hive] = known
        return known
    }

    private func upload(_ bytes: [UInt8], to path: GuestPath) throws {
        try withTemporaryFile(bytes) { file in
            try withHandle {
                try $0.check(guestfs_upload($0.raw, file, path.description), "write '\(path)'")
            }
        }
    }
}
