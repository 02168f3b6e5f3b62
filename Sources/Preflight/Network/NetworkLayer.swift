/// The machine's network as seen from outside: reads the packets that QEMU dumps while the guest runs.
struct NetworkLayer {
    private let machine: Machine
    private var file: GrowingFile
    private var capture = PacketCapture()
    private var watch: NetworkWatch
    private var now = 0.0

    /// Seconds after which a lease that was taken without a further packet counts: a quiet guest has nothing to say.
    private static let quiet = 2.0

    init(_ machine: Machine, _ files: MachineFiles) {
        self.machine = machine
        file = GrowingFile(files.packets)
        watch = Self.watch(machine)
    }

    private static func watch(_ machine: Machine) -> NetworkWatch {
        let gateway = try? UserNetwork(machine.network, gateway: machine.gateway).gatewayAddress
        return NetworkWatch(guestMACs: [machine.mac ?? Machine.defaultMAC], gateway: gateway)
    }

    /// The guest was reset: what it had before counts no more.
    mutating func restart() { watch = Self.watch(machine) }

    /// - Parameter now: seconds since power on.
    mutating func read(at now: Double) {
        self.now = now
        let bytes = file.next()
        // A broken dump ends this layer; the others go on.
        guard !bytes.isEmpty, let packets = try? capture.feed(bytes, now: now) else { return }
        watch.add(packets)
    }

    /// The kernel runs: what the firmware sent before is none of the guest's.
    mutating func systemStarts() { watch.systemStarts() }

    var facts: NetworkFacts { watch.facts }
    var frames: Int { watch.facts.sent + watch.facts.received }

    var summary: NetworkSummary {
        var summary = NetworkSummary()
        summary.sign = watch.reached?.text ?? watch.leased.flatMap { now - $0.time >= Self.quiet ? $0.text : nil }
        summary.isLeaseOnly = watch.reached == nil && summary.sign != nil
        summary.lease = watch.facts.lease
        summary.isWindows = watch.sawWindows
        if let explanation = watch.explanation {
            summary.problem = explanation.message
            summary.remedy = explanation.remedy
        }
        return summary
    }
}
