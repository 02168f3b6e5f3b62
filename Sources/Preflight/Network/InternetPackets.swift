/// ARP for IPv4 over Ethernet (RFC 826).
struct ARPPacket: Sendable {
    var isRequest: Bool
    var senderMAC: String
    var sender: IPv4Address
    var target: IPv4Address

    /// nil for other protocols and operations.
    init?(_ bytes: PacketBytes) {
        guard bytes.u16(0) == 1, bytes.u16(2) == EthernetFrame.Kind.ipv4, bytes.u8(4) == 6, bytes.u8(5) == 4,
            let operation = bytes.u16(6), operation == 1 || operation == 2,
            let mac = bytes.mac(8), let sender = bytes.address4(14), let target = bytes.address4(24)
        else { return nil }
        isRequest = operation == 1
        senderMAC = mac
        self.sender = sender
        self.target = target
    }

    /// Does someone else have the address that the sender would like? (RFC 5227, 1.1)
    var isProbe: Bool { isRequest && sender.isUnspecified }
    /// "This address is mine", asked of nobody (RFC 5227, 1.1).
    var isAnnouncement: Bool { sender == target && !sender.isUnspecified }
}

/// An IPv4 packet (RFC 791).
struct IPv4Packet: Sendable {
    var source: IPv4Address
    var destination: IPv4Address
    /// Only where it is UDP and whole.
    var udp: UDPDatagram?

    init?(_ bytes: PacketBytes) {
        guard let first = bytes.u8(0), first >> 4 == 4, let total = bytes.u16(2), let fragment = bytes.u16(6),
            let kind = bytes.u8(9), let source = bytes.address4(12), let destination = bytes.address4(16)
        else { return nil }
        self.source = source
        self.destination = destination
        let header = Int(first & 15) * 4
        // The lower 14 bits: more fragments, and the offset.
        guard kind == 17, fragment & 0x3FFF == 0, header >= 20, Int(total) >= header,
            let payload = bytes.bytes(header, Int(total) - header)
        else { return }
        udp = UDPDatagram(payload)
    }
}

/// UDP (RFC 768).
struct UDPDatagram: Sendable {
    var sourcePort: UInt16
    var destinationPort: UInt16
    var payload: PacketBytes

    init?(_ bytes: PacketBytes) {
        guard let source = bytes.u16(0), let destination = bytes.u16(2), let length = bytes.u16(4), length >= 8,
            let payload = bytes.bytes(8, Int(length) - 8)
        else { return nil }
        sourcePort = source
        destinationPort = destination
        self.payload = payload
    }
}

/// An IPv6 packet's header (RFC 8200).
struct IPv6Packet: Sendable {
    var source: IPv6Address

    init?(_ bytes: PacketBytes) {
        guard let first = bytes.u8(0), first >> 4 == 6, bytes.count >= 40, let source = bytes.address6(8) else {
            return nil
        }
        self.source = source
    }
}
