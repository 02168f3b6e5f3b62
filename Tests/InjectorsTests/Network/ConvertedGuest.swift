import Guest
import GuestTesting
import Injectors
import Testing

/// A guest in memory after its network was converted, with the plan that did it.
struct ConvertedGuest {
    let guest: MemoryGuest
    let plan: Plan

    /// Plans, applies, and checks that a second plan has nothing to do.
    /// - Parameter cards: values of --mac.
    init(
        _ files: [GuestPath: String], _ addresses: DHCPNetwork.Addresses = .dhcp, cards: [String] = [],
        prepare: (MemoryGuest) -> Void = { _ in }
    ) throws {
        guest = MemoryGuest(files)
        prepare(guest)
        plan = try Self.plan(guest, addresses, cards)
        guard plan.blockers.isEmpty else { return }
        try guest.apply(plan) { _ in }
        let second = try Self.plan(guest, addresses, cards)
        #expect(second.items == [], "the second plan isn't empty")
        #expect(second.formerSettings == [], "the second plan takes away what isn't there")
    }

    static func plan(
        _ guest: MemoryGuest, _ addresses: DHCPNetwork.Addresses = .dhcp, _ cards: [String] = []
    ) throws -> Plan {
        var draft = Draft(over: guest, disks: guest)
        let injector = DHCPNetwork(addresses, matches: try cards.map { try #require(CardMatch($0)) })
        draft.injector = injector.name
        try injector.inject(into: &draft, guest: inspection)
        return try draft.plan()
    }

    static let inspection = Inspection(
        osRelease: OSRelease(id: "debian"), architecture: "x86_64", hostName: nil, firmware: .bios, disks: [],
        fileSystems: [], mounts: [], kernels: [], bootLoader: .unknown, networkFormats: [], tools: [])

    subscript(_ path: GuestPath) -> String? { (try? guest.text(path)) ?? nil }

    /// The names that the laid table gives to cards, in order; empty where none was laid.
    var cardNames: [String] {
        (self["/etc/rehost/net-names"] ?? "").split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }

    /// What the udev rule names by MAC address: "eth0 52:54:00:00:00:01".
    var fixedCards: [String] {
        (self["/etc/udev/rules.d/70-rehost-net-names.rules"] ?? "").split(separator: "\n").compactMap { line in
            guard let address = line.firstRange(of: "ATTR{address}==\""), let name = line.firstRange(of: ", NAME=\"")
            else { return nil }
            let mac = line[address.upperBound...].prefix { $0 != "\"" }
            return "\(line[name.upperBound...].prefix { $0 != "\"" }) \(mac)"
        }
    }

    var blockers: [String] { plan.blockers.map(\.message) }
    var changed: [String] { plan.items.compactMap { $0.change.path?.description } }
    var notes: [String] { plan.findings.filter { $0.level == .note }.map(\.message) }
    var warnings: [String] { plan.warnings.map(\.message) }

    func former(_ subject: String) -> [String: [String]]? {
        plan.formerSettings.first { $0.kind == "static-network" && $0.subject == subject }?.values
    }
}

/// A DHCP client, for ifupdown.
let dhclient: [GuestPath: String] = ["/sbin/dhclient": "", "/sbin/ifup": ""]

extension Dictionary {
    static func + (left: Self, right: Self) -> Self { left.merging(right) { $1 } }
}
