import Guest

/// What the profiles of a RHEL guest call its cards, and what becomes of those that tell them by MAC address.
struct RedHatNames {
    private let namesByMAC: [String: String]
    /// Cards that a profile names.
    private let cards: [String]
    private let made: Set<String>
    /// Profiles of cards that name none.
    private let unnamed: Int

    init(_ profiles: [RedHatProfile]) {
        let all = profiles.filter { $0.role == .card && !$0.isAlias }
        cards = all.compactMap(\.name)
        unnamed = all.count { $0.name == nil }
        made = Set(profiles.filter { $0.role != .card }.compactMap(\.name))
        namesByMAC = Dictionary(
            all.compactMap { profile in
                guard let mac = profile.file["HWADDR"].flatMap(Address.mac), let name = profile.name else { return nil }
                return (mac, name)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether a profile makes an interface of this name: a bond or bridge that a VLAN is on.
    func isMade(_ name: String) -> Bool {
        made.contains(name) || InterfaceName.isVirtual(name) || InterfaceName.isWireless(name)
            || (InterfaceName.isComposite(name) && !cards.contains(name))
    }

    /// Takes what ties a profile to the old hardware, or gives it the new machine's MAC address.
    /// - Returns: what to call the interface.
    func unbind(
        _ profile: inout RedHatProfile, _ old: inout StaticNetwork, _ draft: inout Draft, _ cards: inout NetworkCards
    ) -> String {
        var interface = profile.name ?? profile.file["NAME"] ?? profile.suffix
        if profile.isAlias { return profile.file["DEVICE"] ?? profile.suffix }
        if let own = profile.file["MACADDR"], Address.mac(own) != nil {
            // Clouds drop frames from a MAC address that isn't the port's own.
            old.macs.append(own)
            profile.file.remove { $0 == "MACADDR" }
        }
        guard profile.role == .card else { return interface }
        let tie = profile.file["HWADDR"]
        let mac = tie.flatMap(Address.mac)
        if let name = profile.name {
            cards.use(name, mac: mac)
        } else if let mac, cards.givenByFile[profile.path] == nil {
            let known = namesByMAC[mac] ?? cards.bound[mac] ?? cards.given.first { $0.value == mac }?.key
            // One profile without a card's name serves any card; of several, each would.
            if known != nil || unnamed > 1 || !self.cards.isEmpty {
                let name = known ?? cards.name(ofCardWith: mac)
                cards.use(name, mac: mac)
                profile.file.set("DEVICE", name)
                draft.note("\(interface): the card with \(mac) is called \(name) from now on")
                interface = name
            }
        }
        let new = cards.tie(of: profile.name ?? "", in: profile.path)
        if let tie, mac != new {
            old.macs.append(tie)
            if new == nil { profile.file.remove { $0 == "HWADDR" } }
        }
        if let new, tie != nil || cards.givenByFile[profile.path] != nil, mac != new {
            profile.file.set("HWADDR", new)
        }
        return interface
    }
}
