import Guest

extension DeviceNames {
    private static let crypttab: GuestPath = "/etc/crypttab"
    /// crypttab(5): name, source, key, options.
    private static let options = 3

    /// Gives the names of the volumes that won't exist, because their disk was not given.
    func adaptCrypttab(_ draft: inout Draft, _ map: DiskMap) throws -> Set<String> {
        var absent: Set<String> = []
        guard let bytes = try draft.editableBytes(Self.crypttab, limit: Self.tableLimit) else { return absent }
        var file = ByteLines(bytes)
        for index in file.lines.indices {
            noteUnlocking(file.lines[index], &draft)
            guard var line = FieldLine(file.lines[index]), let name = line.text(0), let source = line.text(1) else {
                continue
            }
            if let device = DeviceName(source), !adaptSource(device, of: name, &line, &draft, map) {
                absent.insert(name)
            }
            for field in 2...Self.options {
                guard let raw = line.raw(field) else { continue }
                let new = DeviceReference.rewrite(raw, in: 0..<raw.count) {
                    spelling(of: $0, in: Self.crypttab, .uuid, map, &draft)
                }
                if new != raw { line.replace(field, with: new) }
            }
            guard line.bytes != file.lines[index] else { continue }
            draft.record(
                "device-name", of: source, in: Self.crypttab,
                ["was": [file.text(index)], "now": [String(decoding: line.bytes, as: UTF8.self)]])
            file.lines[index] = line.bytes
        }
        if file.bytes != bytes { try draft.write(Self.crypttab, file.bytes) }
        return absent
    }

    /// What unlocks a volume without a person may not be in the new machine.
    private func noteUnlocking(_ bytes: [UInt8], _ draft: inout Draft) {
        guard let line = FieldLine(bytes), let name = line.text(0) else { return }
        let devices: [(option: String, what: String)] = [
            ("tpm2-device=", "the machine's TPM"), ("fido2-device=", "a FIDO2 token"), ("pkcs11-uri=", "a smart card"),
        ]
        let options = line.list(Self.options)
        for device in devices where options.contains(where: { $0.hasPrefix(device.option) }) {
            warn(
                &draft,
                "'\(name)' in '\(Self.crypttab)' is unlocked by \(device.what), which the new machine doesn't have:"
                    + " the guest asks for the passphrase on its console",
                hint: "make sure that the volume has a passphrase: cryptsetup luksAddKey")
        }
        if let script = options.first(where: { $0.hasPrefix("keyscript=") }), !script.hasSuffix("decrypt_derived") {
            draft.note(
                "'\(name)' in '\(Self.crypttab)' gets its key from a script (\(script)), which has to work in the new"
                    + " machine, too")
        }
    }

    /// Whether the volume will be there.
    private func adaptSource(
        _ device: DeviceName, of name: String, _ line: inout FieldLine, _ draft: inout Draft, _ map: DiskMap
    ) -> Bool {
        let isScratch = isScratch(line)
        let hasHeader = !isScratch && Set(line.list(Self.options)).isDisjoint(with: ["plain", "tcrypt", "bitlk"])
        let reason: String
        switch map.place(of: device, needing: isScratch ? .scratch : hasHeader ? .encrypted : .anything) {
        case .found(let volume):
            // Old tools take UUID= here and nothing else; a path works with all of them. What has no header has no UUID
            // that lasts.
            let byUUID = hasHeader ? volume.uuid.map { "UUID=\($0)" } : nil
            let new = byUUID ?? volume.path(.partitionUUID)
            guard new != device.text else { return true }
            if new == volume.deviceName { warnOfOrder(device.text, new, in: Self.crypttab, &draft) }
            line.replace(1, with: new)
            return true
        case .missing(let becomes):
            reason = "is on a disk that was not given"
            if let becomes { line.replace(1, with: becomes) }
        case .unsure(let why):
            reason = "can't be told: \(why)"
        }
        let what = "'\(device.text)' for '\(name)' in '\(Self.crypttab)' \(reason)"
        guard Set(line.list(Self.options)).isDisjoint(with: ["nofail", "noauto"]) else {
            draft.note("\(what); the guest starts without it, as it did before")
            return false
        }
        if line.count == 2 { line.addOption("none", to: 2) }
        line.addOption("nofail", to: Self.options)
        warn(
            &draft, "\(what); it gets 'nofail', and the guest starts without it",
            hint: "convert the machine with all its disks, or name the volume by UUID")
        return false
    }

    /// A volume with a new key at each boot: whatever is on the partition is lost, so that it has to be the right one.
    private func isScratch(_ line: FieldLine) -> Bool {
        let keys = ["/dev/urandom", "/dev/random", "/dev/hwrng"]
        return keys.contains(line.text(2) ?? "")
            || line.list(Self.options).contains { $0 == "swap" || $0 == "tmp" || $0.hasPrefix("tmp=") }
    }
}
