/// What a guest is, told from its files and disks.
public struct Inspection: Equatable, Sendable, Codable {
    public var osRelease: OSRelease
    /// The family that the system belongs to, "rhel" or "debian"; "linux" where it is none of those known by name.
    public var family: String
    /// In the words of `uname -m`: "x86_64".
    public var architecture: String
    public var hostName: String?
    public var firmware: Firmware
    public var disks: [GuestDisk]
    /// Every file system, swap and encrypted volume on the disks, mounted or not.
    public var fileSystems: [FileSystem]
    /// The guest's mount tree, the root first.
    public var mounts: [Mount]
    public var kernels: [Kernel]
    public var bootLoader: BootLoader
    /// The network formats whose files configure something, by name: "ifupdown", "netplan".
    public var networkFormats: [String]
    /// What those files configure, the loopback left out.
    public var network: [NetworkInterface]
    /// Hypervisor tools that are installed: "open-vm-tools".
    public var tools: [String]
    /// nil for every other system.
    public var windows: WindowsInstallation?

    public init(
        osRelease: OSRelease, architecture: String, hostName: String?, firmware: Firmware, disks: [GuestDisk],
        fileSystems: [FileSystem], mounts: [Mount], kernels: [Kernel], bootLoader: BootLoader,
        networkFormats: [String], network: [NetworkInterface] = [], tools: [String], family: String = "linux"
    ) {
        self.osRelease = osRelease
        self.family = family
        self.architecture = architecture
        self.hostName = hostName
        self.firmware = firmware
        self.disks = disks
        self.fileSystems = fileSystems
        self.mounts = mounts
        self.kernels = kernels
        self.bootLoader = bootLoader
        self.networkFormats = networkFormats
        self.network = network
        self.tools = tools
    }

    /// The mount that a path lies on.
    public func mount(holding path: GuestPath) -> Mount? {
        mounts.filter { path.isInside($0.path) }.max { $0.path.components.count < $1.path.components.count }
    }

    public func fileSystem(on device: String) -> FileSystem? {
        fileSystems.first { $0.device == device }
    }
}

/// os-release(5), the fields that we use.
public struct OSRelease: Equatable, Sendable, Codable {
    public var id: String
    public var like: [String]
    public var version: String
    public var prettyName: String

    public init(id: String, like: [String] = [], version: String = "", prettyName: String = "") {
        self.id = id
        self.like = like
        self.version = version
        self.prettyName = prettyName
    }
}

/// By which firmware the guest can start as it stands.
public enum Firmware: String, Equatable, Sendable, Codable {
    case bios
    case uefi
    /// An EFI system partition, and GRUB's BIOS boot code beside it.
    case both
    /// Neither: the boot loader is on another disk, or missing.
    case none
}

public struct GuestDisk: Equatable, Sendable, Codable {
    /// The disk's place in the order in which the disks were given, from 0.
    public var index: Int
    /// The name of the disk where it is looked at: "/dev/sda".
    public var device: String
    /// In bytes.
    public var size: UInt64
    public var table: PartitionTable
    /// Whether sector 0 holds boot code that loads something that is there.
    public var hasBootCode: Bool

    public init(index: Int, device: String, size: UInt64, table: PartitionTable, hasBootCode: Bool) {
        self.index = index
        self.device = device
        self.size = size
        self.table = table
        self.hasBootCode = hasBootCode
    }

    /// Whether one of the partitions is of the EFI system type.
    public var hasEFISystemPartition: Bool { !systemPartitions.isEmpty }

    /// The devices of the partitions that are of the EFI system type: "/dev/sda1".
    public var systemPartitions: [String] {
        let numbers =
            switch table {
            case .gpt(let table): table.entries.filter { $0.type == GPT.efiSystem }.map(\.number)
            case .mbr(let table):
                table.entries.indices.filter { table.entries[$0].type == MBR.efiSystem }.map { $0 + 1 }
            case .none: [Int]()
            }
        return numbers.map { "\(device)\($0)" }
    }

    /// How Linux letters its disks: "a" to "z", then "aa".
    public static func letters(_ index: Int) -> String {
        let letter = String(UnicodeScalar(UInt8(97 + index % 26)))
        return index < 26 ? letter : letters(index / 26 - 1) + letter
    }
}

public struct FileSystem: Equatable, Sendable, Codable {
    /// "/dev/sda2", "/dev/vg/root", where the guest is looked at.
    public var device: String
    /// As blkid names it: "ext4", "xfs", "btrfs", "swap", "crypto_LUKS", "LVM2_member", "vfat".
    public var type: String
    public var uuid: String?
    public var label: String?
    /// The GPT partition's own GUID (lower case), or "<disk signature>-<number>" for MBR, as PARTUUID= has it.
    public var partitionUUID: String?

    public init(
        device: String, type: String, uuid: String? = nil, label: String? = nil, partitionUUID: String? = nil
    ) {
        self.device = device
        self.type = type
        self.uuid = uuid
        self.label = label
        self.partitionUUID = partitionUUID
    }

    /// A partition as its disk and number: "/dev/sda2" is ("/dev/sda", 2); nil for volumes.
    public var partition: (disk: String, number: Int)? {
        guard device.hasPrefix("/dev/sd"), let digit = device.firstIndex(where: \.isNumber),
            let number = Int(device[digit...])
        else { return nil }
        return (String(device[..<digit]), number)
    }
}

public struct Mount: Equatable, Sendable, Codable {
    public var path: GuestPath
    public var device: String
    public var type: String
    /// A btrfs subvolume's path from the top level, without a leading slash; nil for everything else.
    public var subvolume: String?
    /// In bytes, for root; 0 where it isn't known.
    public var free: UInt64
    /// Inodes; nil for file systems that make them as needed.
    public var freeInodes: UInt64?

    public init(
        path: GuestPath, device: String, type: String, subvolume: String? = nil, free: UInt64,
        freeInodes: UInt64? = nil
    ) {
        self.path = path
        self.device = device
        self.type = type
        self.subvolume = subvolume
        self.free = free
        self.freeInodes = freeInodes
    }
}

/// A kernel that the guest has modules for.
public struct Kernel: Equatable, Sendable, Codable {
    /// `uname -r`: "6.1.0-18-amd64".
    public var version: String
    public var image: GuestPath
    /// nil: it starts without one.
    public var initramfs: GuestPath?
    /// Further ones that it can be started with: Arch's fallback, kdump's.
    public var otherInitramfs: [GuestPath]
    /// "/usr/lib/modules/<version>", symlinks followed.
    public var modules: GuestPath

    public init(
        version: String, image: GuestPath, initramfs: GuestPath?, otherInitramfs: [GuestPath] = [],
        modules: GuestPath
    ) {
        self.version = version
        self.image = image
        self.initramfs = initramfs
        self.otherInitramfs = otherInitramfs
        self.modules = modules
    }
}

/// The boot loader that the guest is set up with, by its files.
public enum BootLoader: Equatable, Sendable {
    /// GRUB 2 with its configuration file and prefix: "/boot/grub/grub.cfg", "/boot/grub".
    case grub2(configuration: GuestPath, prefix: GuestPath)
    /// GRUB 0.97 with its menu.lst or grub.conf.
    case grubLegacy(configuration: GuestPath)
    /// syslinux and extlinux, with their configuration file.
    case syslinux(configuration: GuestPath)
    /// Boot Loader Specification entries without a GRUB: systemd-boot.
    case loaderEntries([GuestPath])
    /// Kernel, initramfs and parameters in one EFI program each, without entries: the images.
    case unifiedKernels([GuestPath])
    case unknown
}

/// As JSON: a "type" and what belongs to it, rather than the compiler's own shape for enums.
extension BootLoader: Codable {
    private enum CodingKeys: String, CodingKey {
        case type
        case configuration
        case prefix
        case entries
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .type) {
        case "grub2":
            self = .grub2(
                configuration: try container.decode(GuestPath.self, forKey: .configuration),
                prefix: try container.decode(GuestPath.self, forKey: .prefix))
        case "grub-legacy":
            self = .grubLegacy(configuration: try container.decode(GuestPath.self, forKey: .configuration))
        case "syslinux": self = .syslinux(configuration: try container.decode(GuestPath.self, forKey: .configuration))
        case "unified-kernels": self = .unifiedKernels(try container.decode([GuestPath].self, forKey: .entries))
        case "loader-entries": self = .loaderEntries(try container.decode([GuestPath].self, forKey: .entries))
        default: self = .unknown
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .grub2(let configuration, let prefix):
            try container.encode("grub2", forKey: .type)
            try container.encode(configuration, forKey: .configuration)
            try container.encode(prefix, forKey: .prefix)
        case .loaderEntries(let entries):
            try container.encode("loader-entries", forKey: .type)
            try container.encode(entries, forKey: .entries)
        case .grubLegacy(let configuration):
            try container.encode("grub-legacy", forKey: .type)
            try container.encode(configuration, forKey: .configuration)
        case .syslinux(let configuration):
            try container.encode("syslinux", forKey: .type)
            try container.encode(configuration, forKey: .configuration)
        case .unifiedKernels(let images):
            try container.encode("unified-kernels", forKey: .type)
            try container.encode(images, forKey: .entries)
        case .unknown: try container.encode("unknown", forKey: .type)
        }
    }
}

extension FileSystem {
    /// The device that the content of an encrypted one appears as, where the guest is looked at.
    public static func unlockedName(of device: String) -> String {
        let name = device.hasPrefix("/dev/") ? device.dropFirst("/dev/".count) : device[...]
        return "/dev/mapper/rehost-" + name.split(separator: "/").joined(separator: "-")
    }
}
