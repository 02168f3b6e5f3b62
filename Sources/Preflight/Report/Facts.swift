/// What the network saw of the guest, from outside.
public struct NetworkFacts: Sendable, Codable, Equatable {
    /// One DHCP message that mattered.
    public struct DHCPEvent: Sendable, Codable, Equatable {
        /// "discover", "offer", "request", "ack", "nak", "decline"; with "pxe-" in front where firmware asked, which is none
        /// of the system's network.
        public var kind: String
        /// Seconds since power on.
        public var time: Double
        public var mac: String
        /// What the guest calls itself (option 12, or the first label of option 81).
        public var hostName: String?
        /// Offered, asked for or given.
        public var address: String?

        public init(kind: String, time: Double, mac: String, hostName: String?, address: String?) {
            self.kind = kind
            self.time = time
            self.mac = mac
            self.hostName = hostName
            self.address = address
        }
    }

    /// An address that the guest used or asked for by ARP.
    public struct Neighbor: Sendable, Codable, Equatable {
        public var time: Double
        /// The guest's own address, as the packet has it.
        public var from: String
        /// Whom it looked for.
        public var target: String
        public var isAnswered: Bool

        public init(time: Double, from: String, target: String, isAnswered: Bool) {
            self.time = time
            self.from = from
            self.target = target
            self.isAnswered = isAnswered
        }
    }

    public var dhcp: [DHCPEvent] = []
    public var arp: [Neighbor] = []
    /// IPv4 source addresses of the guest's packets, in order of appearance, without 0.0.0.0.
    public var sourceAddresses: [String] = []
    /// IPv6 source addresses, without ::.
    public var sourceAddresses6: [String] = []
    /// MAC addresses of the guest, in order of appearance.
    public var macs: [String] = []
    /// Frames that the guest sent and that it was sent.
    public var sent = 0
    public var received = 0
    public var firstFrame: Double?

    public init() {}

    /// The address that DHCP gave and the guest took.
    public var lease: String? { dhcp.last { $0.kind == "ack" }?.address }
    /// What the guest calls itself on the network.
    public var hostName: String? { dhcp.last { $0.hostName != nil }?.hostName }
}

/// What the witness inside the guest reported.
public struct WitnessFacts: Sendable, Codable, Equatable {
    public struct Card: Sendable, Codable, Equatable {
        public var name: String
        public var driver: String
        public var mac: String
        /// "up", "down".
        public var state: String
        /// With prefix lengths; IPv4 and IPv6 of global scope.
        public var addresses: [String]
        public var isDynamic: Bool

        public init(
            name: String, driver: String, mac: String, state: String, addresses: [String], isDynamic: Bool
        ) {
            self.name = name
            self.driver = driver
            self.mac = mac
            self.state = state
            self.addresses = addresses
            self.isDynamic = isDynamic
        }
    }

    /// "bios", "uefi".
    public var firmware = ""
    public var kernel = ""
    /// "Debian GNU/Linux 12 (bookworm)".
    public var system = ""
    public var hostName = ""
    /// "/dev/vda2".
    public var rootDevice = ""
    public var rootFileSystem = ""
    /// The kernel driver of the disk below: "virtio_blk".
    public var rootDriver = ""
    /// Which disk of the machine the root is on, from 0, where the guest can tell.
    public var rootDisk: Int?
    public var rootIsReadOnly = false
    public var cards: [Card] = []
    public var defaultRoutes: [String] = []
    public var nameServers: [String] = []
    /// systemctl is-system-running: "running", "degraded", "maintenance"; empty without systemd.
    public var state = ""
    public var failedUnits: [String] = []
    /// Units that were still being started after 100 s.
    public var runningJobs: [String] = []
    /// Mount points of fstab that should be there and aren't.
    public var missingMounts: [String] = []
    /// Seconds from the kernel's start to the report, by the guest's own clock.
    public var upTime = 0.0
    /// From the kernel's start to systemd's multi-user.target: "21.40 s".
    public var bootTime = ""
    /// Hypervisors' tools: "open-vm-tools" to "masked", "inactive", "active".
    public var tools: [String: String] = [:]
    /// The guest's clock minus this host's, in seconds.
    public var clockOffset: Double?
    /// Whether someone can log in on a console.
    public var hasLogin = false
    /// The last errors of the guest's own log.
    public var errors: [String] = []
    /// Whether the report came to its end.
    public var isComplete = false

    public init() {}
}

/// What the QEMU guest agent answered.
public struct AgentFacts: Sendable, Codable, Equatable {
    public var version: String
    public var system: String?
    public var hostName: String?
    /// Interface name to addresses with prefix lengths.
    public var addresses: [String: [String]]

    public init(version: String, system: String?, hostName: String?, addresses: [String: [String]]) {
        self.version = version
        self.system = system
        self.hostName = hostName
        self.addresses = addresses
    }
}
