/// An IPv4 address as a number in host order.
struct IPv4Address: Sendable, Hashable, CustomStringConvertible {
    var value: UInt32

    init(_ value: UInt32) { self.value = value }

    /// From "10.0.2.15"; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt8($0) }
        guard parts.count == 4, numbers.count == 4 else { return nil }
        value = numbers.reduce(0) { $0 << 8 | UInt32($1) }
    }

    var description: String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }

    var isUnspecified: Bool { value == 0 }
    /// 169.254.0.0/16, which a machine gives itself where no DHCP server answers (RFC 3927).
    var isLinkLocal: Bool { value >> 16 == 0xA9FE }
    /// One machine can have it: not 0/8, loopback, multicast, reserved or broadcast (RFC 1122, 3.2.1.3).
    var isHost: Bool { value >> 24 != 0 && value >> 24 != 127 && value >> 28 < 0xE }

    /// The network that holds both, no smaller than a /24 as most are; nil where they have less than 8 bits in common.
    func network(with other: IPv4Address) -> String? {
        let length = min(24, (value ^ other.value).leadingZeroBitCount)
        guard length >= 8 else { return nil }
        return "\(IPv4Address(value & ~(UInt32.max >> length)))/\(length)"
    }
}

/// An IPv6 address: eight groups.
struct IPv6Address: Sendable, Hashable, CustomStringConvertible {
    private var groups: [UInt16]

    /// nil unless there are 16 bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    }

    var isUnspecified: Bool { groups.allSatisfy { $0 == 0 } }
    /// fe80::/10 (RFC 4291, 2.5.6).
    var isLinkLocal: Bool { groups[0] & 0xFFC0 == 0xFE80 }
    var isMulticast: Bool { groups[0] >> 8 == 0xFF }

    /// As RFC 5952 writes it: the first longest run of two or more zero groups becomes "::".
    var description: String {
        var best = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 }
            if index + 1 - start > best.count { best = start..<index + 1 }
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { PacketBytes.hex($0) }.joined(separator: ":")
        }
        guard best.count > 1 else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
