import Guest
import GuestTesting

/// Disks and file systems without an appliance: each volume is a guest of its own, which is mounted into one tree.
final class FakeMachine: GuestMachine {
    struct Volume {
        var system: FileSystem
        /// What is on it, by subvolume; nil is all of a file system without them, or the top level.
        var trees: [String?: any GuestEditor] = [:]
        /// What is mounted where no subvolume is asked for; nil: the top level.
        var defaultSubvolume: String?
        /// Why it can't be mounted.
        var failure: String?
        var space: (bytes: UInt64, inodes: UInt64?) = (4 << 30, 100_000)
        /// What appears when it is unlocked with this key.
        var inside: (key: [UInt8], volume: FileSystem, tree: any GuestEditor)?
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    var volumes: [Volume] = []
    var sets: [VolumeSet] = []
    private(set) var setLookups = 0
    let registry = MemoryRegistry()
    let disks: any GuestSectors
    let diskSizes: [UInt64]
    private(set) var mounts: [(path: GuestPath, volume: Int, tree: any GuestEditor)] = []
    /// Every mount that was asked for: "/dev/sda1:@ at /".
    private(set) var log: [String] = []

    init(disks: any GuestSectors, sizes: [UInt64]) {
        self.disks = disks
        diskSizes = sizes
    }

    /// One empty disk without a table.
    convenience init(_ volumes: [Volume]) {
        let disk = MemoryGuest()
        disk.contents.disks = [[UInt8](repeating: 0, count: 64 * 512)]
        self.init(disks: disk, sizes: [64 * 512])
        self.volumes = volumes
    }

    // MARK: GuestMachine

    var caseSensitivity: CaseSensitivity {
        mounts.first { $0.path.isRoot }?.tree.caseSensitivity ?? .sensitive
    }

    func diskDevices() throws -> [(device: String, size: UInt64)] {
        diskSizes.enumerated().map { ("/dev/sd" + String(UnicodeScalar(UInt8(97 + $0.offset))), $0.element) }
    }

    func fileSystems() throws -> [FileSystem] { volumes.map(\.system) }

    func subvolumes(on device: String) throws -> [Subvolume] {
        guard let volume = volumes.first(where: { $0.system.device == device }) else { return [] }
        return volume.trees.keys.compactMap { $0 }.sorted().enumerated().map { index, path in
            Subvolume(path: path, id: UInt64(256 + index), isDefault: path == volume.defaultSubvolume)
        }
    }

    func volumeSets() throws -> [VolumeSet] {
        setLookups += 1
        return sets
    }

    func unlock(_ device: String, key: [UInt8]) throws -> String {
        guard let inside = volumes.first(where: { $0.system.device == device })?.inside, inside.key == key else {
            throw Failure(description: "No key available with this passphrase.")
        }
        volumes.append(Volume(system: inside.volume, trees: [nil: inside.tree]))
        return inside.volume.device
    }

    func mount(_ device: String, subvolume: String?, at path: GuestPath) throws {
        log.append("\(device)\(subvolume.map { ":\($0)" } ?? "") at \(path)")
        guard let index = volumes.firstIndex(where: { $0.system.device == device }) else {
            throw Failure(description: "mount: \(device): no such device\nand more")
        }
        if let failure = volumes[index].failure { throw Failure(description: failure) }
        if !path.isRoot, try !isDirectory(path) { throw Failure(description: "mount: \(path): no such folder") }
        let name =
            subvolume.map { GuestPath($0).components.joined(separator: "/") }.flatMap { $0.isEmpty ? nil : $0 }
            ?? (subvolume == nil ? volumes[index].defaultSubvolume : nil)
        guard let tree = volumes[index].trees[name] else {
            throw Failure(description: "mount: \(device): no such subvolume")
        }
        mounts.append((path, index, tree))
    }

    func unmountAll() throws { mounts = [] }

    func space(at path: GuestPath) throws -> (bytes: UInt64, inodes: UInt64?) {
        guard let mount = mount(holding: path) else { throw Failure(description: "nothing is mounted") }
        return volumes[mount.volume].space
    }

    func prefetch(_ folder: GuestPath, excluding: [String]) throws {
        guard try isDirectory(folder) else { throw Failure(description: "'\(folder)' is no folder") }
    }

    func sectors(disk: Int, first: UInt64, count: Int) throws -> [UInt8] {
        try disks.sectors(disk: disk, first: first, count: count)
    }

    func subkeys(of key: RegistryPath) throws -> [String]? { try registry.subkeys(of: key) }
    func values(of key: RegistryPath) throws -> [NamedRegistryValue]? { try registry.values(of: key) }
    func recoveredTransactions(of hive: Hive) throws -> Int? { try registry.recoveredTransactions(of: hive) }

    // MARK: The tree

    private func mount(holding path: GuestPath) -> (path: GuestPath, volume: Int, tree: any GuestEditor)? {
        mounts.filter { path.isInside($0.path) }.max { $0.path.components.count < $1.path.components.count }
    }

    private func inside<Result>(_ path: GuestPath, _ body: (any GuestEditor, GuestPath) throws -> Result) throws
        -> Result
    {
        guard let mount = mount(holding: path) else { throw Failure(description: "nothing is mounted") }
        return try body(mount.tree, GuestPath(path.relative(to: mount.path) ?? ""))
    }

    func entry(at path: GuestPath) throws -> FileEntry? { try inside(path) { try $0.entry(at: $1) } }
    func contents(ofFile path: GuestPath) throws -> [UInt8] { try inside(path) { try $0.contents(ofFile: $1) } }
    func names(inDirectory path: GuestPath) throws -> [String] { try inside(path) { try $0.names(inDirectory: $1) } }

    @discardableResult
    func apply(_ plan: Plan, progress: (String) -> Void) throws -> [Finding] {
        for item in plan.items {
            if case .registry(let edit) = item.change {
                try registry.apply(edit)
                continue
            }
            guard let path = item.change.path else {
                try (disks as? any GuestEditor)?.apply(Plan(items: [item]), progress: progress)
                continue
            }
            try inside(path) { tree, path in
                var item = item
                item.change =
                    switch item.change {
                    case .write(_, let bytes, let permissions): .write(path, bytes, permissions: permissions)
                    case .append(_, let bytes, let offset): .append(path, bytes, offset: offset)
                    case .directory(_, let permissions): .directory(path, permissions: permissions)
                    case .symlink(_, let target): .symlink(path, target: target)
                    case .remove: .remove(path)
                    case .registry, .disk, .run: item.change
                    }
                try tree.apply(Plan(items: [item]), progress: progress)
            }
        }
        return []
    }
}

extension FakeMachine.Volume {
    init(
        _ device: String, _ type: String, uuid: String? = nil, label: String? = nil, partitionUUID: String? = nil,
        _ tree: (any GuestEditor)? = nil
    ) {
        system = FileSystem(device: device, type: type, uuid: uuid, label: label, partitionUUID: partitionUUID)
        if let tree { trees[nil] = tree }
    }
}

/// The root of a small Debian.
func debian(fstab: String = "", _ more: [GuestPath: String] = [:]) -> MemoryGuest {
    let files: [GuestPath: String] = [
        "/etc/os-release": "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\n",
        "/etc/fstab": fstab, "/usr/lib/systemd/systemd": "", "/lib64/ld-linux-x86-64.so.2": "",
    ]
    let guest = MemoryGuest(files.merging(more) { $1 })
    guest.link("/sbin/init", to: "/usr/lib/systemd/systemd")
    for folder: GuestPath in ["/boot", "/boot/efi", "/usr", "/var", "/home", "/mnt"]
    where (try? guest.entry(at: folder)) == nil { guest.folder(folder) }
    return guest
}

func sampleInspection(
    firmware: Firmware = .bios, architecture: String = "x86_64", disks: [GuestDisk] = [], mounts: [Mount] = [],
    kernels: [Kernel] = [], fileSystems: [FileSystem] = []
) -> Inspection {
    Inspection(
        osRelease: OSRelease(id: "debian", version: "12", prettyName: "Debian 12"), architecture: architecture,
        hostName: "web01", firmware: firmware, disks: disks, fileSystems: fileSystems, mounts: mounts,
        kernels: kernels, bootLoader: .unknown, networkFormats: [], tools: [])
}
