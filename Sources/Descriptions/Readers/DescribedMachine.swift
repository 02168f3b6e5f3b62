public import Guest

/// A machine as a document or a hypervisor describes it, and where its disks' bytes are.
public struct DescribedMachine: Equatable, Sendable {
    public var machine: MachineDescription
    /// One for each of the machine's disks, in their order.
    public var sources: [DiskSource]
    /// What the description has that isn't taken over.
    public var findings: [Finding]
    /// Checksums that the description comes with.
    public var checksums: [Checksum]

    public init(
        machine: MachineDescription, sources: [DiskSource], findings: [Finding] = [], checksums: [Checksum] = []
    ) {
        self.machine = machine
        self.sources = sources
        self.findings = findings
        self.checksums = checksums
    }
}

/// A stretch of a file of this host's.
public struct FilePart: Equatable, Sendable {
    public var file: String
    /// In bytes.
    public var offset: UInt64
    /// In bytes; nil for a whole file.
    public var size: UInt64?

    public init(file: String, offset: UInt64 = 0, size: UInt64? = nil) {
        self.file = file
        self.offset = offset
        self.size = size
    }
}

/// Where a disk image's bytes are, and how they are read.
public struct DiskSource: Equatable, Sendable {
    public enum Compression: Sendable {
        case none
        case gzip
    }

    /// As the description has it.
    public var name: String
    /// One after the other they are the image; empty where none was found.
    public var parts: [FilePart]
    public var compression: Compression
    /// qemu-img's name where the description's word counts, nil where the file tells. A raw disk's first bytes belong to
    /// the guest, so a libvirt domain's "raw" must not be found out.
    public var format: String?
    /// In bytes, as the guest sees it; nil where nothing is said.
    public var capacity: UInt64?
    /// Said where the parts aren't there: what is missing, and who names it.
    public var absence: String?
    /// What the machine calls it, where each has such a name: "vda".
    public var target: String?

    public init(
        name: String, parts: [FilePart], compression: Compression = .none, format: String? = nil,
        capacity: UInt64? = nil, absence: String? = nil, target: String? = nil
    ) {
        self.target = target
        self.name = name
        self.parts = parts
        self.compression = compression
        self.format = format
        self.capacity = capacity
        self.absence = absence
    }
}

/// What a manifest says about a file.
public struct Checksum: Equatable, Sendable {
    /// "SHA1", "SHA256", "SHA512".
    public var algorithm: String
    /// Lower-case hexadecimal digits.
    public var digest: String
    /// As the manifest names it.
    public var name: String
    public var part: FilePart

    public init(algorithm: String, digest: String, name: String, part: FilePart) {
        self.algorithm = algorithm
        self.digest = digest
        self.name = name
        self.part = part
    }
}

/// Why a description can't be read.
public struct DescriptionFailure: Error, Equatable, CustomStringConvertible {
    public var message: String
    public var hint: String

    public init(_ message: String, hint: String) {
        // The words of a document may hold what moves a terminal's cursor.
        self.message = Self.harmless(message)
        self.hint = Self.harmless(hint)
    }

    public var description: String { "\(message)\nhint: \(hint)" }

    private static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(1000).filter { $0.properties.generalCategory != .control }))
    }
}
