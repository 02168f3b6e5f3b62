/// QEMU's user network for a guest under test: DHCP, a gateway that answers, and no way out.
struct UserNetwork {
    private let network: UInt32
    private let prefix: Int
    private let gateway: UInt32

    struct Invalid: Error, CustomStringConvertible {
        var text: String
        var why: String
        var description: String {
            "'\(text)' is no network for a guest: \(why)\nhint: write it as 192.168.77.0/24, with its gateway inside"
        }
    }

    /// - Parameters:
    ///   - cidr: "10.0.2.0/24".
    ///   - gateway: ".2" of the network where it isn't given.
    init(_ cidr: String, gateway: String? = nil) throws {
        let parts = cidr.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Self.number(parts[0]), let prefix = Int(parts[1]) else {
            throw Invalid(text: cidr, why: "it has no address and prefix length")
        }
        // DHCP and name server need their places; larger than /8 is no network of anybody's.
        guard (8...27).contains(prefix) else { throw Invalid(text: cidr, why: "the prefix is not between 8 and 27") }
        let mask = ~UInt32(0) << (32 - prefix)
        network = address & mask
        self.prefix = prefix
        guard let gateway else {
            self.gateway = network + 2
            return
        }
        guard let number = Self.number(Substring(gateway)), number & mask == network, number & ~mask != 0,
            number & ~mask != ~mask
        else { throw Invalid(text: cidr, why: "the gateway '\(gateway)' is not inside it") }
        self.gateway = number
    }

    /// For `-netdev user`.
    var options: String {
        // QEMU answers for its name server, too: at the network's end it is in nobody's way. Leases start at .15.
        let last = network | ~(~UInt32(0) << (32 - prefix))
        let name = last - 1 == gateway ? last - 2 : last - 1
        let lease = network + 15 == gateway ? network + 16 : network + 15
        return "net=\(Self.text(network))/\(prefix),host=\(Self.text(gateway)),dns=\(Self.text(name)),"
            + "dhcpstart=\(Self.text(lease))"
    }

    var gatewayAddress: String { Self.text(gateway) }

    private static func number(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4 else { return nil }
        return parts.reduce(UInt32(0) as UInt32?) { sum, part in
            sum.flatMap { sum in part.map { sum << 8 | UInt32($0) } }
        }
    }

    private static func text(_ number: UInt32) -> String {
        [24, 16, 8, 0].map { "\(number >> UInt32($0) & 255)" }.joined(separator: ".")
    }
}
