/// Everything that a conversion changes inside a guest, in the order in which it is applied, as values that can be
/// printed, compared, refused and applied once.
public struct Plan: Equatable, Sendable {
    /// One change, who asked for it, and what it replaces.
    public struct Item: Equatable, Sendable {
        public var injector: String
        public var change: Change
        public var before: Before

        public init(injector: String, change: Change, before: Before) {
            self.injector = injector
            self.change = change
            self.before = before
        }
    }

    /// What was there before a change, enough to put it back.
    public enum Before: Equatable, Sendable {
        /// Nothing, or nothing that needs to be kept (a command).
        case nothing
        case file([UInt8], permissions: UInt16)
        /// A file that is only appended to, by its length.
        case fileOfLength(UInt64)
        case symlink(target: String)
        /// The values that an edit changes, or all that a removed key held.
        case registry(RegistryTree)
        case sectors([UInt8])
    }

    public var items: [Item]
    public var findings: [Finding]
    public var formerSettings: [FormerSetting]
    /// The SELinux contexts of what is new, by path; also of files that commands make, once they are there.
    public var labels: [GuestPath: String] = [:]
    /// Attributes of NTFS, by file or folder.
    public var attributes: [GuestPath: UInt32] = [:]

    public init(items: [Item] = [], findings: [Finding] = [], formerSettings: [FormerSetting] = []) {
        self.items = items
        self.findings = findings
        self.formerSettings = formerSettings
    }

    public var isEmpty: Bool { items.isEmpty }
    public var blockers: [Finding] { findings.filter { $0.level == .blocker } }
    public var warnings: [Finding] { findings.filter { $0.level == .warning } }
}

/// A guest that a plan can be applied to. The order is fixed: files, the registry, commands, and sectors last, because a
/// guest whose files failed must not get a new boot sector.
public protocol GuestEditor: GuestFiles {
    /// - Returns: what went wrong and was tolerated.
    /// - Throws: at the first failure that isn't; what is behind the editor is then thrown away by its owner.
    @discardableResult func apply(_ plan: Plan, progress: (String) -> Void) throws -> [Finding]
}

/// Access to the guest's disks below the file systems.
public protocol GuestSectors {
    /// `count` sectors of ``SectorEdit/sectorSize`` bytes from `first` on.
    /// - Throws: where the disk is shorter.
    func sectors(disk: Int, first: UInt64, count: Int) throws -> [UInt8]
}

/// A guest's disks in an appliance, before and after its file systems are mounted.
public protocol GuestMachine: GuestEditor, GuestRegistry, GuestSectors {
    /// The whole disks in their order: device name and size in bytes.
    func diskDevices() throws -> [(device: String, size: UInt64)]

    /// Every partition, volume and bare disk that holds something recognisable.
    func fileSystems() throws -> [FileSystem]

    /// The subvolumes of a btrfs, without its top level.
    func subvolumes(on device: String) throws -> [Subvolume]

    /// The md arrays and LVM volume groups on the disks, and what they lack. It costs a few round trips.
    func volumeSets() throws -> [VolumeSet]

    /// Makes the content of a LUKS device appear among the file systems.
    /// - Parameter key: a passphrase, or all of a key file: any bytes.
    /// - Returns: the device that it appears as.
    func unlock(_ device: String, key: [UInt8]) throws -> String

    /// - Parameter subvolume: of a btrfs; nil mounts its default one.
    func mount(_ device: String, subvolume: String?, at path: GuestPath) throws

    func unmountAll() throws

    /// Free bytes and, where the file system has a fixed number of them, inodes.
    func space(at path: GuestPath) throws -> (bytes: UInt64, inodes: UInt64?)

    /// Reads a folder in one round trip, so that later reads below it cost none.
    /// - Parameter excluding: paths relative to the folder.
    func prefetch(_ folder: GuestPath, excluding: [String]) throws
}
