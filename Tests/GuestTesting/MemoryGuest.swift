public import Guest

/// A guest that is a dictionary: for tests in milliseconds.
public struct MemoryGuest: GuestEditor, GuestRegistry, GuestSectors {
    public enum Node: Equatable, Sendable {
        case file([UInt8], permissions: UInt16)
        case directory
        case symlink(String)
    }

    public final class Contents {
        public var nodes: [GuestPath: Node] = [:]
        public var disks: [[UInt8]] = []
        public var commands: [GuestCommand] = []
        public let registry = MemoryRegistry()
    }

    public let contents = Contents()
    public var caseSensitivity: CaseSensitivity

    public init(_ files: [GuestPath: String] = [:], caseSensitivity: CaseSensitivity = .sensitive) {
        self.caseSensitivity = caseSensitivity
        for (path, text) in files { put(path, Array(text.utf8)) }
    }

    public func put(_ path: GuestPath, _ bytes: [UInt8], permissions: UInt16 = 0o644) {
        makeParents(of: path)
        contents.nodes[path] = .file(bytes, permissions: permissions)
    }

    public func put(_ path: GuestPath, _ text: String, permissions: UInt16 = 0o644) {
        put(path, Array(text.utf8), permissions: permissions)
    }

    public func link(_ path: GuestPath, to target: String) {
        makeParents(of: path)
        contents.nodes[path] = .symlink(target)
    }

    public func folder(_ path: GuestPath) {
        makeParents(of: path)
        contents.nodes[path] = .directory
    }

    public func delete(_ path: GuestPath) { contents.nodes[path] = nil }

    private func makeParents(of path: GuestPath) {
        var parent = path.parent
        while !parent.isRoot, contents.nodes[parent] == nil {
            contents.nodes[parent] = .directory
            parent = parent.parent
        }
    }

    public func entry(at path: GuestPath) throws -> FileEntry? {
        if path.isRoot { return FileEntry(kind: .directory, permissions: 0o755) }
        switch contents.nodes[path] {
        case .file(let bytes, let permissions):
            return FileEntry(kind: .file, permissions: permissions, size: UInt64(bytes.count))
        case .directory: return FileEntry(kind: .directory, permissions: 0o755)
        case .symlink(let target): return FileEntry(kind: .symlink(target: target), permissions: 0o777)
        case nil: return nil
        }
    }

    public func contents(ofFile path: GuestPath) throws -> [UInt8] {
        guard case .file(let bytes, _) = contents.nodes[path] else {
            throw GuestPathError(path: path, reason: "no such file")
        }
        return bytes
    }

    public func names(inDirectory path: GuestPath) throws -> [String] {
        contents.nodes.keys.filter { !$0.isRoot && $0.parent == path }.map(\.name)
    }

    public func sectors(disk: Int, first: UInt64, count: Int) throws -> [UInt8] {
        guard contents.disks.indices.contains(disk),
            case let available = UInt64(contents.disks[disk].count / SectorEdit.sectorSize), first <= available,
            UInt64(count) <= available - first
        else { throw GuestPathError(path: .root, reason: "disk \(disk) is shorter") }
        let from = Int(first) * SectorEdit.sectorSize
        return Array(contents.disks[disk][from..<from + count * SectorEdit.sectorSize])
    }

    @discardableResult
    public func apply(_ plan: Plan, progress: (String) -> Void) throws -> [Finding] {
        for item in plan.items {
            switch item.change {
            case .write(let path, let bytes, let permissions): put(path, bytes, permissions: permissions)
            case .append(let path, let bytes, let offset):
                guard case .file(var old, let permissions) = contents.nodes[path] else {
                    throw GuestPathError(path: path, reason: "no such file")
                }
                old += [UInt8](repeating: 0, count: Int(offset) - old.count) + bytes
                contents.nodes[path] = .file(old, permissions: permissions)
            case .directory(let path, _): folder(path)
            case .symlink(let path, let target): link(path, to: target)
            case .remove(let path): contents.nodes[path] = nil
            case .disk(let edit):
                let from = Int(edit.firstSector) * SectorEdit.sectorSize
                contents.disks[edit.disk].replaceSubrange(from..<from + edit.bytes.count, with: edit.bytes)
            case .registry(let edit): try contents.registry.apply(edit)
            case .run(let command): contents.commands.append(command)
            }
        }
        return []
    }

    public func subkeys(of key: RegistryPath) throws -> [String]? { try contents.registry.subkeys(of: key) }
    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { try contents.registry.values(of: key) }
    public func recoveredTransactions(of hive: Hive) throws -> Int? {
        try contents.registry.recoveredTransactions(of: hive)
    }
}
