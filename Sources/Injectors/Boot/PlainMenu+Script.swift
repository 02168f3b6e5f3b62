internal import Guest

extension PlainMenu {
    /// The menu in GRUB's language, each entry with the file system that its kernel is on; nil where no kernel is there.
    func script(_ files: some GuestFiles, guest: Inspection, from configuration: GuestPath) throws -> [UInt8]? {
        var text: [UInt8] = []
        var places: [Int] = []
        for (index, entry) in entries.enumerated() {
            guard let kernel = try place(entry.kernel, configuration, files, guest) else { continue }
            places.append(index)
            text += Array("menuentry ".utf8) + GrubScript.quoted(entry.title) + Array(" {\n".utf8)
            text += Array("    search --no-floppy --fs-uuid --set=root \(kernel.uuid)\n    linux ".utf8)
            text += GrubScript.quoted(kernel.path)
            let options = GrubScript.words(Self.withoutVariables(entry.options))
            if !options.isEmpty { text += [0x20] + options }
            let initrds = try entry.initrds.compactMap { try place($0, configuration, files, guest)?.path }
            if !initrds.isEmpty {
                text += Array("\n    initrd ".utf8) + initrds.map(GrubScript.quoted).joined(separator: [0x20])
            }
            text += Array("\n}\n".utf8)
        }
        guard !places.isEmpty else { return nil }
        let start = places.firstIndex(of: chosen) ?? 0
        return Array(
            "# Written by rehost from \(configuration).\nset timeout=\(timeout)\nset default=\(start)\n".utf8) + text
    }

    /// These loaders have no variables: a dollar sign is one.
    private static func withoutVariables(_ options: [UInt8]) -> [UInt8] {
        options.flatMap { $0 == UInt8(ascii: "$") ? Array("\\$".utf8) : [$0] }
    }

    /// A path of an entry as GRUB sees it, and the UUID of its file system; nil where nothing is there.
    ///
    /// The loader counts from the file system that its configuration is on, or, where that isn't the one with /boot,
    /// from the root; syslinux also from the configuration's folder.
    private func place(
        _ written: [UInt8], _ configuration: GuestPath, _ files: some GuestFiles, _ guest: Inspection
    ) throws -> (path: [UInt8], uuid: String)? {
        let text = String(decoding: written, as: UTF8.self)
        guard !text.isEmpty else { return nil }
        let home = try files.resolve(configuration).parent
        var candidates: [GuestPath] = []
        if !text.hasPrefix("/") { candidates.append(home.appending(text)) }
        for path in [home, "/boot", .root] {
            if let mount = guest.mount(holding: path) { candidates.append(mount.path.appending(text)) }
        }
        for candidate in candidates {
            let path = try files.resolve(candidate)
            guard try files.status(path)?.kind == .file, let mount = guest.mount(holding: path),
                let uuid = guest.fileSystem(on: mount.device)?.uuid, GrubMenu.isPlain(uuid),
                let below = path.relative(to: mount.path)
            else { continue }
            return (Array("/".utf8) + Array((mount.subvolume.map { $0 + "/" } ?? "").utf8) + Array(below.utf8), uuid)
        }
        return nil
    }
}
