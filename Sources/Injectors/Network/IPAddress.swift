/// An IPv4 or IPv6 address as bytes, so that two ways to write one address are the same.
struct IPAddress: Hashable {
    /// Four or sixteen.
    let bytes: [UInt8]

    /// A prefix length or zone behind the address is passed over: "10.0.0.5/24", "fe80::1%eth0".
    init?(_ text: String) {
        let plain = String(text.trimmed.prefix { $0 != "/" && $0 != "%" })
        // The longest is an IPv6 address with an IPv4 tail: 45 characters.
        guard (2...45).contains(plain.utf8.count), let bytes = plain.contains(":") ? Self.six(plain) : Self.four(plain)
        else { return nil }
        self.bytes = bytes
    }

    var isIPv6: Bool { bytes.count == 16 }

    /// Written from the bytes: nothing else of the text that it was read from.
    var canonical: String {
        guard isIPv6 else { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }

    private static func four(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard !part.isEmpty, part.utf8.allSatisfy({ 48...57 ~= $0 }), let byte = UInt8(part) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func six(_ text: String) -> [UInt8]? {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false).map(String.init)
        guard halves.count <= 2, let head = groups(halves[0]) else { return nil }
        guard halves.count == 2 else { return head.count == 16 ? head : nil }
        guard let tail = groups(halves[1]), head.count + tail.count <= 14 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: String) -> [UInt8]? {
        if text.isEmpty { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part.contains("."), index == parts.count - 1, let tail = four(String(part)) {
                bytes += tail
            } else {
                guard (1...4).contains(part.utf8.count), part.allSatisfy({ $0.isASCII && $0.isHexDigit }),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
            }
        }
        return bytes.count <= 16 ? bytes : nil
    }

    /// Whether the network of an address with a prefix length, "10.0.0.5/24", holds this one.
    func isInNetwork(of text: String) -> Bool {
        guard let other = IPAddress(text), other.bytes.count == bytes.count,
            let slash = text.firstIndex(of: "/"), let length = Int(text[text.index(after: slash)...].trimmed),
            (0...bytes.count * 8).contains(length)
        else { return false }
        return bytes.indices.allSatisfy { index in
            let bits = min(8, max(0, length - index * 8))
            let mask = UInt8(truncatingIfNeeded: 0xFF00 >> bits)
            return bytes[index] & mask == other.bytes[index] & mask
        }
    }
}
