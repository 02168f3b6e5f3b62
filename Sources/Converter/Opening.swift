public import Guest

/// How a guest's file systems are found and mounted.
public struct OpeningOptions: Sendable {
    /// "/dev/sda2", or "/dev/sda2:@" for a btrfs subvolume; nil: found by what is on them.
    public var root: String?
    /// From an encrypted device to its passphrase.
    public var keys: [String: [UInt8]]

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
    private static let rootTypes: Set<String> = ["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs"]
    /// Parts of the tree that inspection reads or injectors change; data stays unmounted.
    private static let mountPoints: [GuestPath] = ["/boot", "/usr", "/usr/local", "/var"]
    /// Only read where the boot loader's configuration may be there: mounting FAT costs a second under emulation.
    private static let systemPartitions: [GuestPath] = ["/boot/efi", "/efi"]

    private struct Root: Equatable {
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

    private let machine: any GuestMachine
    private let options: OpeningOptions
    private var fileSystems: [FileSystem] = []
    private var failures: [(device: String, type: String, reason: String)] = []
    private var findings: [Finding] = []
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
        let disks = try readDisks()
        fileSystems = try machine.fileSystems()
        try unlockAll()
        try refuseHibernated()
        let root = try chooseRoot()
        let mounts = try mountTree(of: root, disks)
        return OpenedGuest(disks: disks, fileSystems: fileSystems, mounts: mounts, findings: findings)
    }

    // MARK: Disks

    private mutating func readDisks() throws -> [GuestDisk] {
        var disks: [GuestDisk] = []
        for (index, device) in try machine.diskDevices().enumerated() {
            let total = device.size / UInt64(SectorEdit.sectorSize)
            // Room for 1,024 partitions; 128 are usual.
            let count = Int(min(total, 258))
            let start = try machine.sectors(disk: index, first: 0, count: count)
            let boot = Array(start.prefix(SectorEdit.sectorSize))
            var table = PartitionTable.none
            do {
                table = .gpt(try GPT(sectors: start))
            } catch GPT.ParseError.damaged(let reason) {
                throw Refusal(
                    .blocked, "disk \(index) has a GPT that can't be trusted: \(reason)",
                    hint: "repair it on a copy of the disk: 'sgdisk --verify', then option 'r' of gdisk")
            } catch {
                if let mbr = MBR(sector: boot), !mbr.isEmpty { table = .mbr(mbr) }
            }
            var hasCode = boot.prefix(440).contains { $0 != 0 }
            if case .gpt(let gpt) = table {
                guard gpt.alternateSector < total else {
                    throw Refusal(
                        .blocked, "disk \(index) is shorter than its partition table says: it was cut off",
                        hint: "capture it again; it should have \((gpt.alternateSector + 1) * 512) bytes")
                }
                hasCode = try hasCode && loadsCore(boot, gpt, disk: index)
            }
            disks.append(
                GuestDisk(index: index, device: device.device, size: device.size, table: table, hasBootCode: hasCode))
        }
        return disks
    }

    /// On a GPT, boot code is worth something when the BIOS boot partition that it loads has something in it.
    private func loadsCore(_ boot: [UInt8], _ table: GPT, disk: Int) throws -> Bool {
        guard let partition = table.entries.first(where: { $0.type == GPT.biosBoot }) else { return false }
        let core = try machine.sectors(disk: disk, first: partition.firstSector, count: 1)
        return core.contains { $0 != 0 }
    }

    // MARK: Before mounting

    private mutating func unlockAll() throws {
        let locked = fileSystems.filter { $0.type == "crypto_LUKS" }
        guard !locked.isEmpty else { return }
        var opened = false
        for system in locked {
            guard let key = options.keys[system.device] ?? system.uuid.flatMap({ options.keys[$0] }) else { continue }
            do {
                _ = try machine.unlock(system.device, key: key)
                opened = true
            } catch {
                throw Refusal(
                    .blocked, "the key given for '\(system.device)' doesn't open it: \(error)",
                    hint: "check the passphrase in the file named by --key \(system.device):file:PATH")
            }
        }
        if opened { fileSystems = try machine.fileSystems() }
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
        let name = wanted.hasPrefix("UUID=") ? wanted.dropFirst(5) : nil
        let device =
            name.flatMap { uuid in fileSystems.first { $0.uuid.map { $0 == uuid } ?? false }?.device } ?? wanted
        if let found = roots.first(where: { $0.argument == device || $0.device == device }) { return found }
        let list = roots.map(\.argument).joined(separator: ", ")
        throw Refusal(
            .blocked, "no operating system was found on '\(wanted)'",
            hint: roots.isEmpty ? "leave --root out to see what is there" : "there is one on: \(list)")
    }

    private mutating func candidates() throws -> [Root] {
        var roots: [Root] = []
        for system in fileSystems where Self.rootTypes.contains(system.type) {
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
        try mount(root)
        return try Self.operatingSystem(on: machine).map { [root.named($0)] } ?? []
    }

    private mutating func mount(_ root: Root) throws {
        guard mounted?.argument != root.argument else { return }
        if mounted != nil { try machine.unmountAll() }
        mounted = nil
        try machine.mount(root.device, subvolume: root.type == "btrfs" ? root.subvolume ?? "/" : nil, at: .root)
        mounted = root
    }

    /// A btrfs can hold a root in its top level, or in subvolumes, of which snapshots look just like the real one: the
    /// root is the one that its own fstab names, then the file system's default.
    private mutating func btrfsRoots(_ system: FileSystem) throws -> [Root] {
        if mounted != nil { try machine.unmountAll() }
        mounted = nil
        let subvolumes = try machine.subvolumes(on: system.device)
        var roots: [Root] = []
        // A deep tree of snapshots is not walked: roots are near the top.
        for subvolume in ["/"] + subvolumes.filter({ !Self.isSnapshot($0) }).prefix(64) {
            let volume = Root(
                device: system.device, type: system.type, subvolume: subvolume == "/" ? nil : subvolume)
            try mount(volume)
            guard let name = try Self.operatingSystem(on: machine) else { continue }
            let root = volume.named(name)
            let line = try Fstab(machine.text("/etc/fstab") ?? "").lines.first { $0.path == .root }
            if let named = line?.subvolume, GuestPath(named) == GuestPath(subvolume) { return [root] }
            roots.append(root)
        }
        return roots
    }

    private static func isSnapshot(_ subvolume: String) -> Bool {
        subvolume.contains(".snapshots/") || subvolume.hasPrefix("timeshift-btrfs/")
            || subvolume.hasPrefix("var/lib/docker/") || subvolume.hasPrefix("var/lib/machines/")
    }

    /// The name of the system that is mounted at the root; nil where none is.
    private static func operatingSystem(on files: any GuestFiles) throws -> String? {
        guard try files.isDirectory("/etc") else { return nil }
        let release = try files.text("/etc/os-release") ?? files.text("/usr/lib/os-release")
        let hasInit = try ["/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd"].contains {
            try files.entry(at: files.resolve($0)) != nil
        }
        // A separate /usr isn't mounted yet: an fstab and a name will do.
        guard try hasInit || files.exists("/etc/fstab") else { return nil }
        if let release { return OSReleaseFile.parse(release).prettyName }
        if let version = try files.text("/etc/debian_version") { return "Debian \(version.prefix { !$0.isNewline })" }
        // A link into a /usr that isn't mounted yet.
        return try files.entry(at: "/etc/os-release").map { _ in "Linux with a separate /usr" }
    }

    private func noRoot() -> Refusal {
        if let failure = failures.first {
            return Refusal(
                .blocked,
                "no operating system was found, and '\(failure.device)' (\(failure.type)) can't be mounted:"
                    + " \(failure.reason)",
                hint: "start the source once and shut it down cleanly, or check the file system on a copy, then capture"
                    + " it again")
        }
        let locked = fileSystems.filter { $0.type == "crypto_LUKS" }.map(\.device)
        if let device = locked.first(where: { options.keys[$0] == nil }) {
            return Refusal(
                .blocked, "'\(device)' is encrypted (LUKS), and no key was given for it",
                hint: "put the passphrase into a file and add --key \(device):file:PATH")
        }
        if fileSystems.contains(where: { $0.type == "ntfs" }) {
            return Refusal(
                .unsupported, "the disks hold NTFS file systems and no Linux root",
                hint: "Windows guests are not supported yet")
        }
        let found = fileSystems.map { "\($0.device) (\($0.type))" }.joined(separator: ", ")
        return Refusal(
            .unsupported,
            "no operating system was found" + (found.isEmpty ? ": the disks are empty" : " on \(found)"),
            hint: "give all disks of the guest, each with --disk; 'rehost inspect' shows what is on them")
    }

    // MARK: The tree

    private mutating func mountTree(of root: Root, _ disks: [GuestDisk]) throws -> [Mount] {
        try mount(root)
        let fstab = Fstab(try machine.text("/etc/fstab") ?? "")
        var mounts = [Mount(path: .root, device: root.device, type: root.type, subvolume: root.subvolume, free: 0)]
        try mount(Self.mountPoints, of: fstab, into: &mounts)
        // Red Hat's GRUB can have its configuration there beside one in /boot/grub2; systemd-boot has all of it there.
        let isElsewhere =
            try machine.exists("/boot/grub/grub.cfg")
            && !machine.exists("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
        if !isElsewhere {
            try mount(Self.systemPartitions, of: fstab, into: &mounts)
            try mountDiscovered(disks, into: &mounts)
        }
        for index in mounts.indices {
            let space = try machine.space(at: mounts[index].path)
            mounts[index].free = space.bytes
            mounts[index].freeInodes = space.inodes
        }
        return mounts
    }

    private mutating func mount(_ paths: [GuestPath], of fstab: Fstab, into mounts: inout [Mount]) throws {
        let lines = fstab.lines.filter { paths.contains($0.path) }
        for line in lines.sorted(by: { $0.path.components.count < $1.path.components.count }) {
            guard let system = fileSystems.meant(by: line.source) else {
                try missing(line, reason: "'\(line.source)' is on none of the given disks")
                continue
            }
            do {
                let subvolume = system.type == "btrfs" ? line.subvolume : nil
                try machine.mount(system.device, subvolume: subvolume, at: machine.resolve(line.path))
                mounts.append(
                    Mount(
                        path: line.path, device: system.device, type: system.type,
                        subvolume: subvolume.map { GuestPath($0).components.joined(separator: "/") }, free: 0))
            } catch {
                try missing(line, reason: Self.firstLine(of: error))
            }
        }
    }

    /// What fstab doesn't name systemd mounts by the partition's type (systemd-gpt-auto-generator(8)).
    private func mountDiscovered(_ disks: [GuestDisk], into mounts: inout [Mount]) throws {
        let configurations = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"] as [GuestPath]
        guard !mounts.contains(where: { $0.type == "vfat" }),
            try !configurations.contains(where: { try machine.exists($0) }),
            let path = try (["/efi", "/boot"] as [GuestPath]).first(where: {
                try machine.isDirectory($0) && machine.list($0).isEmpty
            })
        else { return }
        for disk in disks {
            guard case .gpt(let table) = disk.table,
                let entry = table.entries.first(where: { $0.type == GPT.efiSystem }),
                let system = fileSystems.first(where: { $0.device == "\(disk.device)\(entry.number)" }),
                system.type == "vfat"
            else { continue }
            // What can't be read there may not be needed.
            guard (try? machine.mount(system.device, subvolume: nil, at: path)) != nil else { return }
            mounts.append(Mount(path: path, device: system.device, type: system.type, free: 0))
            return
        }
    }

    private mutating func missing(_ line: Fstab.Line, reason: String) throws {
        guard line.path.isInside("/boot/efi") || line.path.isInside("/efi") || line.options.contains("noauto") else {
            throw Refusal(
                .blocked, "the guest's '\(line.path)' can't be mounted: \(reason)",
                hint: "give all disks of the guest, each with --disk, in their order")
        }
        findings.append(
            Finding(
                level: .warning, injector: "inspect",
                message: "the guest's '\(line.path)' can't be mounted: \(reason); it is left as it is"))
    }

    private static func firstLine(of error: any Error) -> String {
        String("\(error)".split(separator: "\n").first ?? "")
    }
}
