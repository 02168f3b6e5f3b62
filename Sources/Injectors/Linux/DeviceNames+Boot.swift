import Guest

extension DeviceNames {
    func adaptBootConfiguration(_ draft: inout Draft, _ map: DiskMap, _ guest: Inspection) throws {
        // UUID= is the initramfs's work; the kernel alone only knows PARTUUID=.
        let usual: Volume.Preference = guest.kernels.contains { $0.initramfs == nil } ? .partitionUUID : .uuid

        var menus: [GuestPath] = ["/etc/grub.d/40_custom"]
        if case .grub2(let configuration, let prefix) = guest.bootLoader {
            menus += [configuration, prefix.appending("custom.cfg")]
        }
        for path in Set(menus).sorted() {
            try adapt(path, &draft, map, guest) { lines, index in
                if let range = BootLines.value(lines[index], of: Self.optionVariables.contains) {
                    return (range, usual)
                }
                guard let range = BootLines.kernelArguments(lines[index]) else { return nil }
                return (range, BootLines.loadsInitramfs(lines, behind: index) ? .uuid : .partitionUUID)
            }
        }
        try adaptEnvironments(&draft, map, guest, usual)
        switch guest.bootLoader {
        case .grubLegacy(let configuration):
            try adapt(configuration, &draft, map, guest) { lines, index in
                BootLines.legacyArguments(lines[index]).map { ($0, usual) }
            }
        case .syslinux(let configuration):
            try adapt(configuration, &draft, map, guest) { lines, index in
                BootLines.syslinuxArguments(lines[index]).map { ($0, usual) }
            }
        default: break
        }
        // Alpine's own, from which its extlinux.conf is made.
        try adapt("/etc/update-extlinux.conf", &draft, map, guest) { lines, index in
            BootLines.value(lines[index]) { ["root", "default_kernel_opts"].contains($0) }.map { ($0, usual) }
        }

        var entries = try draft.files(in: "/boot/loader/entries", suffix: ".conf")
        if case .loaderEntries(let known) = guest.bootLoader { entries += known }
        for path in Set(entries).sorted() {
            try adapt(path, &draft, map, guest) { lines, index in
                BootLines.entryOptions(lines[index]).map { ($0, usual) }
            }
        }
        try adapt("/etc/kernel/cmdline", &draft, map, guest) { lines, index in (lines[index].indices, usual) }

        for path in try ["/etc/default/grub"] + draft.files(in: "/etc/default/grub.d", suffix: ".cfg") {
            try adapt(path, &draft, map, guest) { lines, index in
                BootLines.value(lines[index]) { $0.hasPrefix("GRUB_CMDLINE") }.map { ($0, usual) }
            }
            try noteGRUBWithoutUUIDs(path, &draft)
        }
        let tools: GuestPath = "/etc/initramfs-tools"
        let parts = try draft.list(tools.appending("conf.d")).map { tools.appending("conf.d").appending($0) }
        for path in [tools.appending("initramfs.conf")] + parts {
            try adapt(path, &draft, map, guest) { lines, index in
                BootLines.value(lines[index]) { ["RESUME", "ROOT"].contains($0) }.map { ($0, usual) }
            }
        }
    }

    /// GRUB variables that hold kernel parameters, in grub.cfg and in grubenv (Red Hat's).
    private static let optionVariables: Set = ["kernelopts", "default_kernelopts"]

    private func adaptEnvironments(
        _ draft: inout Draft, _ map: DiskMap, _ guest: Inspection, _ preference: Volume.Preference
    ) throws {
        var folders: Set<GuestPath> = ["/boot/grub", "/boot/grub2"]
        if case .grub2(_, let prefix) = guest.bootLoader { folders.insert(prefix) }
        // One can be a link to the other, as in RHEL 8 on UEFI.
        let paths = Set(try folders.map { try draft.resolve($0.appending("grubenv")) })
        for path in paths.sorted() {
            guard let bytes = try draft.editableBytes(path, limit: Self.tableLimit),
                var block = GrubEnvironment(bytes)
            else { continue }
            for name in Self.optionVariables.sorted() {
                guard let (index, range) = block.value(of: name) else { continue }
                let old = block.lines[index]
                let new = rewrite(old, in: range, of: path, preference, map, guest, &draft)
                guard new != old else { continue }
                block.replace(line: index, with: new)
                guard let changed = block.bytes else {
                    warn(&draft, "'\(path)' has no room for the new names in '\(name)'; it stays as it is")
                    break
                }
                draft.record(
                    "device-name", of: "kernel parameters", in: path,
                    ["was": [String(decoding: old, as: UTF8.self)], "now": [String(decoding: new, as: UTF8.self)]])
                try draft.write(path, changed)
            }
        }
    }

    /// A line with other names for its devices, without consoles that the new machine hasn't, and without the wish to
    /// resume from a swap that is gone: the initramfs would wait for it.
    private func rewrite(
        _ line: [UInt8], in range: Range<Int>, of path: GuestPath, _ preference: Volume.Preference, _ map: DiskMap,
        _ guest: Inspection, _ draft: inout Draft
    ) -> [UInt8] {
        let named = DeviceReference.rewrite(line, in: range) { spelling(of: $0, in: path, preference, map, &draft) }
        func end(_ bytes: [UInt8]) -> Range<Int> { range.lowerBound..<range.upperBound + bytes.count - line.count }
        let consoles = KernelParameters.rewrite(named, in: end(named), KernelParameters.consoles)
        return KernelParameters.rewrite(consoles, in: end(consoles)) { words in
            words.map { word in
                guard let uuid = KernelParameters.resume(word), isGone(uuid, guest) else { return .keep }
                warn(
                    &draft,
                    "'resume=UUID=\(uuid)' in '\(path)' names a swap that is on none of the disks; it goes, and the guest"
                        + " doesn't wait for it")
                return .drop
            }
        }
    }

    /// Whether nothing with this UUID is there. What is inside an encrypted volume can't be known.
    private func isGone(_ uuid: String, _ guest: Inspection) -> Bool {
        !guest.fileSystems.isEmpty
            && !guest.fileSystems.contains { $0.type == "crypto_LUKS" || $0.uuid?.lowercased() == uuid.lowercased() }
    }

    /// Rewrites one file.
    /// - Parameter part: the part of a line that holds names, and how they are to be spelled.
    private func adapt(
        _ path: GuestPath, _ draft: inout Draft, _ map: DiskMap, _ guest: Inspection,
        part: ([[UInt8]], Int) -> (Range<Int>, Volume.Preference)?
    ) throws {
        guard let bytes = try draft.editableBytes(path) else { return }
        var file = ByteLines(bytes)
        var was: [String] = []
        var now: [String] = []
        for index in file.lines.indices {
            guard let (range, preference) = part(file.lines, index) else { continue }
            let new = rewrite(file.lines[index], in: range, of: path, preference, map, guest, &draft)
            guard new != file.lines[index] else { continue }
            was.append(file.text(index))
            file.lines[index] = new
            now.append(file.text(index))
        }
        guard !was.isEmpty else { return }
        draft.record("device-name", of: "kernel parameters", in: path, ["was": was, "now": now])
        try draft.write(path, file.bytes)
    }

    private func noteGRUBWithoutUUIDs(_ path: GuestPath, _ draft: inout Draft) throws {
        for line in ByteLines(try draft.editableBytes(path) ?? []).lines {
            guard let range = BootLines.value(line, of: { $0 == "GRUB_DISABLE_LINUX_UUID" }),
                String(decoding: line[range], as: UTF8.self).contains("true")
            else { continue }
            draft.note(
                "'\(path)' sets GRUB_DISABLE_LINUX_UUID: the next update-grub names the root by its device again",
                hint: "remove the setting")
        }
    }

    /// GRUB makes its own map of the disks where it finds no file; one with the old names stops its tools.
    func dropDeviceMap(_ draft: inout Draft, _ guest: Inspection) throws {
        var folders: Set<GuestPath> = ["/boot/grub", "/boot/grub2"]
        if case .grub2(_, let prefix) = guest.bootLoader { folders.insert(prefix) }
        for path in folders.sorted().map({ $0.appending("device.map") }) {
            guard let bytes = try draft.editableBytes(path, limit: Self.tableLimit) else { continue }
            let file = ByteLines(bytes)
            let isStale = file.lines.contains { line in
                guard let fields = FieldLine(line), let device = fields.text(1).flatMap(DeviceName.init) else {
                    return false
                }
                if case .ordered(diskPrefix, _, _) = device.kind { return false }
                return true
            }
            guard isStale else { continue }
            draft.record(
                "device-name", of: "GRUB's device map", in: path,
                ["was": file.lines.indices.map { file.text($0) }.filter { !$0.isEmpty }])
            try draft.remove(path)
        }
    }
}
