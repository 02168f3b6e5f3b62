public import Guest

/// A static network becomes DHCP, and what tied interfaces to the old hardware goes.
///
/// Which formats are converted is told by the files that are there. Bonds, VLANs and bridges keep their roles; whoever
/// carries the address asks for one. Interfaces that are set up by DHCP, by hand or not at all stay as they are, as do
/// the loopback and Wi-Fi. Everything that was static is recorded.
public struct DHCPNetwork: Injector {
    public let name = "dhcp-network"

    public init() {}

    public func applies(to guest: Inspection) -> Bool { true }

    /// The formats whose files configure an interface: "cloud-init", "netplan", "ifupdown", "networkmanager", "networkd".
    public static func formatsInUse(_ files: any GuestFiles) throws -> [String] {
        try NetworkFormats.used(files).map(\.name)
    }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        let stale = try StaleNames(draft)
        var cards = NetworkCards(bound: stale.bound)
        let formats = try NetworkFormats.used(draft)
        for format in formats { try format.convert(&draft, cards: &cards) }
        for name in stale.linkNames { cards.use(name) }
        try stale.release(&draft)
        try CardNaming.lay(&draft, cards: cards)
        if !cards.converted.isEmpty { try Resolver.follow(formats.map(\.name), &draft) }
    }
}
