import Guest

extension DeviceNames {
    /// LVM finds its volumes by what is on a disk; only settings that name disks have to change.
    func adaptLVM(_ draft: inout Draft, _ guest: Inspection) throws {
        for path: GuestPath in ["/etc/lvm/lvm.conf", "/etc/lvm/lvmlocal.conf"] {
            try widenFilters(path, &draft, guest)
        }
        try dropDevicesFile(&draft)
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
        if !guest.disks.contains(where: { root.hasPrefix($0.device) }),
            guest.kernels.contains(where: { $0.initramfs != nil })
        {
            draft.warn(
                "the initramfs may hold '\(path)' as it was; until it is rebuilt, the guest may not find its root"
            )
        }
    }

    /// LVM then sees all devices, as it does without such a file.
    private func dropDevicesFile(_ draft: inout Draft) throws {
        let path: GuestPath = "/etc/lvm/devices/system.devices"
        guard let bytes = try draft.editableBytes(path) else { return }
        let file = ByteLines(bytes)
        let isStale = file.lines.contains { line in
            guard let first = FieldLine(line)?.text(0), first.hasPrefix("IDTYPE=") else { return false }
            // The others (md_uuid, crypt_uuid, lvlv_uuid, loop_file …) hold on every bus.
            return ["sys_wwid", "sys_serial", "devname"].contains(String(first.dropFirst("IDTYPE=".count)))
        }
        guard isStale else { return }
        draft.record(
            "device-name", of: "LVM devices file", in: path,
            ["was": file.lines.indices.map { file.text($0) }.filter { !$0.isEmpty }])
        try draft.remove(path)
    }

    private func dropCache(_ draft: inout Draft) throws {
        let path: GuestPath = "/etc/lvm/cache/.cache"
        guard try draft.status(path)?.kind == .file else { return }
        try draft.remove(path)
    }
}
