public import Foundation
public import Guest

/// The registry of a guest whose file systems are mounted on this host, over libhivex: for a disposable recovery host,
/// where a nested appliance would cost minutes, and for tests.
public final class LocalRegistry: GuestRegistry {
    private let files: any GuestFiles
    private let folder: URL
    private var trees: [Hive: HiveTree<LocalHive>] = [:]
    private var recovered: [Hive: HiveRecovery.Recovered] = [:]
    private var known: Set<Hive> = []

    /// - Parameters:
    ///   - files: of the guest.
    ///   - folder: of this host, where the guest's root is mounted.
    public init(files: any GuestFiles, mountedAt folder: URL) {
        self.files = files
        self.folder = folder
    }

    public func subkeys(of key: RegistryPath) throws -> [String]? {
        guard try open(key.hive) else { return nil }
        return try trees[key.hive]?.subkeys(of: key)
    }

    public func values(of key: RegistryPath) throws -> [NamedRegistryValue]? {
        guard try open(key.hive) else { return nil }
        return try trees[key.hive]?.values(of: key)
    }

    public func recoveredTransactions(of hive: Hive) throws -> Int? {
        guard try open(hive) else { return nil }
        return recovered[hive]?.transactions
    }

    /// Writes each hive that the edits are about once.
    public func apply(_ edits: [RegistryEdit]) throws {
        for hive in Set(edits.map(\.key.hive)).sorted(by: { $0.file < $1.file }) {
            let path = try path(of: hive)
            _ = try open(hive)
            if let whole = recovered[hive] { try Data(whole.bytes).write(to: path, options: .atomic) }
            do {
                var tree = HiveTree(try LocalHive(path: path.path, access: .readWrite))
                try tree.apply(edits.filter { $0.key.hive == hive })
                try tree.nodes.commit()
            } catch let error as LocalHive.Failure {
                throw RegistryError(hive: hive, reason: error.description)
            }
            known.remove(hive)
            trees[hive] = nil
            recovered[hive] = nil
        }
    }

    private func path(of hive: Hive) throws -> URL {
        let real = try files.resolve(hive.file)
        return folder.appendingPathComponent(real.components.joined(separator: "/"))
    }

    /// - Returns: whether there is such a hive.
    private func open(_ hive: Hive) throws -> Bool {
        if known.contains(hive) { return trees[hive] != nil }
        known.insert(hive)
        guard let bytes = try files.read(hive.file) else { return false }
        let logs = try hive.logs(in: files)
        let whole: HiveRecovery.Recovered?
        do {
            whole = try HiveRecovery.recover(bytes, logs: logs)
        } catch {
            known.remove(hive)
            throw RegistryError(hive: hive, reason: error.description, hint: Hive.dirtyHint)
        }
        do {
            guard let whole else {
                trees[hive] = HiveTree(try LocalHive(path: path(of: hive).path, access: .readOnly))
                return true
            }
            recovered[hive] = whole
            let copy = FileManager.default.temporaryDirectory.appendingPathComponent("rehost-\(UUID().uuidString)")
            try Data(whole.bytes).write(to: copy)
            // libhivex has the file mapped; its name isn't needed any more.
            defer { try? FileManager.default.removeItem(at: copy) }
            trees[hive] = HiveTree(try LocalHive(path: copy.path, access: .readOnly))
        } catch let error as LocalHive.Failure {
            known.remove(hive)
            throw RegistryError(hive: hive, reason: error.description)
        }
        return true
    }
}

extension Hive {
    /// What to do about a hive that can't be brought up to date.
    public static let dirtyHint =
        "start the source once and shut it down cleanly ('shutdown /s /t 0', without fast startup), and capture it again"

    /// The logs that lie beside a hive and hold something. LOG is what Windows XP had; newer ones leave it empty.
    public func logs(in files: any GuestFiles) throws -> [[UInt8]] {
        let names = [file.name + ".LOG1", file.name + ".LOG2", file.name + ".LOG"]
        return try names.compactMap { try files.read(file.parent.appending($0)) }.filter { !$0.isEmpty }
    }
}
