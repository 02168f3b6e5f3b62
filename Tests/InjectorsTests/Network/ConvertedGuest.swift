import Guest
import GuestTesting
import Injectors
import Testing

/// A guest in memory after its network was converted, with the plan that did it.
struct ConvertedGuest {
    let guest: MemoryGuest
    let plan: Plan

    /// Plans, applies, and checks that a second plan has nothing to do.
    init(_ files: [GuestPath: String], prepare: (MemoryGuest) -> Void = { _ in }) throws {
        guest = MemoryGuest(files)
        prepare(guest)
        plan = try Self.plan(guest)
        try guest.apply(plan) { _ in }
        let second = try Self.plan(guest)
        #expect(second.items == [], "the second plan isn't empty")
    }

    static func plan(_ guest: MemoryGuest) throws -> Plan {
        var draft = Draft(over: guest, disks: guest)
        let injector = DHCPNetwork()
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
