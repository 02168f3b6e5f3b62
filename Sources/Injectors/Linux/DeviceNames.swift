public import Guest

/// Names that change when a disk moves to a virtio bus: sda2, hda2, nvme0n1p2, by-path and by-id, wherever the boot
/// depends on them. They become UUIDs, which hold on every bus, the old one too.
///
/// Names by UUID or label and names of volumes stay as they are.
public struct DeviceNames: Injector {
    public let name = "device-names"

    /// What the new bus calls its disks, for those few partitions that have no UUID: "vd" for virtio-blk, "sd" for
    /// virtio-scsi.
    let diskPrefix: String
    /// By which firmware the guest will start.
    let firmware: Firmware

    public init(diskPrefix: String, firmware: Firmware) {
        self.diskPrefix = diskPrefix
        self.firmware = firmware
    }

    /// Every Linux guest: whether there is something to do is told by its files.
    public func applies(to guest: Inspection) -> Bool { true }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        let map = DiskMap(guest: guest, diskPrefix: diskPrefix, rootName: try rootName(draft, guest))
        let absent = try adaptCrypttab(&draft, map)
        try adaptFstab(&draft, map, absentVolumes: absent)
        try adaptMountUnits(&draft, map)
        try adaptArrays(&draft, guest)
        try adaptBootConfiguration(&draft, map, guest)
        try adaptLogins(&draft)
        try dropDeviceMap(&draft, guest)
        try adaptLVM(&draft, map, guest)
    }

    /// What the guest calls the device of its root: by its own fstab, else by the first entry of its boot loader.
    private func rootName(_ files: Draft, _ guest: Inspection) throws -> DeviceName? {
        var draft = files
        for line in ByteLines(try draft.editableBytes("/etc/fstab", limit: Self.tableLimit) ?? []).lines {
            guard let fields = FieldLine(line), fields.text(1) == "/", let source = fields.text(0) else { continue }
            if let name = DeviceName(source) { return name }
        }
        guard case .grub2(let configuration, _) = guest.bootLoader else { return nil }
        for line in ByteLines(try draft.editableBytes(configuration) ?? []).lines {
            guard let range = BootLines.kernelArguments(line) else { continue }
            var found: DeviceName?
            _ = DeviceReference.rewrite(line, in: range) { reference in
                if reference.key == "root", found == nil { found = reference.name }
                return nil
            }
            // The first entry is the guest's own, unless the menu was made by another system.
            let root = guest.mounts.first { $0.path.isRoot }.flatMap { guest.fileSystem(on: $0.device) }
            return found?.partition == root?.partition?.number ? found : nil
        }
        return nil
    }

    /// In bytes. fstab and crypttab have a few dozen lines.
    static let tableLimit: UInt64 = 64 << 10
    /// Nobody reads more, and each new finding is compared with those before it.
    private static let warningLimit = 500

    func warn(_ draft: inout Draft, _ message: String, hint: String? = nil) {
        if draft.findings.count < Self.warningLimit { draft.warn(message, hint: hint) }
    }

    /// The new spelling of a name in free text; nil where it stays, said in a finding.
    func spelling(
        of reference: DeviceReference, in file: GuestPath, _ preference: Volume.Preference, _ map: DiskMap,
        _ draft: inout Draft
    ) -> String? {
        let old = reference.name.text
        switch map.place(of: reference.name, needing: Self.need(reference.key)) {
        case .found(let volume):
            let takesUUID = Self.takesUUID.contains(reference.key)
            let new = takesUUID ? volume.specification(preference) : volume.path(preference)
            guard new != old else { return nil }
            if new == volume.deviceName { warnOfOrder(old, new, in: file, &draft) }
            return new
        case .missing(let becomes):
            warn(&draft, "'\(old)' in '\(file)' is on a disk that was not given; the setting will have no effect")
            return becomes
        case .unsure(let reason):
            warn(&draft, "it is not certain what '\(old)' in '\(file)' means: \(reason); it stays as it is")
            return nil
        }
    }

    func warnOfOrder(_ old: String, _ new: String, in file: GuestPath, _ draft: inout Draft) {
        warn(
            &draft,
            "'\(old)' in '\(file)' has no UUID; it becomes '\(new)', which holds while the disks keep their order"
        )
    }

    /// Settings that take UUID= for a name: the kernel's and the initramfs tools' own.
    private static let takesUUID: Set = [
        "root", "real_root", "resume", "real_resume", "cryptdevice", "crypt_root", "crypt_swap", "source", "RESUME",
        "ROOT",
    ]

    private static func need(_ key: String) -> DiskMap.Need {
        switch key {
        case "root", "real_root", "ROOT": .fileSystem(type: nil)
        case "resume", "real_resume", "RESUME": .swap
        case "cryptdevice", "crypt_root", "crypt_swap", "source": .encrypted
        default: .anything
        }
    }
}
