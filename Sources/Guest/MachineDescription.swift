/// What a machine is made of, as a hypervisor describes it, in nobody's dialect: read from an OVF, a VMX or a libvirt
/// domain; written as a libvirt domain, an OVF, image properties or a KubeVirt manifest.
public struct MachineDescription: Equatable, Sendable, Codable {
    public enum Firmware: String, Equatable, Sendable, Codable {
        case bios
        case uefi
    }

    /// Where a disk or drive is attached.
    public enum Bus: String, Equatable, Sendable, Codable {
        case ide
        case scsi
        case sata
        case nvme
        case virtio
        case usb
        case floppy
    }

    /// What lies beside the numbers of sockets and threads; their product is ``MachineDescription/processors``.
    public struct Topology: Equatable, Sendable, Codable {
        public var sockets: Int
        public var coresPerSocket: Int
        public var threadsPerCore: Int

        public init(sockets: Int, coresPerSocket: Int, threadsPerCore: Int = 1) {
            self.sockets = sockets
            self.coresPerSocket = coresPerSocket
            self.threadsPerCore = threadsPerCore
        }
    }

    public struct Disk: Equatable, Sendable, Codable {
        /// Absolute, on this host; in an OVA the member's name.
        public var file: String
        /// In bytes, where the description says so.
        public var capacity: UInt64?
        /// qemu-img's name, where the description says so.
        public var format: String?
        public var bus: Bus?
        /// The controller's model in the hypervisor's words: "lsilogic", "pvscsi", "ahci".
        public var controller: String?
        /// 1 for the disk that the machine starts from; nil where nothing is said.
        public var bootOrder: Int?

        public init(
            file: String, capacity: UInt64? = nil, format: String? = nil, bus: Bus? = nil, controller: String? = nil,
            bootOrder: Int? = nil
        ) {
            self.file = file
            self.capacity = capacity
            self.format = format
            self.bus = bus
            self.controller = controller
            self.bootOrder = bootOrder
        }
    }

    /// A drive for media that come and go.
    public struct RemovableDrive: Equatable, Sendable, Codable {
        public enum Kind: String, Equatable, Sendable, Codable {
            case cdrom
            case floppy
        }
        public var kind: Kind
        public var bus: Bus?

        public init(kind: Kind, bus: Bus? = nil) {
            self.kind = kind
            self.bus = bus
        }
    }

    public struct NetworkCard: Equatable, Sendable, Codable {
        /// Lower case, with colons; nil where the hypervisor makes one up.
        public var mac: String?
        /// The network, bridge or port group that it is on.
        public var network: String?
        /// In the hypervisor's words, lower case: "vmxnet3", "e1000", "virtio".
        public var model: String?

        public init(mac: String? = nil, network: String? = nil, model: String? = nil) {
            self.mac = mac
            self.network = network
            self.model = model
        }
    }

    public var name: String
    /// Who described it: "vmware", "virtualbox", "kvm", "xen"; nil where it can't be told.
    public var hypervisor: String?
    /// In bytes.
    public var memory: UInt64?
    /// Virtual processors in all.
    public var processors: Int?
    public var topology: Topology?
    /// nil: nothing is said.
    public var firmware: Firmware?
    /// Whether Secure Boot is on; nil: nothing is said.
    public var secureBoot: Bool?
    /// The guest system in the hypervisor's words: "rhel9_64Guest".
    public var guestSystem: String?
    /// In the order in which the machine's firmware and system see them, the boot disk not necessarily first.
    public var disks: [Disk]
    public var removableDrives: [RemovableDrive]
    /// In the order of their slots.
    public var networkCards: [NetworkCard]

    public init(
        name: String, hypervisor: String? = nil, memory: UInt64? = nil, processors: Int? = nil,
        topology: Topology? = nil, firmware: Firmware? = nil, secureBoot: Bool? = nil, guestSystem: String? = nil,
        disks: [Disk] = [], removableDrives: [RemovableDrive] = [], networkCards: [NetworkCard] = []
    ) {
        self.name = name
        self.hypervisor = hypervisor
        self.memory = memory
        self.processors = processors
        self.topology = topology
        self.firmware = firmware
        self.secureBoot = secureBoot
        self.guestSystem = guestSystem
        self.disks = disks
        self.removableDrives = removableDrives
        self.networkCards = networkCards
    }
}
