/// What a converted guest's disks can be written as.
public enum OutputFormat: String, Sendable, CaseIterable {
    case qcow2
    case raw
    /// VMware's growing kind, monolithicSparse.
    case vmdk
    /// The compressed kind that OVF packages hold; read by every importer, written to by no hypervisor.
    case vmdkStreamOptimized = "vmdk-stream-optimized"
    /// qemu's name for a growing VHD.
    case vpc
    /// A VHD as Azure takes it: fixed, its size a whole number of MiB
    /// (https://learn.microsoft.com/azure/virtual-machines/linux/create-upload-generic).
    case vhdFixed = "vhd-fixed"
    case vhdx
    /// A tar.gz of "disk.raw", its size a whole number of GiB, as Compute Engine takes it
    /// (https://cloud.google.com/compute/docs/import/import-existing-image).
    case gcp
    /// A descriptor with a streamOptimized VMDK for each disk and a manifest of their checksums (DSP0243).
    case ovf
    /// The same in one tar archive.
    case ova

    /// The format that a file's name asks for: qcow2 where it says nothing.
    public init(forFileNamed name: String) {
        let name = name.lowercased()
        let endings: [(String, OutputFormat)] = [
            (".raw", .raw), (".img", .raw), (".vmdk", .vmdk), (".vhd", .vhdFixed), (".vpc", .vpc), (".vhdx", .vhdx),
            (".tar.gz", .gcp), (".tgz", .gcp), (".ovf", .ovf), (".ova", .ova),
        ]
        self = endings.first { name.hasSuffix($0.0) }?.1 ?? .qcow2
    }

    /// qemu-img's name of the disks' own format; a package's disks have one, too.
    public var driver: String {
        switch self {
        case .qcow2: "qcow2"
        case .raw, .gcp: "raw"
        case .vmdk, .vmdkStreamOptimized, .ovf, .ova: "vmdk"
        case .vpc, .vhdFixed: "vpc"
        case .vhdx: "vhdx"
        }
    }

    /// The format of each disk, apart from what it is packed in.
    public var ofDisks: OutputFormat {
        switch self {
        case .gcp: .raw
        case .ovf, .ova: .vmdkStreamOptimized
        default: self
        }
    }

    /// Those that can be written in any order.
    public static let writable: [OutputFormat] = [.raw, .qcow2, .vmdk, .vpc, .vhdx]

    /// What qemu-img is told beside the driver's name.
    var creationOptions: [String] {
        switch ofDisks {
        // lsilogic: the controller of the OVF. ESXi reads it from the disk.
        case .vmdkStreamOptimized: ["subformat=streamOptimized", "adapter_type=lsilogic"]
        // Without force_size it is rounded to a geometry, and a partition table's end no longer fits the disk's.
        case .vpc: ["force_size=on"]
        case .vhdFixed: ["subformat=fixed", "force_size=on"]
        default: []
        }
    }

    /// A disk's size is a whole number of these, in bytes; it grows to the next one.
    public var sizeUnit: UInt64 {
        switch self {
        case .vhdFixed: 1 << 20
        case .gcp: 1 << 30
        default: 512
        }
    }

    /// The size that a disk of so many bytes gets.
    public func size(for bytes: UInt64) -> UInt64 {
        let rest = bytes % sizeUnit
        return rest == 0 ? bytes : bytes &+ (sizeUnit - rest)
    }

    /// In bytes. A VHD of ours has no more than 0xff000000 sectors: QEMU's block/vpc.c, as Hyper-V's 2040 GiB.
    public var largestDisk: UInt64? { driver == "vpc" ? 0xFF00_0000 * 512 : nil }

    /// Whether it is compressed, whatever else is asked for.
    public var isAlwaysCompressed: Bool { [.vmdkStreamOptimized, .gcp, .ovf, .ova].contains(self) }

    /// The formats that can be compressed on request.
    public static let compressible: [OutputFormat] = [.qcow2]

    /// When the bulk of the data is written.
    public enum Order: Sendable {
        /// A copy of the source is made while the guest is adapted on an overlay, and takes the overlay's clusters then.
        case copyBeside
        /// Compressed clusters aren't overwritten in place, and a disk that grows has another end than its source. Such an
        /// output is written in one go from the adapted overlay: the source is still read only once.
        case afterwards
    }

    public func order(_ compression: ImageCompression?) -> Order {
        isAlwaysCompressed || compression != nil || sizeUnit > 512 ? .afterwards : .copyBeside
    }

    /// The least room that a source takes in this format while it is written, scratch included, in bytes.
    /// - Parameter allocated: what the source takes.
    public func leastRoom(for allocated: UInt64, _ compression: ImageCompression?) -> UInt64 {
        // What compresses to less than a quarter is rare enough for an operator to make room all the same.
        let compressed = allocated / 4
        return switch self {
        case .gcp: allocated &+ compressed
        case .ova: compressed &* 2
        default: isAlwaysCompressed || compression != nil ? compressed : allocated
        }
    }
}

/// How a qcow2's clusters are compressed.
public enum ImageCompression: String, Sendable, CaseIterable {
    /// What every QEMU reads.
    case zlib
    /// Smaller and quicker; read by QEMU 5.1 (2020) and later.
    case zstd
}
