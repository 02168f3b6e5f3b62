internal import Guest

/// Which kernel a guest starts by itself, where its boot loader's files tell.
struct DefaultKernel {
    private let files: any GuestFiles
    private let kernels: [Kernel]

    /// - Returns: its version; nil where the files don't tell.
    static func version(in files: any GuestFiles, of guest: Inspection) throws -> String? {
        let finder = DefaultKernel(files: files, kernels: guest.kernels)
        for prefix in ["/boot/grub2", "/boot/grub"] as [GuestPath] {
            if let text = try files.text(prefix.appending("grub.cfg")), !text.isEmpty {
                return try finder.grub(text, prefix: prefix)
            }
        }
        for menu in ["/boot/grub/menu.lst", "/boot/grub/grub.conf"] as [GuestPath] {
            if let text = try files.text(menu) { return try finder.legacy(text) }
        }
        for menu in [
            "/boot/extlinux/extlinux.conf", "/boot/syslinux/syslinux.cfg", "/boot/extlinux.conf",
            "/boot/syslinux.cfg",
        ] as [GuestPath] {
            if let text = try files.text(menu) { return try finder.syslinux(text) }
        }
        return nil
    }

    /// The kernel of an image as a menu names it: from the top of whichever file system it is on.
    private func version(ofImage path: String) throws -> String? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if let kernel = kernels.first(where: { $0.image.name == name }) { return kernel.version }
        // Debian's /vmlinuz and SUSE's /boot/vmlinuz are links.
        for folder in ["/boot", "/"] as [GuestPath] {
            let real = try files.resolve(folder.appending(name))
            if let kernel = try kernels.first(where: { try files.resolve($0.image) == real }) { return kernel.version }
        }
        return nil
    }

    // MARK: GRUB 2

    private struct Entry {
        /// Places in the menu from the top, "1>0", and the names that each level has.
        var place: String
        var names: Set<String>
        var image: String?
    }

    private func grub(_ text: String, prefix: GuestPath) throws -> String? {
        let saved = try savedEntry(prefix)
        var wanted = "0"
        for line in text.split(whereSeparator: \.isNewline) {
            let words = Self.words(line)
            guard words.first == "set", let value = words.last?.dropPrefix("default=") else { continue }
            if value.contains("next_entry") { continue }
            wanted = value.contains("saved_entry") ? saved ?? wanted : value
        }
        if text.split(whereSeparator: \.isWhitespace).contains("blscfg") { return try blsDefault(saved ?? wanted) }
        let entries = Self.entries(text)
        let entry = entries.first { $0.place == wanted || $0.names.contains(wanted) } ?? entries.first
        return try entry?.image.flatMap { try version(ofImage: $0) }
    }

    private func savedEntry(_ prefix: GuestPath) throws -> String? {
        for folder in [prefix, "/boot/grub2", "/boot/grub"] as [GuestPath] {
            let text = try files.text(folder.appending("grubenv")) ?? ""
            let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("saved_entry=") }
            if let value = line?.dropFirst("saved_entry=".count), !value.isEmpty { return String(value) }
        }
        return nil
    }

    /// Boot Loader Specification entries: the one that is named, or the newest.
    private func blsDefault(_ wanted: String) throws -> String? {
        let entries = try files.files(in: "/boot/loader/entries", suffix: ".conf")
            .sorted { InstalledKernels.isOlder($1.name, $0.name) }
        let named = entries.first { $0.name == wanted + ".conf" || $0.name == wanted }
        let place = Int(wanted).flatMap { entries.indices.contains($0) ? entries[$0] : nil }
        // A rescue entry sorts below every version.
        guard let entry = named ?? place ?? entries.first else { return nil }
        for line in (try files.text(entry) ?? "").split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.count == 2, words[0] == "linux" { return try version(ofImage: String(words[1])) }
        }
        return nil
    }

    /// The menu's entries in order. Braces are counted by lines, as GRUB's own generators write them.
    private static func entries(_ text: String) -> [Entry] {
        struct Level {
            var isMenu: Bool
            var place = ""
            var names: [String] = []
            var count = 0
        }
        var entries: [Entry] = []
        var levels = [Level(isMenu: true)]
        for line in text.split(whereSeparator: \.isNewline) {
            let words = words(line)
            guard let command = words.first else { continue }
            if command == "menuentry" || command == "submenu", levels.count < 16 {
                let place = levels.last { $0.isMenu } ?? Level(isMenu: true)
                let number = "\(place.count)"
                if let index = levels.lastIndex(where: { $0.isMenu }) { levels[index].count += 1 }
                var names = [words.dropFirst().first ?? ""]
                for (word, next) in zip(words, words.dropFirst())
                where ["--id", "$menuentry_id_option"].contains(word) { names.append(next) }
                let above = place.place.isEmpty ? [""] : place.names.map { $0 + ">" }
                let full = above.flatMap { above in names.map { above + $0 } }
                let level = Level(
                    isMenu: command == "submenu", place: place.place.isEmpty ? number : "\(place.place)>\(number)",
                    names: Array(full.prefix(64)))
                levels.append(level)
                if command == "menuentry" {
                    entries.append(Entry(place: level.place, names: Set(level.names), image: nil))
                }
            } else if line.last == "{" {
                levels.append(Level(isMenu: levels.last?.isMenu ?? true, place: levels.last?.place ?? ""))
            } else if command == "}", levels.count > 1 {
                levels.removeLast()
            } else if ["linux", "linux16", "linuxefi"].contains(command), words.count > 1, !entries.isEmpty {
                let last = entries.count - 1
                if entries[last].image == nil { entries[last].image = words[1] }
            }
        }
        return entries
    }

    /// Words of one line, quotes taken off.
    private static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let complete = word { words.append(complete) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let complete = word { words.append(complete) }
        return words
    }

    // MARK: Others

    /// GRUB legacy: the entry that `default` counts to, from 0.
    private func legacy(_ text: String) throws -> String? {
        var wanted = 0
        var images: [String?] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0.isWhitespace || $0 == "=" }.map(String.init)
            switch words.first {
            case "default":
                // "saved" is kept in a file of blocks that GRUB writes; its first entry is likelier than none.
                if words.count > 1 { wanted = Int(words[1]) ?? 0 }
            case "title": images.append(nil)
            case "kernel" where !images.isEmpty:
                let path = line.split(whereSeparator: \.isWhitespace).dropFirst().first { !$0.hasPrefix("--") }
                images[images.count - 1] = path.map(String.init)
            default: break
            }
        }
        guard images.indices.contains(wanted), let image = images[wanted] else { return nil }
        return try version(ofImage: image)
    }

    /// syslinux and extlinux: the label that DEFAULT names, else the first.
    private func syslinux(_ text: String) throws -> String? {
        var wanted: String?
        var images: [(label: String, image: String)] = []
        var label = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count > 1 else { continue }
            switch words[0].lowercased() {
            case "default": wanted = words[1]
            case "label": label = words[1]
            case "menu" where words[1].lowercased() == "default": wanted = label
            case "linux", "kernel": images.append((label, words[1]))
            default: break
            }
        }
        let image = images.first { $0.label == wanted } ?? images.first
        return try image.flatMap { try version(ofImage: $0.image) }
    }
}

extension String {
    fileprivate func dropPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
