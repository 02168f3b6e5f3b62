internal import Guest

/// Boot Loader Specification entries (type 1) as a GRUB menu.
enum LoaderEntries {
    private struct Entry {
        var title = ""
        var linux = ""
        var initrds: [String] = []
        var options: [String] = []
        var version = ""
    }

    /// - Returns: nil where no entry names a kernel that is there.
    static func grubConfiguration(
        _ paths: [GuestPath], in files: some GuestFiles, guest: Inspection
    ) throws -> String? {
        var menu = ""
        // The newest first, as boot loaders sort them: by name, backwards.
        for path in paths.sorted(by: >) {
            guard let entry = parse(try files.text(path) ?? ""),
                let mount = guest.mount(holding: try files.resolve(path)),
                let uuid = guest.fileSystem(on: mount.device)?.uuid,
                try files.exists(mount.path.appending(entry.linux))
            else { continue }
            // Paths in an entry start at the partition that holds it.
            let folder = mount.subvolume.map { "/" + $0 } ?? ""
            menu += "menuentry \(GrubMenu.quoted(entry.title.isEmpty ? path.name : entry.title)) {\n"
            menu += "    search --no-floppy --fs-uuid --set=root \(uuid)\n"
            menu += "    linux \(GrubMenu.quoted(folder + entry.linux)) \(entry.options.joined(separator: " "))\n"
            if !entry.initrds.isEmpty {
                menu += "    initrd \(entry.initrds.map { GrubMenu.quoted(folder + $0) }.joined(separator: " "))\n"
            }
            menu += "}\n"
        }
        guard !menu.isEmpty else { return nil }
        return """
            # Written by rehost from the guest's boot loader entries.
            insmod part_gpt
            insmod fat
            insmod ext2
            set timeout=3
            set default=0
            \(menu)
            """
    }

    private static func parse(_ text: String) -> Entry? {
        var entry = Entry()
        for line in text.split(separator: "\n") {
            let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace).map(String.init)
            guard words.count == 2, !words[0].hasPrefix("#") else { continue }
            let value = words[1].trimmingSuffix { $0.isWhitespace }
            switch words[0] {
            case "title": entry.title = value
            case "version": entry.version = value
            case "linux": entry.linux = value
            case "initrd": entry.initrds.append(value)
            case "options": entry.options.append(value.filter { $0 != "\n" })
            default: break
            }
        }
        return entry.linux.isEmpty ? nil : entry
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var text = Substring(self)
        while let last = text.last, predicate(last) { text.removeLast() }
        return String(text)
    }
}
