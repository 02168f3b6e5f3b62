/// An Ethernet II frame, its 802.1Q tags taken off.
struct EthernetFrame: Sendable {
    /// EtherTypes (IEEE 802 Numbers, IANA).
    enum Kind {
        static let ipv4: UInt16 = 0x0800
        static let arp: UInt16 = 0x0806
        static let ipv6: UInt16 = 0x86DD
        static let tag: UInt16 = 0x8100
        static let outerTag: UInt16 = 0x88A8
    }

    var destination: String
    var source: String
    /// The outermost tag's VLAN; 0 is only a priority and no VLAN.
    var vlan: UInt16?
    /// Below 1536 it is a length: a frame of IEEE 802.3, such as spanning tree's.
    var kind: UInt16
    var payload: PacketBytes

    /// nil for what is too short, or has a group address as its source.
    init?(_ bytes: [UInt8]) {
        let all = PacketBytes(bytes)
        guard let destination = all.mac(0), let source = all.mac(6), bytes[6] & 1 == 0 else { return nil }
        var offset = 12
        guard var kind = all.u16(offset) else { return nil }
        // Two tags at most, as 802.1ad has them.
        for _ in 0..<2 where kind == Kind.tag || kind == Kind.outerTag {
            guard let tag = all.u16(offset + 2), let next = all.u16(offset + 4) else { return nil }
            if vlan == nil, tag & 0xFFF != 0 { vlan = tag & 0xFFF }
            kind = next
            offset += 4
        }
        guard let payload = all.from(offset + 2) else { return nil }
        self.destination = destination
        self.source = source
        self.kind = kind
        self.payload = payload
    }

    /// Whether QEMU's user network (libslirp) sent it: 52:55 and its IPv4 address, or 52:56 and zeros for IPv6.
    var isOfUserNetwork: Bool { source.hasPrefix("52:55:") || source.hasPrefix("52:56:00:00:00:") }
}
