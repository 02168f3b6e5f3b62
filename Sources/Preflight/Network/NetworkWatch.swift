/// Builds ``NetworkFacts`` from the packets of one network card.
///
/// Nothing a guest sends makes it grow without bounds: the oldest DHCP messages go, other lists just end.
struct NetworkWatch: Sendable {
    /// A sign that the network level was reached.
    struct Sign: Sendable, Equatable {
        /// Seconds since power on.
        var time: Double
        /// One sentence for people, without a full stop.
        var text: String
    }

    enum Limit {
        static let dhcp = 200
        static let arp = 200
        static let addresses = 64
        static let macs = 16
        static let transactions = 64
    }

    private(set) var facts = NetworkFacts()
    /// When a lease was given first, whether or not the guest was heard from it.
    private(set) var leased: Sign?
    /// When a lease was used, or a static address got an answer.
    private(set) var reached: Sign?
    /// Who the network's gateway is, where the caller knows.
    let gateway: IPv4Address?
    /// VLANs of the guest's frames, and frames without.
    private(set) var vlans: [UInt16] = []
    private(set) var untagged = 0
    /// Whether the firmware was heard.
    private(set) var sawFirmware = false
    private(set) var sawIPv6 = false
    /// Whether a client of Windows asked for an address.
    private(set) var sawWindows = false
    /// Frames from ::, which OVMF sends as well before it starts a disk, whenever the machine has a card.
    private(set) var unspecified6 = 0

    private let known: Set<String>?
    private var guestMACs: Set<String> = []
    private var networkMACs: Set<String> = []
    /// Cards that firmware drives at present.
    private var firmwareMACs: Set<String> = []
    private var firmwareTransactions: [UInt32] = []
    private var firmwareAddresses: Set<IPv4Address> = []
    /// The lease that the guest has.
    private var lease: (address: IPv4Address, mac: String)?

    /// `guestMACs` are the guest's cards; nil takes all for the guest's that isn't the network's.
    /// `gateway` is the network's own address: "10.0.2.2".
    init(guestMACs: Set<String>? = nil, gateway: String? = nil) {
        known = guestMACs.map { Set($0.map { $0.lowercased() }) }
        self.gateway = gateway.flatMap(IPv4Address.init)
        self.guestMACs = known ?? []
    }

    /// For a caller that sees the kernel start: the IPv6 heard so far was the firmware's.
    mutating func systemStarts() { forgetFirmware() }

    mutating func add(_ packets: [PacketCapture.Packet]) {
        for packet in packets { add(packet) }
    }

    mutating func add(_ packet: PacketCapture.Packet) {
        guard let frame = EthernetFrame(packet.bytes) else { return }
        let ip = frame.kind == EthernetFrame.Kind.ipv4 ? IPv4Packet(frame.payload) : nil
        let dhcp = ip?.udp.flatMap(Self.dhcp)
        if isOfNetwork(frame, dhcp) {
            learn(&networkMACs, frame.source, Limit.macs)
            received(frame, dhcp, packet.time)
        } else {
            learn(&guestMACs, frame.source, Limit.macs)
            sent(frame, ip, dhcp, packet.time)
        }
    }

    private static func dhcp(_ datagram: UDPDatagram) -> DHCPMessage? {
        let ports = [DHCPMessage.serverPort, DHCPMessage.clientPort]
        guard ports.contains(datagram.sourcePort), ports.contains(datagram.destinationPort) else { return nil }
        return DHCPMessage(datagram.payload)
    }

    /// Only the guest and the network are on this wire. A bridge or a bond in the guest may have a MAC of its own.
    private func isOfNetwork(_ frame: EthernetFrame, _ dhcp: DHCPMessage?) -> Bool {
        if known?.contains(frame.source) == true { return false }
        if frame.isOfUserNetwork || networkMACs.contains(frame.source) { return true }
        return guestMACs.contains(frame.destination) || dhcp?.isReply == true
    }

    private func learn(_ set: inout Set<String>, _ mac: String, _ limit: Int) {
        if set.count < limit { set.insert(mac) }
    }
}

// MARK: - What the guest sends

extension NetworkWatch {
    private mutating func sent(
        _ frame: EthernetFrame, _ ip: IPv4Packet?, _ dhcp: DHCPMessage?, _ time: Double
    ) {
        let arp = frame.kind == EthernetFrame.Kind.arp ? ARPPacket(frame.payload) : nil
        if isOfFirmware(frame, arp?.sender ?? ip?.source, dhcp) {
            forgetFirmware()
            sawFirmware = true
            if firmwareMACs.count < Limit.macs { firmwareMACs.insert(frame.source) }
            if let dhcp { note(dhcp, frame.source, time) }
            return
        }
        firmwareMACs.remove(frame.source)
        facts.sent += 1
        facts.firstFrame = facts.firstFrame ?? time
        Self.add(frame.source, to: &facts.macs, Limit.macs)
        if let vlan = frame.vlan { Self.add(vlan, to: &vlans, Limit.macs) } else { untagged += 1 }
        if let dhcp { note(dhcp, frame.source, time) }
        if let arp { sent(arp, frame.source, time) }
        if let ip { used(ip.source, frame.source, time) }
        if frame.kind == EthernetFrame.Kind.ipv6, let packet = IPv6Packet(frame.payload) {
            sawIPv6 = true
            if packet.source.isUnspecified { unspecified6 += 1 }
            guard !packet.source.isUnspecified, !packet.source.isMulticast else { return }
            Self.add(packet.source.description, to: &facts.sourceAddresses6, Limit.addresses)
        }
    }

    /// Firmware shows itself by DHCP alone. Until an IPv4 address that isn't firmware's, or an own DHCP message, its
    /// card's frames are the firmware's too.
    private func isOfFirmware(_ frame: EthernetFrame, _ source: IPv4Address?, _ dhcp: DHCPMessage?) -> Bool {
        if let dhcp { return dhcp.isFirmware }
        guard firmwareMACs.contains(frame.source) else { return false }
        guard let source, !source.isUnspecified else { return true }
        return firmwareAddresses.contains(source)
    }

    /// OVMF speaks IPv6 before it asks by DHCP and so shows itself: what came before was the firmware's too, unless it
    /// was IPv4.
    private mutating func forgetFirmware() {
        guard facts.sourceAddresses.isEmpty, facts.arp.isEmpty,
            facts.dhcp.allSatisfy({ $0.kind.hasPrefix("pxe-") })
        else { return }
        let dhcp = facts.dhcp
        facts = NetworkFacts()
        facts.dhcp = dhcp
        sawIPv6 = false
        unspecified6 = 0
        vlans = []
        untagged = 0
    }

    private mutating func sent(_ arp: ARPPacket, _ mac: String, _ time: Double) {
        used(arp.sender, mac, time)
        // A reply to itself is an announcement, as `arping -A` sends it: nobody asked, and nobody may be there.
        if reached == nil, !arp.isRequest, arp.sender.isHost, !arp.sender.isLinkLocal, arp.target.isHost,
            arp.sender != arp.target, gateway == nil || arp.target == gateway
        {
            reached = Sign(time: time, text: "static \(arp.sender): answers \(name(arp.target))")
        }
        guard arp.isRequest, !arp.isAnnouncement, arp.sender.isUnspecified || arp.sender.isHost else { return }
        let (from, target) = (arp.sender.description, arp.target.description)
        guard facts.arp.count < Limit.arp, !facts.arp.contains(where: { $0.from == from && $0.target == target })
        else { return }
        facts.arp.append(.init(time: time, from: from, target: target, isAnswered: false))
    }

    private mutating func used(_ address: IPv4Address, _ mac: String, _ time: Double) {
        guard address.isHost else { return }
        Self.add(address.description, to: &facts.sourceAddresses, Limit.addresses)
        guard reached == nil, let lease, lease.address == address else { return }
        reached = Sign(time: time, text: leaseText(address) + ", used by \(mac)")
    }

    private static func add<Value: Equatable>(_ value: Value, to list: inout [Value], _ limit: Int) {
        if list.count < limit, !list.contains(value) { list.append(value) }
    }
}

// MARK: - What it is sent, and DHCP

extension NetworkWatch {
    private mutating func received(_ frame: EthernetFrame, _ dhcp: DHCPMessage?, _ time: Double) {
        if let dhcp { note(dhcp, frame.destination, time) }
        // Firmware's answers are no more the guest's than its questions.
        guard dhcp.map({ !firmwareTransactions.contains($0.transaction) }) ?? !isForFirmware(frame.destination) else {
            return
        }
        facts.received += 1
        if frame.kind == EthernetFrame.Kind.arp, let arp = ARPPacket(frame.payload) { answered(arp, time) }
    }

    private func isForFirmware(_ destination: String) -> Bool {
        firmwareMACs.contains(destination) || (!firmwareMACs.isEmpty && facts.macs.isEmpty)
    }

    private mutating func answered(_ arp: ARPPacket, _ time: Double) {
        guard !arp.isRequest else { return }
        let (from, target) = (arp.target.description, arp.sender.description)
        for index in facts.arp.indices where facts.arp[index].target == target && facts.arp[index].from == from {
            facts.arp[index].isAnswered = true
        }
        guard reached == nil, arp.target.isHost, !arp.target.isLinkLocal, lease?.address != arp.target,
            facts.arp.contains(where: { $0.from == from && $0.target == target })
        else { return }
        reached = Sign(time: time, text: "static \(from): \(name(arp.sender)) answered")
    }

    /// On a network of two the other one is the gateway, unless the caller knows better.
    private func name(_ address: IPv4Address) -> String {
        (gateway == nil || gateway == address ? "gateway " : "neighbor ") + address.description
    }

    private mutating func note(_ message: DHCPMessage, _ partner: String, _ time: Double) {
        let isFirmware = message.isFirmware || firmwareTransactions.contains(message.transaction)
        if message.isFirmware, !firmwareTransactions.contains(message.transaction) {
            firmwareTransactions.append(message.transaction)
            if firmwareTransactions.count > Limit.transactions { firmwareTransactions.removeFirst() }
        }
        let mac = message.mac ?? partner
        let address: IPv4Address?
        switch message.kind {
        case .discover: address = message.requested
        case .request, .decline: address = message.requested ?? message.current
        case .offer, .ack: address = message.given
        case .nak: address = nil
        case .release, .inform:
            // A lease that was given back; and a static guest's question for servers, which changes no address.
            if message.kind == .release { lease = nil }
            return
        }
        let isServers = message.kind == .offer || message.kind == .ack || message.kind == .nak
        guard isServers == message.isReply else { return }
        if message.isWindows, !message.isReply { sawWindows = true }
        if facts.dhcp.count >= Limit.dhcp { facts.dhcp.removeFirst() }
        facts.dhcp.append(
            .init(
                kind: (isFirmware ? "pxe-" : "") + "\(message.kind)", time: time, mac: mac,
                hostName: message.isReply || isFirmware ? nil : message.hostName, address: address?.description))
        guard !isFirmware else {
            if message.kind == .ack, let address, firmwareAddresses.count < Limit.macs {
                firmwareAddresses.insert(address)
            }
            return
        }
        switch message.kind {
        case .ack:
            guard let address else { return }
            lease = (address, mac)
            firmwareAddresses.remove(address)
            leased = leased ?? Sign(time: time, text: leaseText(address))
        case .nak, .decline: lease = nil
        default: break
        }
    }

    private func leaseText(_ address: IPv4Address) -> String {
        "DHCP lease \(address)" + (facts.hostName.map { " for '\($0)'" } ?? "")
    }
}
