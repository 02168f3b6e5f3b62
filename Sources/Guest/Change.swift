/// One change to a guest, as a value. A ``Plan`` holds each together with what was there before.
public enum Change: Equatable, Sendable {
    /// A whole file; `permissions` are those it ends up with. Owner and labels stay those of a replaced file.
    case write(GuestPath, [UInt8], permissions: UInt16)
    /// Bytes behind a file that stays as it is; they start at `offset`, and the gap before them reads as zeros.
    case append(GuestPath, [UInt8], offset: UInt64)
    case directory(GuestPath, permissions: UInt16)
    case symlink(GuestPath, target: String)
    /// One file or symlink.
    case remove(GuestPath)
    /// One key of the registry of a Windows guest.
    case registry(RegistryEdit)
    case disk(SectorEdit)
    /// Only where nothing else does: a rebuild by the guest's own tool.
    case run(GuestCommand)

    /// The path that the change is about; nil for registry keys, sectors and commands.
    public var path: GuestPath? {
        switch self {
        case .write(let path, _, _), .append(let path, _, _), .directory(let path, _), .symlink(let path, _),
            .remove(let path):
            path
        case .registry, .disk, .run: nil
        }
    }

    /// The name in reports; never changed.
    public var kind: String {
        switch self {
        case .write: "write"
        case .append: "append"
        case .directory: "directory"
        case .symlink: "symlink"
        case .remove: "remove"
        case .registry: "registry"
        case .disk: "sectors"
        case .run: "command"
        }
    }
}

/// New content for whole sectors of a disk.
public struct SectorEdit: Equatable, Sendable {
    /// The disk's place in the order in which the disks were given, from 0.
    public var disk: Int
    public var firstSector: UInt64
    /// A multiple of ``sectorSize`` long.
    public var bytes: [UInt8]
    /// What the sectors are, for the reader of a plan: "GPT header", "GRUB core image".
    public var what: String

    /// In bytes; QEMU presents 512-byte sectors for every image it reads.
    public static let sectorSize = 512

    public var sectorCount: UInt64 { UInt64(bytes.count / Self.sectorSize) }

    public init(disk: Int, firstSector: UInt64, bytes: [UInt8], what: String) {
        self.disk = disk
        self.firstSector = firstSector
        self.bytes = bytes
        self.what = what
    }
}

/// A command of the guest's own, run inside it when a plan is applied.
public struct GuestCommand: Equatable, Sendable {
    /// An absolute path and its arguments; no shell is involved.
    public var arguments: [String]
    /// Why it has to run: "rebuild the initramfs of 6.1.0-18-amd64".
    public var reason: String
    /// A file that is in the guest only while the command runs.
    public var input: Input?
    public var failure: Failure
    /// Files that it makes, where that is known.
    public var makes: [GuestPath]

    public struct Input: Equatable, Sendable {
        public var path: GuestPath
        public var bytes: [UInt8]

        public init(path: GuestPath, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// What becomes of a plan whose command failed.
    public enum Failure: Equatable, Sendable {
        /// Applying the plan fails.
        case fatal
        /// A warning, after these commands have put things back as they were, each as far as it can.
        case tolerated(putBack: [[String]])
    }

    public init(
        _ arguments: [String], reason: String, input: Input? = nil, failure: Failure = .fatal, makes: [GuestPath] = []
    ) {
        self.arguments = arguments
        self.reason = reason
        self.input = input
        self.failure = failure
        self.makes = makes
    }
}
