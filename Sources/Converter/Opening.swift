public import Guest

/// How a guest's file systems are found and mounted.
public struct OpeningOptions: Sendable {
    /// "/dev/sda2", "UUID=…", or "/dev/sda2:@" for a btrfs subvolume; nil: found by what is on them.
    public var root: String?
    /// From an encrypted device, its UUID or "all" to the whole content of a file: a passphrase, or a key file.
    public var keys: [String: [UInt8]]
    /// Whether the EFI system partition is needed, as for a result that starts by UEFI.
    public var mountsSystemPartition = false

    public init(root: String? = nil, keys: [String: [UInt8]] = [:]) {
        self.root = root
        self.keys = keys
    }
}

/// A guest with its root and boot file systems mounted.
public struct OpenedGuest: Sendable {
    public var disks: [GuestDisk]
    public var fileSystems: [FileSystem]
    public var mounts: [Mount]
    public var findings: [Finding]
}

/// Finds the root file system, by what is on it, and mounts the guest's tree as its own fstab says.
public struct Opening {
    /// What can hold a Linux root.
    private static let rootTypes: Set<String> = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs"]
    /// What can hold a Windows.
    private static let windowsType = "ntfs"

    struct Root: Equatable {
        var device: String
        var type: String
        var subvolume: String?
        var name = ""

        var argument: String { subvolume.map { "\(device):\($0)" } ?? device }

        func named(_ name: String) -> Root {
            var root = self
            root.name = name
            return root
        }
    }

    let machine: any GuestMachine
    let options: OpeningOptions
    var disks: [GuestDisk] = []
    var fileSystems: [FileSystem] = []
    var sets: [VolumeSet] = []
    /// Of each btrfs that was looked into, by its device.
    var subvolumes: [String: [Subvolume]] = [:]
    var findings: [Finding] = []
    private var failures: [(device: String, type: String, reason: String)] = []
    /// What is mounted at the root now.
    private var mounted: Root?

    private init(_ machine: any GuestMachine, _ options: OpeningOptions) {
        self.machine = machine
        self.options = options
    }

    /// - Throws: ``Refusal`` where there is no root to be had, or more than one.
    public static func open(_ machine: any GuestMachine, options: OpeningOptions) throws -> OpenedGuest {
        var opening = Opening(machine, options)
        return try opening.open()
    }

    private mutating func open() throws -> OpenedGuest {
        disks = try readDisks()
        fileSystems = try machine.fileSystems()
        try unlockAll()
        try refuseHibernated()
        try learnSets()
        let root = try chooseRoot()
        let mounts =
            try root.type == Self.windowsType
            ? mountVolume(root) : mountTree(of: root, systemPartitions: disks.flatMap(\.systemPartitions))
        return OpenedGuest(disks: disks, fileSystems: fileSystems, mounts: mounts, findings: findings)
    }

    private func refuseHibernated() throws {
        // blkid's type for a swap area whose signature says that a hibernated system is in it.
        guard let swap = fileSystems.first(where: { $0.type == "swsuspend" }) else { return }
        throw Refusal(
            .blocked, "the guest is hibernated: its memory is saved on '\(swap.device)'",
            hint: "resume it on the source, shut it down, and capture it again")
    }

    // MARK: The root

    private mutating func chooseRoot() throws -> Root {
        if let wanted = options.root, let named = try namedSubvolume(wanted) { return named }
        let roots = try candidates()
        guard let wanted = options.root else {
            switch roots.count {
            case 1: return roots[0]
            case 0: throw noRoot()
            default:
                let list = roots.map { "\($0.argument) (\($0.name))" }.joined(separator: ", ")
                throw Refusal(
                    .blocked, "the guest has \(roots.count) operating systems: \(list)",
                    hint: "choose one with --root, as in --root \(roots[0].argument)")
            }
        }
        let device = device(named: wanted)
        if let found = roots.first(where: { $0.argument == device || $0.device == device }) { return found }
        let list = roots.map(\.argument).joined(separator: ", ")
        throw Refusal(
            .blocked, "no operating system was found on '\(wanted)'",
            hint: roots.isEmpty ? "leave --root out to see what is there" : "there is one on: \(list)")
    }

    /// What --root names, as the device that it is.
    private func device(named wanted: String) -> String {
        FstabSources(fileSystems, disks, sets: sets).meant(by: wanted)?.device ?? wanted
    }

    /// A subvolume that is asked for by its path is taken without a look at the others: any snapshot can be.
    private mutating func namedSubvolume(_ wanted: String) throws -> Root? {
        guard let colon = wanted.firstIndex(of: ":"), wanted.hasPrefix("/dev/") || wanted.hasPrefix("UUID=") else {
            return nil
        }
        let device = device(named: String(wanted[..<colon]))
        guard let system = fileSystems.first(where: { $0.device == device && $0.type == "btrfs" }) else { return nil }
        let path = GuestPath(String(wanted[wanted.index(after: colon)...])).components.joined(separator: "/")
        let root = Root(device: device, type: system.type, subvolume: path.isEmpty ? nil : path)
        return try self.system(on: root).map { root.named($0) }
    }

    private mutating func candidates() throws -> [Root] {
        var roots: [Root] = []
        var seen: Set<String> = []
        for system in fileSystems where Self.rootTypes.contains(system.type) || system.type == Self.windowsType {
            // All devices of a btrfs are one file system, and each of them would mount it.
            if system.type == "btrfs", let uuid = system.uuid, !seen.insert(uuid).inserted { continue }
            do {
                roots += try system.type == "btrfs" ? btrfsRoots(system) : plainRoot(system)
            } catch let error as GuestPathError {
                throw error
            } catch {
                failures.append((system.device, system.type, Self.firstLine(of: error)))
            }
        }
        return roots
    }

    private mutating func plainRoot(_ system: FileSystem) throws -> [Root] {
        let root = Root(device: system.device, type: system.type, subvolume: nil)
        return try self.system(on: root).map { [root.named($0)] } ?? []
    }

    mutating func mount(_ root: Root) throws {
        guard mounted?.argument != root.argument else { return }
        try unmount()
        try machine.mount(root.device, subvolume: root.type == "btrfs" ? root.subvolume ?? "/" : nil, at: .root)
        mounted = root
    }

    /// A Windows is on one volume, but for what it starts from.
    private mutating func mountVolume(_ root: Root) throws -> [Mount] {
        try mount(root)
        var mounts = [Mount(path: .root, device: root.device, type: root.type, free: 0)]
        let disk = FileSystem(device: root.device, type: root.type).partition?.disk
        let own = disks.filter { $0.device == disk }.flatMap(\.systemPartitions)
        for (device, folder) in zip(own.isEmpty ? disks.flatMap(\.systemPartitions) : own, Self.hiddenFolders) {
            try mountUnlisted([device], on: [folder] + Self.hiddenFolders, into: &mounts)
        }
        // Of several, the one that Windows starts from.
        if let index = try mounts.dropFirst().firstIndex(where: {
            try machine.exists($0.path.appending("EFI/Microsoft/Boot/BCD"))
        }) {
            mounts.swapAt(1, index)
        }
        for index in mounts.indices {
            let space = try machine.space(at: mounts[index].path)
            mounts[index].free = space.bytes
            mounts[index].freeInodes = space.inodes
        }
        return mounts
    }

    /// Windows gives its EFI system partition no letter. It has to be somewhere while it is looked at: on a folder whose
    /// own content nobody asks for.
    private static let hiddenFolders: [GuestPath] = [
        "/System Volume Information", "/Recovery", "/PerfLogs", "/Windows/Temp",
    ]

    mutating func unmount() throws {
        if mounted != nil { try machine.unmountAll() }
        mounted = nil
    }

    /// The name of the system on a volume, which is mounted for it; nil where none is.
    mutating func system(on root: Root) throws -> String? {
        try mount(root)
        if root.type == Self.windowsType { return try WindowsInspection.systemHive(in: machine).map { _ in "Windows" } }
        return try Self.operatingSystem(on: machine)
    }

    private static func operatingSystem(on files: any GuestFiles) throws -> String? {
        guard try files.isDirectory("/etc") else { return nil }
        let hasInit = try ["/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd"].contains {
            try files.entry(at: files.resolve($0)) != nil
        }
        // A separate /usr isn't mounted yet: an fstab and a name will do.
        guard try hasInit || files.exists("/etc/fstab") else { return nil }
        if let name = try OSReleaseFile.name(of: files) { return name }
        // A link into a /usr that isn't mounted yet.
        return try files.entry(at: "/etc/os-release").map { _ in "Linux with a separate /usr" }
    }

    private func noRoot() -> Refusal {
        if let incomplete = incompleteSets { return incomplete }
        if let failure = failures.first {
            return Refusal(
                .blocked,
                "no operating system was found, and '\(failure.device)' (\(failure.type)) can't be mounted:"
                    + " \(failure.reason)",
                hint: "start the source once and shut it down cleanly, or check the file system on a copy, then capture"
                    + " it again")
        }
        if let device = lockedDevices.first {
            return Refusal(
                .blocked, "'\(device)' is encrypted (LUKS), and no key was given for it",
                hint: "put the passphrase into a file and add --key \(device):file:PATH")
        }
        if let locked = fileSystems.first(where: { $0.type.lowercased() == "bitlocker" }) {
            return Refusal(
                .blocked, "'\(locked.device)' is encrypted by BitLocker, which can't be opened here",
                hint:
                    "decrypt it in the source ('manage-bde -off C:', then wait for 'manage-bde -status' to say so), and"
                    + " capture it again")
        }
        if fileSystems.contains(where: { $0.type == "ntfs" }) {
            return Refusal(
                .unsupported, "the disks hold NTFS file systems, but neither a Windows nor a Linux root",
                hint: "give all disks of the guest, each with --disk, the boot disk first")
        }
        let found = fileSystems.map { "\($0.device) (\($0.type))" }.joined(separator: ", ")
        return Refusal(
            .unsupported,
            "no operating system was found" + (found.isEmpty ? ": the disks are empty" : " on \(found)"),
            hint: "give all disks of the guest, each with --disk; 'rehost inspect' shows what is on them")
    }

    static func firstLine(of error: any Error) -> String {
        String("\(error)".split(separator: "\n").first ?? "")
    }
}
