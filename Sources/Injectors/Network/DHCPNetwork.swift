public import Guest

/// A static network becomes DHCP, and what tied interfaces to the old hardware goes.
///
/// Which formats are converted is told by the files that are there. Bonds, VLANs and bridges keep their roles; whoever
/// carries the address asks for one. Interfaces that are set up by DHCP, by hand or not at all stay as they are, as do
/// the loopback and Wi-Fi. Everything that was static is recorded.
public struct DHCPNetwork: Injector {
    public let name = "dhcp-network"
    private let addresses: Addresses

    /// What becomes of static addresses.
    public enum Addresses: Sendable {
        case dhcp
        /// They stay; only what ties interfaces to the old hardware goes.
        case keep
    }

    public init(_ addresses: Addresses = .dhcp) { self.addresses = addresses }

    public func applies(to guest: Inspection) -> Bool { true }

    /// The formats whose files configure an interface, of "cloud-init", "netplan", "ifupdown", "networkmanager" and
    /// "networkd"; those that are left over, with nothing to read them, are left out.
    public static func formatsInUse(_ files: any GuestFiles) throws -> [String] {
        try NetworkFormats.used(files).map(\.name)
    }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        let stale = try StaleNames(draft)
        var cards = NetworkCards(bound: stale.bound)
        let formats = try NetworkFormats.used(draft)
        switch addresses {
        case .dhcp: for format in formats { try format.convert(&draft, cards: &cards) }
        case .keep: try learnNames(formats, &cards, &draft)
        }
        for name in stale.linkNames { cards.use(name) }
        try stale.release(&draft)
        try CardNaming.lay(&draft, cards: cards)
        if addresses == .dhcp, !cards.converted.isEmpty { try Resolver.follow(formats.map(\.name), &draft) }
    }

    /// Learns which cards the configuration names, from a conversion that is thrown away.
    private func learnNames(
        _ formats: [any NetworkFormat], _ cards: inout NetworkCards, _ draft: inout Draft
    ) throws {
        var trial = draft
        for format in formats { try format.convert(&trial, cards: &cards) }
        for setting in trial.formerSettings.dropFirst(draft.formerSettings.count) {
            guard let address = setting.values["mac"]?.first else { continue }
            draft.warn(
                "'\(setting.file)' knows \(setting.subject) by its MAC address \(address);"
                    + " it keeps its settings only if the new card has that address")
        }
    }
}
