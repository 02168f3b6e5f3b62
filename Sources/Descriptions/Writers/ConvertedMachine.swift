public import Guest

/// The machine that a converted guest runs in: what its source was, less what was particular to the source's hypervisor.
/// Every writer starts from it.
public struct ConvertedMachine: Equatable, Sendable {
    /// A disk as it was written.
    public struct Disk: Equatable, Sendable {
        /// Absolute, on this host.
        public var path: String
        /// qemu-img's name.
        public var format: String
        /// In bytes, as the guest sees it.
        public var size: UInt64

        public init(path: String, format: String, size: UInt64) {
            self.path = path
            self.format = format
            self.size = size
        }
    }

    public enum DiskBus: Equatable, Sendable {
        case virtioBlk
        case virtioSCSI
    }

    /// Of one line, without control characters; never empty.
    public let name: String
    /// In the words of `uname -m`: "x86_64".
    public let architecture: String
    public let firmware: Guest.Firmware
    public let bus: DiskBus
    /// In the guest's own order.
    public let disks: [Disk]
    public let bootDisk: Int
    /// In MiB. 2048 where the source doesn't say.
    public let memoryMiB: UInt64
    /// nil where the source doesn't say, and memory is a guess.
    public let knownMemoryMiB: UInt64?
    /// 2 where the source doesn't say.
    public let processors: Int
    /// Fits the number of processors.
    public let topology: MachineDescription.Topology?
    /// virtio, with the source's MACs and networks; one without either where the source doesn't say.
    public let networkCards: [MachineDescription.NetworkCard]
    public let system: OSRelease
    public let hasGuestAgent: Bool
    /// The guest system in VMware's words, where VMware said it: "debian12_64Guest".
    public let vmwareGuestSystem: String?

    /// - Parameters:
    ///   - source: what the guest ran in; nil where only its disks are known.
    ///   - name: for a machine that has none.
    ///   - firmware: what the converted guest starts by.
    public init(
        from source: MachineDescription?, named name: String, guest: Inspection, firmware: Guest.Firmware,
        bus: DiskBus, disks: [Disk], bootDisk: Int
    ) {
        self.name = [source?.name ?? "", name].map(Self.plain).first { !$0.isEmpty } ?? "guest"
        self.firmware = firmware
        self.bus = bus
        self.disks = disks
        self.bootDisk = bootDisk
        architecture = guest.architecture
        system = guest.osRelease
        hasGuestAgent = guest.tools.contains { $0.contains("qemu-guest-agent") || $0.contains("qemu-ga") }
        knownMemoryMiB = source?.memory.flatMap(Self.mebibytes)
        memoryMiB = knownMemoryMiB ?? 2048
        // As many as libvirt and KVM can have today; more is a slip of the pen.
        processors = source?.processors.flatMap { (1...4096).contains($0) ? $0 : nil } ?? 2
        topology = Self.topology(source?.topology, processors: processors)
        networkCards =
            source.map { machine in
                machine.networkCards.map { .init(mac: $0.mac.flatMap(Self.address), network: $0.network) }
            } ?? [.init()]
        vmwareGuestSystem = source?.hypervisor == "vmware" ? source?.guestSystem : nil
    }

    /// From 1 for the disk that the firmware starts from; the others follow in their order.
    func bootOrder(of disk: Int) -> Int { disk == bootDisk ? 1 : disk < bootDisk ? disk + 2 : disk + 1 }

    /// Without what no name has: control characters, and the space around it.
    private static func plain(_ name: String) -> String {
        let scalars = name.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(255)
        return String(String.UnicodeScalarView(scalars)).split(separator: " ").joined(separator: " ")
    }

    /// Rounded up; nil for what no machine has.
    private static func mebibytes(_ bytes: UInt64) -> UInt64? {
        (64 << 20...64 << 40).contains(bytes) ? (bytes + (1 << 20) - 1) >> 20 : nil
    }

    private static func topology(
        _ said: MachineDescription.Topology?, processors: Int
    ) -> MachineDescription.Topology? {
        guard let said,
            [said.sockets, said.coresPerSocket, said.threadsPerCore].allSatisfy({ (1...4096).contains($0) }),
            said.sockets * said.coresPerSocket * said.threadsPerCore == processors
        else { return nil }
        return said
    }

    /// A card's own address in the usual form; nil for anything else, groups included.
    private static func address(_ text: String) -> String? {
        let parts = text.lowercased().split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { $0.count == 2 && $0.allSatisfy(\.isHexDigit) ? UInt8($0, radix: 16) : nil }
        guard parts.count == 6, bytes.count == 6, bytes[0] & 1 == 0, bytes != [0, 0, 0, 0, 0, 0] else { return nil }
        return parts.joined(separator: ":")
    }
}

extension ConvertedMachine {
    /// What is written beside a converted disk, for what is going to run it.
    public enum Metadata: String, CaseIterable, Sendable {
        case libvirt
        case openstack
        case kubevirt

        /// What its file adds to the output's name.
        public var ending: String {
            switch self {
            case .libvirt: ".xml"
            case .openstack: ".openstack.json"
            case .kubevirt: ".kubevirt.yaml"
            }
        }
    }
}
