/// A partition or disk, and the names that it can be called by on any bus.
struct Volume: Equatable {
    /// What blkid sees on it; nil for nothing.
    let type: String?
    let uuid: String?
    let partitionUUID: String?
    /// What the new bus calls it: "/dev/vda2". It depends on the order of the disks.
    let deviceName: String

    enum Preference {
        case uuid
        /// For the kernel itself, which knows no UUID= without an initramfs, and for content that changes.
        case partitionUUID
    }

    init(type: String?, uuid: String?, partitionUUID: String?, deviceName: String) {
        self.type = type
        self.uuid = uuid.flatMap(Self.checked)
        self.partitionUUID = partitionUUID.flatMap(Self.checked)
        self.deviceName = deviceName
    }

    /// They come from the disk and go into files with a syntax.
    private static func checked(_ value: String) -> String? {
        let isPlain = value.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
        }
        return isPlain && (1...64).contains(value.utf8.count) ? value : nil
    }

    /// "UUID=…", "PARTUUID=…" or the device's name, as fstab and `root=` take it.
    func specification(_ preference: Preference = .uuid) -> String {
        let byUUID = uuid.map { "UUID=\($0)" }
        let byPartition = partitionUUID.map { "PARTUUID=\($0)" }
        switch preference {
        case .uuid: return byUUID ?? byPartition ?? deviceName
        case .partitionUUID: return byPartition ?? deviceName
        }
    }

    /// A path that udev makes, for settings that take no UUID=. The partition comes first: a UUID is shared by all
    /// devices of a btrfs.
    func path(_ preference: Preference = .uuid) -> String {
        if let partitionUUID { return "/dev/disk/by-partuuid/\(partitionUUID)" }
        if preference == .uuid, let uuid { return "/dev/disk/by-uuid/\(uuid)" }
        return deviceName
    }
}
