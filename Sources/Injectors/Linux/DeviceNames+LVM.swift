import Guest

extension DeviceNames {
    /// LVM finds its volumes by what is on a disk; only settings that name disks have to change.
    func adaptLVM(_ draft: inout Draft, _ map: DiskMap, _ guest: Inspection) throws {
        for path: GuestPath in ["/etc/lvm/lvm.conf", "/etc/lvm/lvmlocal.conf"] {
            try widenFilters(path, &draft, guest)
        }
        try renewDevicesFiles(&draft, map)
        try dropCache(&draft)
    }

    private func widenFilters(_ path: GuestPath, _ draft: inout Draft, _ guest: Inspection) throws {
        guard let bytes = try draft.editableBytes(path) else { return }
        let filter = LVMFilter(bytes, accepting: diskPrefix)
        for pattern in filter.doubtful {
            draft.warn(
                "the filter '\(pattern)' in '\(path)' may hide the disks of the new bus; it stays as it is",
                hint: "let the filter accept /dev/\(diskPrefix).*, or remove it")
        }
        guard !filter.added.isEmpty else { return }
        draft.record("device-name", of: "LVM filter", in: path, ["added": filter.added])
        try draft.write(path, filter.bytes)
        let root = guest.mounts.first { $0.path.isRoot }?.device ?? ""
        // A tool that is known brings the file into the initramfs.
        if !guest.disks.contains(where: { root.hasPrefix($0.device) }), try InitramfsTool.inUse(draft, for: nil) == nil,
            guest.kernels.contains(where: { $0.initramfs != nil })
        {
            draft.warn(
                "the initramfs may hold '\(path)' as it was; until it is rebuilt, the guest may not find its root"
            )
        }
    }

    /// LVM sees only the devices that a devices file names. Entries by what a bus makes up are written anew, by the
    /// physical volumes that they are for, as LVM itself names disks without a serial number; a file without any that is
    /// known goes, and LVM sees all devices.
    private func renewDevicesFiles(_ draft: inout Draft, _ map: DiskMap) throws {
        for path in try draft.files(in: "/etc/lvm/devices", suffix: ".devices") {
            guard let bytes = try draft.editableBytes(path) else { continue }
            var file = ByteLines(bytes)
            var isStale = false
            var isKnown = false
            for index in file.lines.indices {
                guard let entry = LVMDevice(file.text(index)), entry.dependsOnBus else { continue }
                if let name = entry.physicalVolume.flatMap(map.name(ofPhysicalVolume:)) {
                    isKnown = true
                    let new = entry.renewed(as: name)
                    if new != file.text(index) { isStale = true }
                    file.lines[index] = Array(new.utf8)
                } else if entry.type != "devname" || entry.isOfOldBus(diskPrefix) {
                    isStale = true
                }
            }
            guard isStale else { continue }
            if isKnown, file.bytes == bytes { continue }
            draft.record(
                "device-name", of: "LVM devices file", in: path,
                ["was": ByteLines(bytes).lines.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.isEmpty }])
            if isKnown { try draft.write(path, file.bytes) } else { try draft.remove(path) }
        }
    }

    private func dropCache(_ draft: inout Draft) throws {
        let path: GuestPath = "/etc/lvm/cache/.cache"
        guard try draft.status(path)?.kind == .file else { return }
        try draft.remove(path)
    }
}

/// One entry of a devices file (lvmdevices(8)): `IDTYPE=sys_wwid IDNAME=naa.6000… DEVNAME=/dev/sda2 PVID=… PART=2`.
private struct LVMDevice {
    private var fields: [(name: String, value: String)] = []

    init?(_ line: String) {
        guard line.utf8.count < 4096, line.hasPrefix("IDTYPE=") else { return nil }
        for word in line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }) {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 { fields.append((parts[0], parts[1])) }
        }
    }

    private func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    var type: String { value("IDTYPE") ?? "" }

    /// The others (md_uuid, crypt_uuid, lvmlv_uuid, loop_file …) hold on every bus.
    var dependsOnBus: Bool {
        ["sys_wwid", "sys_serial", "wwid_naa", "wwid_t10", "wwid_eui", "devname"].contains(type)
    }

    func isOfOldBus(_ diskPrefix: String) -> Bool {
        guard let device = value("IDNAME").flatMap(DeviceName.init) else { return false }
        if case .ordered(diskPrefix, _, _) = device.kind { return false }
        return true
    }

    /// Without dashes.
    var physicalVolume: String? { value("PVID") }

    func renewed(as device: String) -> String {
        fields.map { field in
            switch field.name {
            case "IDTYPE": "IDTYPE=devname"
            case "IDNAME", "DEVNAME": "\(field.name)=\(device)"
            default: "\(field.name)=\(field.value)"
            }
        }.joined(separator: " ")
    }
}
