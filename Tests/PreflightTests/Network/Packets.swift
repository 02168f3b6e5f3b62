@testable import Preflight

/// Packets for tests, as a guest and QEMU's user network make them.
enum Packets {
    static let guest: [UInt8] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56]
    static let gateway: [UInt8] = [0x52, 0x55, 0x0A, 0x00, 0x02, 0x02]
    static let all = [UInt8](repeating: 0xFF, count: 6)
    static let none: [UInt8] = [0, 0, 0, 0]

    static func big(_ number: Int, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    static func frame(
        _ kind: Int, _ payload: [UInt8], from: [UInt8] = guest, to: [UInt8] = all, vlan: Int? = nil
    ) -> [UInt8] {
        to + from + (vlan.map { big(0x8100, 2) + big($0, 2) } ?? []) + big(kind, 2) + payload
    }

    static func arp(
        _ operation: Int, _ sender: [UInt8], _ target: [UInt8], from: [UInt8] = guest, to: [UInt8] = all,
        vlan: Int? = nil
    ) -> [UInt8] {
        let head = big(1, 2) + big(0x800, 2) + [6, 4] + big(operation, 2)
        return frame(0x806, head + from + sender + [0, 0, 0, 0, 0, 0] + target, from: from, to: to, vlan: vlan)
    }

    static func ip(
        _ source: [UInt8], _ destination: [UInt8], protocol kind: UInt8 = 17, _ payload: [UInt8] = [],
        from: [UInt8] = guest, to: [UInt8] = all
    ) -> [UInt8] {
        let head = [0x45, 0] + big(20 + payload.count, 2) + [0, 0, 0, 0, 64, kind, 0, 0]
        return frame(0x800, head + source + destination + payload, from: from, to: to)
    }

    static func option(_ code: UInt8, _ value: some Collection<UInt8>) -> [UInt8] {
        [code, UInt8(value.count)] + Array(value)
    }

    /// A DHCP message's bytes; a reply where `given` is there or `isReply` says so.
    static func dhcp(
        _ kind: UInt8, _ options: [UInt8] = [], given: [UInt8]? = nil, current: [UInt8] = none, isReply: Bool? = nil,
        transaction: Int = 7, mac: [UInt8] = guest, serverName: [UInt8] = [], file: [UInt8] = []
    ) -> [UInt8] {
        func padded(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
            bytes + [UInt8](repeating: 0, count: count - bytes.count)
        }
        var bytes: [UInt8] = [isReply ?? (given != nil) ? 2 : 1, 1, 6, 0] + big(transaction, 4) + [0, 0, 0, 0]
        bytes += current + (given ?? none) + none + none + padded(mac, 16)
        bytes += padded(serverName, 64) + padded(file, 128) + [0x63, 0x82, 0x53, 0x63]
        return bytes + option(53, [kind]) + options + [255]
    }

    static func client(_ message: [UInt8], source: [UInt8] = none) -> [UInt8] {
        ip(source, [255, 255, 255, 255], udp(68, 67, message))
    }

    static func server(_ message: [UInt8]) -> [UInt8] {
        ip([10, 0, 2, 2], [255, 255, 255, 255], udp(67, 68, message), from: gateway)
    }

    static func udp(_ source: Int, _ destination: Int, _ payload: [UInt8]) -> [UInt8] {
        big(source, 2) + big(destination, 2) + big(payload.count + 8, 2) + [0, 0] + payload
    }

    /// Neighbor solicitation for duplicate address detection: from ::, or an address.
    static func ip6(_ source: [UInt8] = [UInt8](repeating: 0, count: 16)) -> [UInt8] {
        let target: [UInt8] = [0xFF, 2] + [UInt8](repeating: 0, count: 13) + [1]
        return frame(0x86DD, [0x60, 0, 0, 0, 0, 4, 58, 255] + source + target + [135, 0, 0, 0])
    }

    /// The four messages that give 10.0.2.15 to 'web01'.
    static func exchange(_ options: [UInt8] = option(12, "web01".utf8), transaction: Int = 7) -> [[UInt8]] {
        let wanted = option(50, [10, 0, 2, 15])
        return [
            client(dhcp(1, options, transaction: transaction)),
            server(dhcp(2, given: [10, 0, 2, 15], transaction: transaction)),
            client(dhcp(3, options + wanted, transaction: transaction)),
            server(dhcp(5, given: [10, 0, 2, 15], transaction: transaction)),
        ]
    }
}
