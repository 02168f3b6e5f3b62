internal import Guest

extension Opening {
    /// Roots are near the top; more subvolumes than this aren't looked into.
    private static let subvolumeLimit = 64

    /// A btrfs can hold a root in its top level or in subvolumes, of which snapshots look just like the real one.
    ///
    /// What boots is what the kernel is told (`rootflags=subvol=`), else the file system's default subvolume: that is how
    /// snapper's roots are chosen. Without a default, a root is a subvolume that its own boot loader or fstab names.
    mutating func btrfsRoots(_ system: FileSystem) throws -> [Root] {
        try unmount()
        let subvolumes = try machine.subvolumes(on: system.device)
        self.subvolumes[system.device] = subvolumes
        if let root = try defaultRoot(system, subvolumes) { return [root] }
        var named: [Root] = []
        var others: [Root] = []
        let known = subvolumes.map(\.path).filter { !Self.isSnapshot($0) }
        for path in [nil] + known.sorted(by: Self.isNearerTheTop).prefix(Self.subvolumeLimit).map(Optional.init) {
            let volume = Root(device: system.device, type: system.type, subvolume: path)
            guard let name = try self.system(on: volume) else { continue }
            if try chosenSubvolume(subvolumes) == path ?? "" {
                named.append(volume.named(name))
            } else {
                others.append(volume.named(name))
            }
        }
        return named.isEmpty ? others : named
    }

    private mutating func defaultRoot(_ system: FileSystem, _ subvolumes: [Subvolume]) throws -> Root? {
        guard let preferred = subvolumes.first(where: \.isDefault) else { return nil }
        let volume = Root(device: system.device, type: system.type, subvolume: preferred.path)
        guard let name = try self.system(on: volume) else { return nil }
        let told = try chosenSubvolume(subvolumes)
        if let told, told != preferred.path, subvolumes.contains(where: { $0.path == told }) {
            let other = Root(device: system.device, type: system.type, subvolume: told)
            if let otherName = try self.system(on: other) {
                note("the root is subvolume '\(told)' of '\(system.device)': the kernel's parameters or fstab name it")
                return other.named(otherName)
            }
        }
        let snapshots = subvolumes.filter { Self.isSnapshot($0.path) && $0.path != preferred.path }.count
        note(
            "the root is subvolume '\(preferred.path)' of '\(system.device)', the file system's default, which the boot"
                + " loader starts" + (snapshots > 0 ? "; \(snapshots) snapshots beside it stay as they are" : ""))
        return volume.named(name)
    }

    private mutating func note(_ message: String) {
        findings.append(Finding(level: .note, injector: "inspect", message: message))
    }

    /// The subvolume that the mounted system's boot loader gives the kernel, else the one that its fstab has for the
    /// root; "" is the top level, nil: neither names one.
    private func chosenSubvolume(_ subvolumes: [Subvolume]) throws -> String? {
        func path(_ options: some Sequence<Substring>) -> String? {
            for option in options {
                if option.hasPrefix("subvol=") {
                    return GuestPath(String(option.dropFirst("subvol=".count))).components.joined(separator: "/")
                }
                if option.hasPrefix("subvolid="), let id = UInt64(option.dropFirst("subvolid=".count)) {
                    // 5 is the top level's own.
                    return id == 5 ? "" : subvolumes.first { $0.id == id }?.path
                }
            }
            return nil
        }
        var files: [GuestPath] = ["/boot/grub2/grub.cfg", "/boot/grub/grub.cfg"]
        files += try machine.files(in: "/boot/loader/entries", suffix: ".conf").prefix(32)
        for file in files + ["/etc/kernel/cmdline", "/etc/default/grub"] {
            guard let text = try configuration(file) else { continue }
            for line in text.split(whereSeparator: \.isNewline) where line.contains("rootflags=") {
                // snapper's menu entries for snapshots come after the system's own.
                let words = line.split { " \t\"'".contains($0) }
                guard let flags = words.first(where: { $0.hasPrefix("rootflags=") }) else { continue }
                if let found = path(flags.dropFirst("rootflags=".count).split(separator: ",")) { return found }
            }
        }
        let line = try Fstab(configuration("/etc/fstab") ?? "").lines.first { $0.path == .root }
        return line.flatMap { path($0.options.map { $0[...] }) }
    }

    private static func isNearerTheTop(_ left: String, _ right: String) -> Bool {
        let depths = [left, right].map { $0.split(separator: "/").count }
        return depths[0] != depths[1] ? depths[0] < depths[1] : left < right
    }

    /// snapper's "…/.snapshots/1/snapshot", Timeshift's, containers'.
    static func isSnapshot(_ subvolume: String) -> Bool {
        subvolume.contains(".snapshots/") || subvolume.contains("@snapshots/") || subvolume.hasSuffix("/snapshot")
            || subvolume.hasPrefix("timeshift-btrfs/") || subvolume.contains("var/lib/docker/")
            || subvolume.contains("var/lib/machines/") || subvolume.contains("var/lib/containers/")
            || subvolume.contains("var/lib/lxd/")
    }
}
