internal import Guest

/// Boot Loader Specification entries (type 1) as menu entries of a GRUB that can't read them itself. `LoaderMenuHook`
/// has the same program for the guest: both write the same bytes.
struct LoaderEntries {
    /// Whose rules order the entries and say which one starts.
    enum Style: String {
        /// Red Hat's GRUB: newest file name first; grub.cfg and grubenv say which one starts.
        case grub
        /// systemd-boot: sort keys first; loader.conf says which one starts.
        case systemd
    }

    var folder: GuestPath
    var style: Style
    /// The file system that the entries are on.
    var mount: Mount
    /// Of that file system.
    var uuid: String

    /// Nobody has more kernels; each is compared with the others.
    static let limit = 256

    /// - Returns: nil where the file system of the entries has no UUID that GRUB could find it by.
    init?(_ folder: GuestPath, style: Style, in files: some GuestFiles, guest: Inspection) throws {
        guard let mount = guest.mount(holding: try files.resolve(folder)),
            let uuid = guest.fileSystem(on: mount.device)?.uuid, GrubMenu.isPlain(uuid)
        else { return nil }
        self.folder = folder
        self.style = style
        self.mount = mount
        self.uuid = uuid
    }

    /// The menu's text; nil where no entry names a kernel that is there.
    func menu(_ files: some GuestFiles) throws -> [UInt8]? {
        let entries = try sorted(files)
        guard !entries.isEmpty else { return nil }
        var text = "# Written by rehost from \(folder), and again whenever a kernel comes or goes.\n"
        switch style {
        case .systemd: text += try settings(entries.map(\.entry), files)
        case .grub:
            text += """
                if [ -z "${grub_users}" ]; then
                    set rehost_users=--unrestricted
                else
                    set rehost_users="--users ${grub_users}"
                fi

                """
        }
        return try entries.reduce(into: Array(text.utf8)) { try $0 += render($1.entry, $1.kernel, files) }
    }

    /// The entries whose kernels are there, in the menu's order, with the kernels' paths as GRUB sees them.
    private func sorted(_ files: some GuestFiles) throws -> [(entry: LoaderEntry, kernel: [UInt8])] {
        var found: [(entry: LoaderEntry, kernel: [UInt8])] = []
        let names = try files.list(folder).filter { $0.hasSuffix(".conf") && !$0.hasPrefix(".") }
        for name in names.suffix(Self.limit) {
            let path = folder.appending(name)
            guard let status = try files.status(path), status.size <= LoaderEntry.sizeLimit,
                let bytes = try files.read(path)
            else { continue }
            let entry = LoaderEntry(name: name, bytes, style: style)
            guard !entry.linux.isEmpty, let kernel = try place(entry.linux, files), kernel.isThere else { continue }
            found.append((entry, kernel.path))
        }
        return found.sorted { isBefore($0.entry, $1.entry) }
    }

    private func isBefore(_ a: LoaderEntry, _ b: LoaderEntry) -> Bool {
        var order = 0
        switch style {
        case .grub: order = VersionOrder.compare(packages: a.id, b.id)
        case .systemd:
            if a.isSpent != b.isSpent { return b.isSpent }
            if a.sortKey.isEmpty != b.sortKey.isEmpty { return b.sortKey.isEmpty }
            if !a.sortKey.isEmpty {
                if a.sortKey != b.sortKey { return a.sortKey.lexicographicallyPrecedes(b.sortKey) }
                if a.machineID != b.machineID { return a.machineID.lexicographicallyPrecedes(b.machineID) }
                order = VersionOrder.compare(a.version, b.version)
            }
            if order == 0 { order = VersionOrder.compare(a.id, b.id) }
        }
        return order == 0 ? b.id.lexicographicallyPrecedes(a.id) : order > 0
    }

    /// A path of an entry as GRUB sees it, from the top of the file system, and whether something is there; nil for one
    /// that leads out of where it is.
    ///
    /// GRUB sees a btrfs from its top level; entries may count from there (Fedora's) or from the subvolume.
    private func place(_ written: [UInt8], _ files: some GuestFiles) throws -> (path: [UInt8], isThere: Bool)? {
        let path = written.first == UInt8(ascii: "/") ? written : [UInt8(ascii: "/")] + written
        let text = String(decoding: path, as: UTF8.self)
        guard !text.split(separator: "/").contains("..") else { return nil }
        guard let subvolume = mount.subvolume else { return (path, try files.exists(mount.path.appending(text))) }
        let prefix = "/" + subvolume
        if text.hasPrefix(prefix + "/"), try files.exists(mount.path.appending(String(text.dropFirst(prefix.count)))) {
            return (path, true)
        }
        return (Array(prefix.utf8) + path, try files.exists(mount.path.appending(text)))
    }

    private func render(_ entry: LoaderEntry, _ kernel: [UInt8], _ files: some GuestFiles) throws -> [UInt8] {
        var text = Array("menuentry ".utf8) + GrubScript.quoted(entry.title.isEmpty ? entry.id : entry.title)
        for name in entry.classes { text += Array(" --class ".utf8) + GrubScript.quoted(name) }
        // Without users of its own an entry is for everybody, also where the menu has superusers.
        if entry.users.contains(UInt8(ascii: "$")) {
            text += Array(" ${rehost_users}".utf8)
        } else if entry.users.isEmpty {
            text += Array(" --unrestricted".utf8)
        } else {
            text += Array(" --users ".utf8) + GrubScript.quoted(entry.users)
        }
        text += Array(" --id ".utf8) + GrubScript.quoted(entry.id) + Array(" {\n".utf8)
        text += Array("    search --no-floppy --fs-uuid --set=root \(uuid)\n    linux ".utf8)
        text += GrubScript.quoted(kernel)
        var options = GrubScript.words(entry.options)
        if entry.options.isEmpty, style == .grub { options = Array("${default_kernelopts}".utf8) }
        if !options.isEmpty { text += [0x20] + options }
        var initrds: [UInt8] = []
        for written in entry.initrds {
            if written.first == UInt8(ascii: "$") {
                let words = GrubScript.words(written)
                if !words.isEmpty { initrds += [0x20] + words }
            } else if let initrd = try place(written, files) {
                initrds += [0x20] + GrubScript.quoted(initrd.path)
            }
        }
        if !initrds.isEmpty { text += Array("\n    initrd".utf8) + initrds }
        return text + Array("\n}\n".utf8)
    }

    /// What loader.conf says about the menu.
    private func settings(_ entries: [LoaderEntry], _ files: some GuestFiles) throws -> String {
        var timeout = "3"
        var pattern = ""
        let bytes = try files.read(folder.parent.appending("loader.conf")) ?? []
        for line in bytes.prefix(Int(LoaderEntry.sizeLimit)).split(separator: 0x0A) {
            let words = line.split(maxSplits: 1, whereSeparator: GrubScript.isBlank)
                .map { String(decoding: $0, as: UTF8.self).trimming(while: " \t\r".contains) }
            guard words.count == 2 else { continue }
            switch (words[0], words[1]) {
            case ("timeout", "menu-force"): timeout = "-1"
            case ("timeout", "menu-hidden"), ("timeout", "menu-disabled"): timeout = "0"
            case ("timeout", let value) where !value.isEmpty && value.utf8.allSatisfy(GrubScript.isDigit):
                timeout = value
            case ("default", let value): pattern = value
            default: break
            }
        }
        if timeout.utf8.count > 6 { timeout = "3" }
        var text = "set timeout=\(timeout)\n"
        // "@saved" is in the firmware's variables, which aren't on the disks.
        guard !pattern.isEmpty, !pattern.hasPrefix("@"), pattern.utf8.count <= 255 else { return text }
        let wanted = Array(pattern.utf8)
        let chosen = entries.first {
            Self.matches(wanted[...], $0.id[...]) || Self.matches(wanted[...], ($0.id + Array(".conf".utf8))[...])
        }
        if let chosen {
            text += "set default=\(GrubScript.quoted(String(decoding: chosen.id, as: UTF8.self)))\n"
        }
        return text
    }

    /// A file name pattern with `*` and `?`. The last star takes what those before it left: no search grows beyond the
    /// product of both lengths.
    static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        var pattern = pattern
        var text = text
        var star: (pattern: ArraySlice<UInt8>, text: ArraySlice<UInt8>)?
        while let byte = text.first {
            if let wanted = pattern.first, wanted == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                star = (pattern, text)
            } else if let wanted = pattern.first, wanted == UInt8(ascii: "?") || wanted == byte {
                pattern = pattern.dropFirst()
                text = text.dropFirst()
            } else if let last = star {
                pattern = last.pattern
                text = last.text.dropFirst()
                star = (last.pattern, text)
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }
}

extension String {
    /// Without such characters at both ends.
    fileprivate func trimming(while isTrimmed: (Character) -> Bool) -> String {
        var text = self[...].drop(while: isTrimmed)
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}
