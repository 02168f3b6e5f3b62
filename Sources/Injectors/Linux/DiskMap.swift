import Guest

/// Which partition of the inspected disks a guest's device name means, and how it can be named so that the bus doesn't
/// matter.
///
/// The guest's names and the inspection's both count disks in order. Where the guest's own root tells another order
/// (its root is "/dev/sdb2", and it is on the first disk that was given), the two disks change places.
struct DiskMap {
    /// What a line needs to find on a partition; a mismatch means that the name was misread.
    enum Need {
        /// A file system, of a type as fstab names it where it is known.
        case fileSystem(type: String?)
        case swap
        case encrypted
        /// No recognizable content: a volume that gets a new key at each boot, and loses what is on it.
        case scratch
        case anything
    }

    enum Place {
        case found(Volume)
        /// No such disk or partition was given. `becomes`: the name it would have, where the old one could be taken for
        /// another disk.
        case missing(becomes: String?)
        /// The reason.
        case unsure(String)
    }

    private let guest: Inspection
    private let diskPrefix: String
    private let root: (name: DeviceName, volume: Volume)?
    private let exchange: (bus: String, Int, Int)?

    /// - Parameter rootName: how the guest calls the device of its root, where that is a bus name.
    init(guest: Inspection, diskPrefix: String, rootName: DeviceName?) {
        self.guest = guest
        self.diskPrefix = diskPrefix
        guard let rootName, let mount = guest.mounts.first(where: { $0.path.isRoot }),
            let place = Self.split(mount.device, guest)
        else {
            root = nil
            exchange = nil
            return
        }
        root = (rootName, Self.volume(place.disk, place.number, guest, diskPrefix))
        if case .ordered(let bus, let index, let number) = rootName.kind, number == place.number,
            index != place.disk.index
        {
            exchange = (bus, index, place.disk.index)
        } else {
            exchange = nil
        }
    }

    func place(of name: DeviceName, needing need: Need) -> Place {
        if let root, root.name == name { return .found(root.volume) }
        let disk: GuestDisk
        var becomes: String?
        switch name.kind {
        case .hardware:
            guard let found = self.disk(ofHardware: name, needing: need) else {
                return .unsure("the guest has several disks, and the name doesn't tell which one it is")
            }
            disk = found
        case .ordered(let bus, let index, let number):
            var actual = index
            if let exchange, exchange.bus == bus {
                if index == exchange.1 { actual = exchange.2 }
                if index == exchange.2 { actual = exchange.1 }
                if actual != index { becomes = Self.name(diskPrefix, actual, number) }
            }
            guard let found = guest.disks.first(where: { $0.index == actual }) else {
                return .missing(becomes: becomes)
            }
            disk = found
        }
        let volume = Self.volume(disk, name.partition, guest, diskPrefix)
        if volume.type == nil, let number = name.partition, !Self.has(number, disk.table) {
            return .missing(becomes: becomes)
        }
        if let objection = need.objection(to: volume.type) { return .unsure(objection) }
        return .found(volume)
    }

    /// A path or serial number: the root's disk where they agree, else the only disk whose partition of that number
    /// holds what is wanted.
    private func disk(ofHardware name: DeviceName, needing need: Need) -> GuestDisk? {
        if guest.disks.count <= 1 { return guest.disks.first }
        if let root, root.name.hardwareBase == name.hardwareBase, let mount = guest.mounts.first(where: \.path.isRoot) {
            return Self.split(mount.device, guest)?.disk
        }
        guard name.partition != nil, need.isTelling else { return nil }
        let fitting = guest.disks.filter { disk in
            let volume = Self.volume(disk, name.partition, guest, diskPrefix)
            return volume.type != nil && need.objection(to: volume.type) == nil
        }
        return fitting.count == 1 ? fitting.first : nil
    }

    /// What the new bus calls the partition or disk that an LVM physical volume is; nil for one in an array or an
    /// encrypted volume, whose names hold, and for one that isn't there.
    /// - Parameter id: its UUID without dashes.
    func name(ofPhysicalVolume id: String) -> String? {
        let system = guest.fileSystems.first { system in
            system.type == "LVM2_member" && system.uuid?.filter { $0 != "-" } == id
        }
        guard let system, let place = Self.split(system.device, guest) else { return nil }
        return Self.name(diskPrefix, place.disk.index, place.number)
    }

    /// Whether a name by UUID or label means nothing on the given disks; false where some of them can't be looked into.
    func isAbsent(_ source: String) -> Bool {
        let opaque = guest.fileSystems.contains { system in
            ["zfs_member", "bcache", "stratis", "drbd", "VMFS_volume_member"].contains(system.type)
                || system.type == "crypto_LUKS"
                    && guest.fileSystem(on: FileSystem.unlockedName(of: system.device)) == nil
        }
        guard !opaque, !guest.fileSystems.isEmpty else { return false }
        let kinds: [(tag: String, folder: String, key: KeyPath<FileSystem, String?>)] = [
            ("UUID=", "/dev/disk/by-uuid/", \.uuid), ("PARTUUID=", "/dev/disk/by-partuuid/", \.partitionUUID),
            ("LABEL=", "/dev/disk/by-label/", \.label),
        ]
        for kind in kinds {
            guard let prefix = [kind.tag, kind.folder].first(where: { source.hasPrefix($0) }) else { continue }
            var value = source.dropFirst(prefix.count)
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            // What is escaped or quoted in another way is left alone.
            guard !value.isEmpty, !value.contains("\\"), !value.contains("\""),
                kind.tag != "PARTUUID=" || !isPartition(String(value))
            else {
                return false
            }
            return !guest.fileSystems.contains { $0[keyPath: kind.key]?.lowercased() == value.lowercased() }
        }
        return false
    }

    /// A partition that holds nothing recognizable has a PARTUUID all the same.
    private func isPartition(_ id: String) -> Bool {
        guest.disks.contains { disk in
            (1...256).contains { Self.partitionUUID($0, disk.table)?.lowercased() == id.lowercased() }
        }
    }

    /// The partition that a name by UUID or label means; nil for volumes and names of other kinds.
    func volume(specified name: String) -> Volume? {
        let kinds: [(tag: String, folder: String, key: KeyPath<FileSystem, String?>)] = [
            ("UUID=", "/dev/disk/by-uuid/", \.uuid),
            ("PARTUUID=", "/dev/disk/by-partuuid/", \.partitionUUID),
            ("LABEL=", "/dev/disk/by-label/", \.label),
        ]
        for kind in kinds {
            guard let prefix = [kind.tag, kind.folder].first(where: { name.hasPrefix($0) }) else { continue }
            var value = name.dropFirst(prefix.count)
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            guard let system = guest.fileSystems.first(where: { $0[keyPath: kind.key].map { $0 == value } ?? false }),
                let place = Self.split(system.device, guest)
            else { return nil }
            return Self.volume(place.disk, place.number, guest, diskPrefix)
        }
        return nil
    }

    // MARK: Disks and partitions

    private static func name(_ prefix: String, _ disk: Int, _ number: Int?) -> String {
        "/dev/\(prefix)\(GuestDisk.letters(disk))\(number.map(String.init) ?? "")"
    }

    private static func split(_ device: String, _ guest: Inspection) -> (disk: GuestDisk, number: Int?)? {
        for disk in guest.disks where device.hasPrefix(disk.device) {
            let rest = device.dropFirst(disk.device.count)
            if rest.isEmpty { return (disk, nil) }
            if let number = Int(rest), number > 0 { return (disk, number) }
        }
        return nil
    }

    private static func volume(_ disk: GuestDisk, _ number: Int?, _ guest: Inspection, _ prefix: String) -> Volume {
        let system = guest.fileSystem(on: disk.device + (number.map(String.init) ?? ""))
        return Volume(
            type: system?.type,
            uuid: system?.uuid.flatMap { isUnique($0, \.uuid, guest) ? $0 : nil },
            partitionUUID: (system?.partitionUUID ?? number.flatMap { partitionUUID($0, disk.table) })
                .flatMap { isUnique($0, \.partitionUUID, guest) ? $0 : nil },
            deviceName: name(prefix, disk.index, number))
    }

    /// Copies of a disk have the same identifiers: those can't tell one from the other. All devices of one btrfs share
    /// its UUID.
    private static func isUnique(
        _ value: String, _ key: KeyPath<FileSystem, String?>, _ guest: Inspection
    ) -> Bool {
        guest.fileSystems.filter { $0[keyPath: key] == value && $0.type != "btrfs" }.count <= 1
    }

    private static func has(_ number: Int, _ table: PartitionTable) -> Bool {
        switch table {
        case .gpt(let table): table.entries.contains { $0.number == number }
        case .mbr(let table):
            number <= table.entries.count
                ? number > 0 && table.entries[number - 1].type != 0
                // Logical partitions are in chains that nobody has read: they may be there.
                : table.entries.contains { [0x05, 0x0F, 0x85].contains($0.type) }
        case .none: false
        }
    }

    private static func partitionUUID(_ number: Int, _ table: PartitionTable) -> String? {
        guard has(number, table) else { return nil }
        switch table {
        case .gpt(let table): return table.entries.first { $0.number == number }?.id.description
        case .mbr(let table):
            guard table.signature != 0 else { return nil }
            return Hex.text(LittleEndian.bytes(table.signature).reversed()) + "-" + Hex.text(UInt8(clamping: number))
        case .none: return nil
        }
    }
}

extension DiskMap.Need {
    /// Whether what is on a partition can tell that it is the one.
    fileprivate var isTelling: Bool {
        switch self {
        case .fileSystem, .swap, .encrypted: true
        case .scratch, .anything: false
        }
    }

    /// Why a partition with this content isn't it; nil where it can be.
    fileprivate func objection(to type: String?) -> String? {
        let content = type.map { "it holds '\($0)'" } ?? "no file system is on it"
        switch self {
        case .anything: return nil
        case .scratch: return type == nil || type == "swap" ? nil : content
        case .swap: return type == "swap" || type == "swsuspend" ? nil : content
        case .encrypted: return type == "crypto_LUKS" ? nil : content
        case .fileSystem(let wanted):
            guard let type, !["swap", "crypto_LUKS", "LVM2_member", "linux_raid_member"].contains(type) else {
                return content
            }
            guard let wanted = wanted.flatMap(Self.family), let actual = Self.family(type) else { return nil }
            return wanted == actual ? nil : content
        }
    }

    /// File systems that can be mounted by each other's drivers; nil where nothing can be told from a type.
    private static func family(_ type: String) -> String? {
        switch type {
        case "ext2", "ext3", "ext4": "ext"
        case "vfat", "msdos", "fat": "fat"
        case "ntfs", "ntfs3", "ntfs-3g": "ntfs"
        case "xfs", "btrfs", "jfs", "reiserfs", "f2fs", "exfat": type
        default: nil
        }
    }
}
