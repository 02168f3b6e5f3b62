import Guest

extension DeviceNames {
    private static let fstab: GuestPath = "/etc/fstab"
    /// fstab(5): source, mount point, type, options.
    private static let options = 3

    /// - Parameter absentVolumes: names below /dev/mapper that won't exist, because their disk was not given.
    func adaptFstab(_ draft: inout Draft, _ map: DiskMap, absentVolumes: Set<String>) throws {
        guard let bytes = try draft.editableBytes(Self.fstab, limit: Self.tableLimit) else { return }
        var file = ByteLines(bytes)
        let claims = claims(file, map)
        for index in file.lines.indices {
            guard var line = FieldLine(file.lines[index]), let source = line.text(0), let point = line.text(1),
                !isRemovable(line)
            else { continue }
            if let device = DeviceName(source) {
                adaptSource(device, &line, &draft, map, claims)
            } else if let volume = source.dropping("/dev/mapper/"), absentVolumes.contains(volume) {
                tolerateAbsence(of: source, "is on a disk that was not given", &line, &draft)
            } else if !["/", "/boot/efi", "/efi"].contains(point), canWait(line), map.isAbsent(source) {
                tolerateAbsence(of: source, "is on none of the given disks", &line, &draft)
            }
            if let raw = line.raw(Self.options) {
                let new = DeviceReference.rewrite(raw, in: 0..<raw.count) {
                    spelling(of: $0, in: Self.fstab, .uuid, map, &draft)
                }
                if new != raw { line.replace(Self.options, with: new) }
            }
            if firmware == .bios, ["/boot/efi", "/efi"].contains(point), line.text(2) == "vfat", canWait(line) {
                // It stays on the disk as the way back; the boot doesn't need it any more.
                line.addOption("nofail", to: Self.options)
            }
            guard line.bytes != file.lines[index] else { continue }
            draft.record(
                "device-name", of: source, in: Self.fstab,
                ["was": [file.text(index)], "now": [String(decoding: line.bytes, as: UTF8.self)]])
            file.lines[index] = line.bytes
        }
        if file.bytes != bytes { try draft.write(Self.fstab, file.bytes) }
    }

    private func adaptSource(
        _ device: DeviceName, _ line: inout FieldLine, _ draft: inout Draft, _ map: DiskMap, _ claims: Claims
    ) {
        switch map.place(of: device, needing: need(line)) {
        case .found(let volume):
            guard !claims.isContested(volume, by: device) else {
                tolerateAbsence(of: device.text, "can't be told from another line's device", &line, &draft)
                return
            }
            let new = volume.specification()
            guard new != device.text else { return }
            if new == volume.deviceName { warnOfOrder(device.text, new, in: Self.fstab, &draft) }
            line.replace(0, with: new)
        case .missing(let becomes):
            tolerateAbsence(of: device.text, "is on a disk that was not given", &line, &draft)
            if let becomes { line.replace(0, with: becomes) }
        case .unsure(let reason):
            tolerateAbsence(of: device.text, "can't be told: \(reason)", &line, &draft)
        }
    }

    private func need(_ line: FieldLine) -> DiskMap.Need {
        let type = line.text(2) ?? "auto"
        return type == "swap" ? .swap : .fileSystem(type: type)
    }

    /// Lets the guest start without a file system, as long as it can.
    private func tolerateAbsence(of source: String, _ reason: String, _ line: inout FieldLine, _ draft: inout Draft) {
        let point = line.text(1) ?? "none"
        let use = line.text(2) == "swap" ? "swap" : "'\(point)'"
        let what = "'\(source)' for \(use) in '\(Self.fstab)' \(reason)"
        let hint = "convert the machine with all its disks, or name the file system by UUID"
        if ["/", "/usr"].contains(point) {
            warn(&draft, "\(what); it stays as it is, and the guest may not start", hint: hint)
        } else if canWait(line) {
            line.addOption("nofail", to: Self.options)
            warn(&draft, "\(what); it gets 'nofail', and the guest starts without it", hint: hint)
        } else {
            draft.note("\(what); the guest starts without it, as it did before")
        }
    }

    /// Whether the boot depends on the line.
    private func canWait(_ line: FieldLine) -> Bool {
        Set(line.list(Self.options)).isDisjoint(with: ["nofail", "noauto"])
    }

    /// A drive for discs or floppies, which "/dev/hdc" may be.
    private func isRemovable(_ line: FieldLine) -> Bool {
        let types = Set((line.text(2) ?? "").split(separator: ","))
        let name = GuestPath(line.text(1) ?? "").name
        return !types.isDisjoint(with: ["iso9660", "udf"])
            || ["cdrom", "dvd", "floppy"].contains { name.hasPrefix($0) }
    }

    // MARK: Claims

    /// Who names which partition. Two names of different buses can be read as one partition; a partition is mounted
    /// once, so that one of them is meant for another disk.
    private struct Claims {
        var names: [String: Set<String>] = [:]
        var root: String?

        func isContested(_ volume: Volume, by name: DeviceName) -> Bool {
            // All subvolumes of a btrfs are mounted from one device, by any of its names.
            guard volume.type != "btrfs", name.text != root, let all = names[volume.deviceName] else { return false }
            return all.count > 1
        }
    }

    private func claims(_ file: ByteLines, _ map: DiskMap) -> Claims {
        var claims = Claims()
        for bytes in file.lines {
            guard let line = FieldLine(bytes), let source = line.text(0), !isRemovable(line) else { continue }
            if line.text(1) == "/" { claims.root = source }
            if let device = DeviceName(source), case .found(let volume) = map.place(of: device, needing: need(line)) {
                claims.names[volume.deviceName, default: []].insert(source)
            } else if let volume = map.volume(specified: source) {
                claims.names[volume.deviceName, default: []].insert(volume.specification())
            }
        }
        return claims
    }
}

extension String {
    /// What is behind a prefix; nil where it has another one.
    fileprivate func dropping(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
