/// Planned changes to the registry, laid over the guest's hives.
struct RegistryDraft {
    private struct KeyState {
        /// What the guest has here, and below, is gone.
        var isCleared = false
        /// Whether the plan makes the key, if it isn't there.
        var isMade = false
        var name: RegistryPath
        var settings: [String: RegistryEdit.Setting] = [:]
        var origin = ""
    }

    private let base: any GuestRegistry
    private var keys: [RegistryPath: KeyState] = [:]
    /// Hives that the plan writes as copies of others, which are read in their place.
    private var copies: [Hive: Hive] = [:]

    init(over base: any GuestRegistry) { self.base = base }

    var isEmpty: Bool { keys.isEmpty }

    // MARK: Reading

    private func original(_ key: RegistryPath) -> RegistryPath {
        copies[key.hive].map { RegistryPath($0, components: key.components) } ?? key
    }

    mutating func copy(_ source: Hive, to target: Hive) { copies[target] = source }

    func recoveredTransactions(of hive: Hive) throws -> Int? {
        try base.recoveredTransactions(of: copies[hive] ?? hive)
    }

    /// Whether a plan took away what the guest has at this key.
    private func isHidden(_ key: RegistryPath) -> Bool {
        var key = key
        while true {
            if keys[key]?.isCleared == true { return true }
            if key.isRoot { return false }
            key = key.parent
        }
    }

    func values(of key: RegistryPath) throws -> [NamedRegistryValue]? {
        let old = try isHidden(key) ? nil : base.values(of: original(key))
        guard let state = keys[key], state.isMade || old != nil else { return old }
        var values = old ?? []
        var rest = state.settings
        values = values.compactMap { item in
            guard let setting = rest.removeValue(forKey: RegistryPath.fold(item.name)) else { return item }
            return setting.value.map { NamedRegistryValue(item.name, $0) }
        }
        for (_, setting) in rest.sorted(by: { $0.key < $1.key }) {
            if let value = setting.value { values.append(NamedRegistryValue(setting.name, value)) }
        }
        return values
    }

    func subkeys(of key: RegistryPath) throws -> [String]? {
        guard try values(of: key) != nil else { return nil }
        var names = try isHidden(key) ? [] : base.subkeys(of: original(key)) ?? []
        names.removeAll { keys[key.child($0)].map { $0.isCleared && !$0.isMade } ?? false }
        let known = Set(names.map(RegistryPath.fold))
        let made = keys.values.filter { $0.isMade && !$0.name.isRoot && $0.name.parent == key }.map(\.name.name)
        return names + made.filter { !known.contains(RegistryPath.fold($0)) }.sorted()
    }

    // MARK: Changing

    mutating func make(_ key: RegistryPath, by origin: String) throws {
        guard try values(of: key) == nil else { return }
        if !key.isRoot { try make(key.parent, by: origin) }
        keys[key, default: KeyState(name: key)].isMade = true
        keys[key]?.origin = origin
    }

    mutating func set(_ name: String, _ value: RegistryValue?, of key: RegistryPath, by origin: String) {
        keys[key, default: KeyState(name: key)].settings[RegistryPath.fold(name)] = .init(name, value)
        keys[key]?.origin = origin
    }

    mutating func remove(_ key: RegistryPath, by origin: String) {
        for below in keys.keys where below != key && below.isInside(key) { keys[below] = nil }
        keys[key] = KeyState(isCleared: true, name: key, origin: origin)
    }

    // MARK: The plan

    /// The net effect: removals, then keys from the top down.
    func items() throws -> [Plan.Item] {
        let states = keys.sorted { $0.key < $1.key }
        var items: [Plan.Item] = []
        for (key, state) in states where state.isCleared {
            guard !isHidden(key.parent), let old = try base.tree(of: original(key)) else { continue }
            items.append(
                Plan.Item(
                    injector: state.origin, change: .registry(RegistryEdit(state.name, .remove)),
                    before: .registry(old)))
        }
        for (key, state) in states {
            let old = try isHidden(key) ? nil : base.values(of: original(key))
            let settings = state.settings.sorted { $0.key < $1.key }.map(\.value)
            guard let old else {
                guard state.isMade else { continue }
                items.append(
                    Plan.Item(
                        injector: state.origin,
                        change: .registry(RegistryEdit(state.name, .create(settings.filter { $0.value != nil }))),
                        before: .nothing))
                continue
            }
            var changed: [RegistryEdit.Setting] = []
            var before: [NamedRegistryValue] = []
            for setting in settings {
                let present = old.first { RegistryPath.fold($0.name) == RegistryPath.fold(setting.name) }
                guard present?.value != setting.value else { continue }
                // A value keeps the case of its name.
                changed.append(.init(present?.name ?? setting.name, setting.value))
                if let present { before.append(present) }
            }
            if changed.isEmpty { continue }
            items.append(
                Plan.Item(
                    injector: state.origin, change: .registry(RegistryEdit(state.name, .set(changed))),
                    before: .registry(RegistryTree(values: before))))
        }
        return items
    }
}

extension Draft: GuestRegistry {
    public func subkeys(of key: RegistryPath) throws -> [String]? { try registry.subkeys(of: key) }
    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { try registry.values(of: key) }
    public func recoveredTransactions(of hive: Hive) throws -> Int? {
        try registry.recoveredTransactions(of: hive)
    }

    /// In bytes.
    private static var logLimit: UInt64 { 64 << 20 }

    /// A copy of a hive in another place, which can be changed from now on; its logs go along.
    public mutating func copy(_ source: Hive, to target: Hive) throws {
        guard let bytes = try read(source.file) else {
            throw RegistryError(hive: source, reason: "it isn't there")
        }
        try write(target.file, bytes)
        for ending in [".LOG", ".LOG1", ".LOG2"] {
            let file = source.file.parent.appending(source.file.name + ending)
            guard try status(file)?.size ?? 0 <= Self.logLimit else {
                throw RegistryError(hive: source, reason: "its log '\(file)' is larger than 64 MiB")
            }
            let log = try read(file) ?? []
            let copy = target.file.parent.appending(target.file.name + ending)
            if log.isEmpty { try remove(copy) } else { try write(copy, log) }
        }
        registry.copy(source, to: target)
    }

    /// A value, and the key with its parents where they aren't there yet.
    public mutating func set(_ name: String, _ value: RegistryValue, of key: RegistryPath) throws {
        try registry.make(key, by: injector)
        registry.set(name, value, of: key, by: injector)
    }

    /// A key without a value of its own.
    public mutating func make(_ key: RegistryPath) throws { try registry.make(key, by: injector) }

    /// Takes a value away; nothing happens where there is none.
    public mutating func removeValue(_ name: String, of key: RegistryPath) throws {
        guard try value(name, of: key) != nil else { return }
        registry.set(name, nil, of: key, by: injector)
    }

    /// Takes a key away with everything in it; nothing happens where there is none.
    public mutating func remove(_ key: RegistryPath) throws {
        guard try exists(key) else { return }
        registry.remove(key, by: injector)
    }
}
