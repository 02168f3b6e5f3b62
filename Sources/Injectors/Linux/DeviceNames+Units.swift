import Guest

extension DeviceNames {
    /// Mounts that an administrator wrote as units rather than into fstab: `What=/dev/sda1`.
    func adaptMountUnits(_ draft: inout Draft, _ map: DiskMap) throws {
        for path in try draft.files(in: SystemdUnits.administrator, suffix: ".mount").prefix(Self.unitLimit) {
            guard case .file = try draft.kept(path)?.kind, let bytes = try draft.editableBytes(path, limit: 64 << 10)
            else { continue }
            var file = ByteLines(bytes)
            let type = file.lines.lazy.compactMap { Self.value(of: "Type", $0) }.first
            for index in file.lines.indices {
                guard let source = Self.value(of: "What", file.lines[index]), let name = DeviceName(source) else {
                    continue
                }
                switch map.place(of: name, needing: .fileSystem(type: type)) {
                case .found(let volume):
                    let new = volume.path()
                    guard new != source else { continue }
                    if new == volume.deviceName { warnOfOrder(source, new, in: path, &draft) }
                    draft.record(
                        "device-name", of: source, in: path, ["was": [file.text(index)], "now": ["What=\(new)"]])
                    file.lines[index] = Array("What=\(new)".utf8)
                case .missing:
                    warn(&draft, "'\(source)' in '\(path)' is on a disk that was not given; the mount will fail")
                case .unsure(let reason):
                    warn(
                        &draft, "it is not certain what '\(source)' in '\(path)' means: \(reason); it stays as it is")
                }
            }
            if file.bytes != bytes { try draft.write(path, file.bytes) }
        }
        // A swap unit is named after its device, so that another device is another unit.
        for path in try draft.files(in: SystemdUnits.administrator, suffix: ".swap").prefix(Self.unitLimit) {
            guard case .file = try draft.kept(path)?.kind, let bytes = try draft.editableBytes(path, limit: 64 << 10),
                let source = ByteLines(bytes).lines.lazy.compactMap({ Self.value(of: "What", $0) }).first,
                let name = DeviceName(source)
            else { continue }
            if case .found(let volume) = map.place(of: name, needing: .swap), volume.path() == source { continue }
            warn(
                &draft,
                "'\(path)' names '\(source)', which the new bus calls otherwise; the guest starts without this"
                    + " swap space, after a time-out",
                hint: "name it by UUID in '/etc/fstab', and remove the unit")
        }
    }

    private static let unitLimit = 500

    private static func value(of key: String, _ line: [UInt8]) -> String? {
        guard line.starts(with: "\(key)=".utf8) else { return nil }
        let text = String(decoding: line.dropFirst(key.utf8.count + 1), as: UTF8.self)
        return String(text.reversed().drop { $0 == " " || $0 == "\r" }.reversed().drop { $0 == " " })
    }
}
