internal import Guest

extension Opening {
    /// Parts of the tree that inspection reads or injectors change; data stays unmounted. SUSE has GRUB's modules in
    /// subvolumes of their own, which no rollback touches.
    private static let mountPoints: [GuestPath] = [
        "/boot", "/boot/grub", "/boot/grub2", "/boot/grub2/i386-pc", "/usr", "/usr/local", "/var",
    ]
    /// Only read where the boot loader's configuration may be there: mounting FAT costs a second under emulation.
    private static let systemPartitions: [GuestPath] = ["/boot/efi", "/efi"]

    mutating func mountTree(of root: Root, systemPartitions: [String]) throws -> [Mount] {
        try mount(root)
        let fstab = Fstab(try configuration("/etc/fstab") ?? "")
        var sources = FstabSources(fileSystems, disks, sets: sets)
        for path: GuestPath in ["/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"] where !sets.isEmpty {
            sources.learnArrays(try configuration(path) ?? "")
        }
        if let line = fstab.lines.first(where: { $0.path.isRoot }) {
            sources.learnOrder(rootName: line.source, foundOn: root.device)
        }
        var mounts = [Mount(path: .root, device: root.device, type: root.type, subvolume: root.subvolume, free: 0)]
        try mount(Self.mountPoints, of: fstab, sources, into: &mounts)
        if try options.mountsSystemPartition || mayHoldConfiguration() {
            try mount(Self.systemPartitions, of: fstab, sources, into: &mounts)
        }
        let configurations = ["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"] as [GuestPath]
        if try options.mountsSystemPartition || !configurations.contains(where: { try machine.exists($0) }) {
            let empty = try Self.placesOfUnlisted.filter { path in
                let place = try machine.resolve(path)
                return try !mounts.contains { $0.path == place } && machine.list(place).isEmpty
            }
            try mountUnlisted(systemPartitions, on: empty, into: &mounts)
        }
        for index in mounts.indices {
            let space = try machine.space(at: mounts[index].path)
            mounts[index].free = space.bytes
            mounts[index].freeInodes = space.inodes
        }
        return mounts
    }

    /// Whether an EFI system partition may hold the menu that the guest is started by: Red Hat's GRUB can have its
    /// grub.cfg there beside one in /boot/grub2; systemd-boot has all that it knows there.
    private func mayHoldConfiguration() throws -> Bool {
        try !machine.exists("/boot/grub/grub.cfg")
            || machine.exists("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
    }

    /// A file that is written by hand, and never large; nil where there is none, or where it is.
    func configuration(_ path: GuestPath) throws -> String? {
        guard let status = try machine.status(path), status.kind == .file, status.size <= 1 << 20 else { return nil }
        return try machine.text(path)
    }

    private mutating func mount(
        _ paths: [GuestPath], of fstab: Fstab, _ sources: FstabSources, into mounts: inout [Mount]
    ) throws {
        let lines = fstab.lines.filter { paths.contains($0.path) }
        for line in lines.sorted(by: { $0.path.components.count < $1.path.components.count }) {
            guard line.isOnDevice else {
                try elsewhere(line)
                continue
            }
            guard let system = sources.meant(by: line.source, type: line.type) else {
                try missing(line, reason: "'\(line.source)' is on none of the given disks")
                continue
            }
            do {
                let subvolume = system.type == "btrfs" ? try subvolume(of: line, on: system) : nil
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

    /// An EFI system partition that fstab doesn't name: systemd finds it by its type, and others leave it unmounted.
    /// - Parameter places: of which the first that is a folder is taken.
    mutating func mountUnlisted(_ devices: [String], on places: [GuestPath], into mounts: inout [Mount]) throws {
        guard !mounts.contains(where: { devices.contains($0.device) }),
            let system = fileSystems.first(where: { devices.contains($0.device) && $0.type == "vfat" }),
            let path = try places.first(where: { path in
                try machine.isDirectory(path) && !mounts.contains { $0.path == path }
            })
        else { return }
        let place = try machine.resolve(path)
        do {
            try machine.mount(system.device, subvolume: nil, at: place)
            mounts.append(Mount(path: place, device: system.device, type: system.type, free: 0))
        } catch {
            findings.append(
                Finding(
                    level: .warning, injector: "inspect",
                    message: "the EFI system partition '\(system.device)' can't be mounted:"
                        + " \(Self.firstLine(of: error)); it is left as it is"))
        }
    }

    /// Empty folders, in systemd-gpt-auto-generator(8)'s order; /mnt is there on every system.
    private static let placesOfUnlisted: [GuestPath] = ["/efi", "/boot", "/boot/efi", "/mnt"]

    private func subvolume(of line: Fstab.Line, on system: FileSystem) throws -> String? {
        if let named = line.subvolume { return named }
        guard let id = line.subvolumeID else { return nil }
        // 5 is the top level's own number.
        if id == 5 { return "/" }
        // A file system that was not looked into has no root on it; listing it now would take the root's place.
        guard let found = subvolumes[system.device]?.first(where: { $0.id == id }) else {
            throw GuestPathError(path: line.path, reason: "'\(system.device)' has no subvolume number \(id)")
        }
        return found.path
    }

    /// What isn't on a disk: memory, the network, another folder of the guest.
    private mutating func elsewhere(_ line: Fstab.Line) throws {
        guard line.type != "tmpfs", line.type != "ramfs" else { return }
        let what =
            line.isBind ? "is the folder '\(line.source)' in another place" : "is a \(line.type) of '\(line.source)'"
        guard !["/usr", "/boot"].contains(line.path) || line.isOptional else {
            throw Refusal(
                .blocked, "the guest's '\(line.path)' \(what), which can't be mounted here",
                hint: "put '\(line.path)' on a disk of the guest, and capture it again")
        }
        findings.append(
            Finding(
                level: .warning, injector: "inspect",
                message: "the guest's '\(line.path)' \(what); what it holds is left as it is"))
    }

    private mutating func missing(_ line: Fstab.Line, reason: String) throws {
        guard line.path.isInside("/boot/efi") || line.path.isInside("/efi") || line.isOptional else {
            let message = "the guest's '\(line.path)' can't be mounted: \(reason)"
            if sets.isEmpty { sets = (try? machine.volumeSets()) ?? [] }
            let incomplete = sets.filter { !$0.missing.isEmpty }.map {
                "'\($0.name)' lacks \($0.missing.joined(separator: ", "))"
            }
            let locked = lockedDevices.first
            throw Refusal(
                .blocked, message + (incomplete.isEmpty ? "" : "; \(incomplete.joined(separator: "; "))"),
                hint: locked.map { "'\($0)' is encrypted: give its passphrase with --key \($0):file:PATH" }
                    ?? "give all disks of the guest, each with --disk, in their order")
        }
        findings.append(
            Finding(
                level: .warning, injector: "inspect",
                message: "the guest's '\(line.path)' can't be mounted: \(reason); it is left as it is"))
    }
}
