public import Guest

/// A static network becomes DHCP, and what tied interfaces to the old hardware goes.
///
/// Which formats are converted is told by the files that are there. Bonds, VLANs and bridges keep their roles; whoever
/// carries the address asks for one. Interfaces that are set up by DHCP, by hand or not at all stay as they are, as do
/// the loopback and Wi-Fi. Everything that was static is recorded.
public struct DHCPNetwork: Injector {
    public let name = "dhcp-network"
    private let addresses: Addresses
    private let matches: [CardMatch]
    /// More than any machine's; beyond it an image is broken, or wants to hold us up.
    private static let interfaceLimit = 2048

    /// What becomes of static addresses.
    public enum Addresses: Sendable {
        case dhcp
        /// They stay; only what ties interfaces to the old hardware goes.
        case keep
    }

    /// - Parameter matches: which of the new machine's cards some interfaces get; the others go by their order.
    public init(_ addresses: Addresses = .dhcp, matches: [CardMatch] = []) {
        self.addresses = addresses
        self.matches = matches
    }

    public func applies(to guest: Inspection) -> Bool { true }

    /// The formats whose files configure an interface, of "cloud-init", "netplan", "ifupdown", "ifcfg",
    /// "suse-ifcfg", "wicked", "networkmanager", "networkd" and "connman"; those that are left over, with nothing to read them, are left out.
    public static func formatsInUse(_ files: any GuestFiles) throws -> [String] {
        try NetworkFormats.used(files).map(\.name)
    }

    /// What those formats configure, in their order. One interface may be there twice, where one format writes another's
    /// files at boot.
    public static func interfaces(_ files: any GuestFiles) throws -> [NetworkInterface] {
        try NetworkFormats.used(files).flatMap { try $0.read(files) }
    }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        let formats = try NetworkFormats.used(draft)
        let model = try formats.flatMap { try $0.read(draft) }
        guard model.count <= Self.interfaceLimit else {
            draft.block(
                "the guest configures \(model.count) network interfaces; \(Self.interfaceLimit) are the most",
                hint: "mend it in the source, or leave this out with --skip \(name)")
            return
        }
        let stale = try StaleNames(draft)
        let matching = try CardMatching(matches, model: model, bound: stale.bound, draft)
        guard matching.problems.isEmpty else {
            for problem in matching.problems { draft.block(problem.message, hint: problem.hint) }
            return
        }
        var cards = NetworkCards(
            bound: stale.bound, addresses: addresses, given: matching.byName, givenByFile: matching.byFile)
        for name in matching.byName.keys.sorted(by: InterfaceName.precedes) { cards.use(name) }
        for format in formats { try format.convert(&draft, cards: &cards) }
        for name in stale.linkNames { cards.use(name) }
        try stale.release(&draft)
        try CardNaming.lay(&draft, cards: cards)
        if addresses == .dhcp, !cards.converted.isEmpty { try Resolver.follow(formats.map(\.name), &draft) }
    }
}
