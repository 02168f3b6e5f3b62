import Guest

/// Lets network cards keep their names where the names would move with the bus: a udev rule and a small program in the
/// guest, which names cards in the order of the PCI bus.
///
/// udev takes the first NAME that a rule gives: ours comes before 75-persistent-net-generator.rules and
/// 80-net-setup-link.rules, both of which leave a card that has one alone. An initramfs may have renamed the card
/// already, by its own copies of old rules or by default: it is then renamed once more in the real root, as coldplug
/// replays "add". The program isn't in the initramfs, for which the rule tests.
///
/// A card that the user gave a name by its MAC address has a rule of its own, and a .link file where udev reads those.
enum CardNaming {
    static let rule: GuestPath = "/etc/udev/rules.d/70-rehost-net-names.rules"
    /// Not below /usr, which old guests may mount after udev has named the cards.
    static let program: GuestPath = "/lib/udev/rehost-net-name"
    static let table: GuestPath = "/etc/rehost/net-names"
    static let linkPrefix = "10-rehost-"
    private static let linkFolder: GuestPath = "/etc/systemd/network"

    /// A line of the table.
    struct Entry: Equatable {
        var name: String
        /// Lower case; the old machine's, or the new one's where it is fixed.
        var mac: String?
        /// The user gave this very card the name.
        var isFixed = false
    }

    static func lay(_ draft: inout Draft, cards: NetworkCards) throws {
        let old = entries(try draft.text(table) ?? "")
        let hasKernelNames = try DefaultNames.hasKernelNames(draft)
        var names = order(cards)
        names += examples(for: cards, names + old.map(\.name), hasKernelNames, &draft)
        guard !names.isEmpty else { return }
        let isFixed = !cards.given.isEmpty || old.contains(where: \.isFixed)
        if !isFixed, hasKernelNames, isKernelOrder(names, hadRules: !cards.bound.isEmpty) { return }
        if try DefaultNames.areByMdev(draft) { return try MacTable.lay(&draft, cards: cards, names: names) }

        let all = updated(old, names, cards)
        if all != old { try write(all, new: all.filter { !old.contains($0) }, &draft) }
        if needsProgram(all) { try draft.write(program, text: programText(all), permissions: 0o755) }
        try draft.write(rule, text: ruleText(all))
        try layLinks(all, &draft)
        warnOfExchange(all, &draft)
    }

    /// The names that --mac gave in an earlier run, with the cards' MAC addresses.
    static func fixedNames(_ files: any GuestFiles) throws -> [String: String] {
        let fixed = entries(try files.text(table) ?? "").filter(\.isFixed)
        return Dictionary(fixed.compactMap { entry in entry.mac.map { (entry.name, $0) } }) { first, _ in first }
    }

    /// Names for wildcards that no known name matches, and the default ones don't.
    private static func examples(
        for cards: NetworkCards, _ known: [String], _ hasKernelNames: Bool, _ draft: inout Draft
    ) -> [String] {
        let defaults = hasKernelNames ? ["eth0", "eth1"] : ["enp1s0", "ens3"]
        var names: [String] = []
        for list in cards.patterns {
            let wildcards = list.map { Wildcard($0) }
            func isTaken(_ name: String) -> Bool { wildcards.contains { $0.matches(name) } }
            if defaults.allSatisfy(isTaken) || (known + names).contains(where: isTaken) { continue }
            let examples = list.lazy.map { Self.examples(of: $0) }.first { !$0.isEmpty } ?? []
            names += examples
            if examples.isEmpty {
                draft.warn(
                    "no name for a card could be made from '\(list.joined(separator: " "))', "
                        + "which the configuration uses; cards keep the names that the guest gives them, "
                        + "and may come up without an address")
            }
        }
        return names
    }

    /// The table's lines with what is new; what is there stays, unless the user gave its card to another name.
    private static func updated(_ old: [Entry], _ names: [String], _ cards: NetworkCards) -> [Entry] {
        let given = Set(cards.given.values)
        let known = Set(old.map(\.name))
        var all = old
        all += names.filter { !known.contains($0) }.map { Entry(name: $0, mac: cards.macs[$0]) }
        for index in all.indices {
            if let mac = cards.given[all[index].name] {
                all[index].mac = mac
                all[index].isFixed = true
            } else if let mac = all[index].mac, given.contains(mac) {
                all[index].mac = nil
                all[index].isFixed = false
            }
        }
        return all
    }

    private static func write(_ all: [Entry], new: [Entry], _ draft: inout Draft) throws {
        try draft.write(table, text: tableText(all))
        let ordered = all.filter { !$0.isFixed }
        for entry in new where entry.isFixed {
            draft.note("\(entry.name): is the card with the MAC address \(entry.mac ?? "") from now on")
        }
        guard !ordered.isEmpty else { return }
        draft.note(
            "the network cards keep their names: \(ordered.map(\.name).joined(separator: ", ")), "
                + "in the order of the PCI bus",
            hint: "the order is in '\(table)' inside the guest")
        let free = ordered.map(\.name).filter { !InterfaceName.tellsPlace($0) }
        if ordered.count > 1, !free.isEmpty {
            draft.warn(
                "nothing tells which card \(free.joined(separator: ", ")) was; "
                    + "the cards are taken in this order, and one may get another's name",
                hint: "tell which is which with --mac MAC=INTERFACE, or put '\(table)' in order")
        }
    }

    private static func layLinks(_ all: [Entry], _ draft: inout Draft) throws {
        let wanted = try DefaultNames.areByLinkFiles(draft) ? all.filter(\.isFixed) : []
        let paths = Set(wanted.map { linkFolder.appending("\(linkPrefix)\($0.name).link") })
        for path in try draft.files(in: linkFolder, suffix: ".link")
        where path.name.hasPrefix(linkPrefix) && !paths.contains(path) {
            try draft.remove(path)
        }
        for entry in wanted {
            try draft.write(linkFolder.appending("\(linkPrefix)\(entry.name).link"), text: linkText(entry))
        }
    }

    /// systemd's udev gives no card a name that another one has at that moment, and the kernel counts from eth0.
    private static func warnOfExchange(_ all: [Entry], _ draft: inout Draft) {
        let counted = all.filter { $0.isFixed && $0.name.hasPrefix("eth") && UInt16($0.name.dropFirst(3)) != nil }
        guard counted.count > 1 else { return }
        let cards = counted.sorted { InterfaceName.precedes($0.name, $1.name) }.map { "\($0.name) \($0.mac ?? "")" }
        draft.note(
            "names of the kernel's own kind can't always be exchanged at boot",
            hint: "give the new machine its cards in this order: \(cards.joined(separator: ", "))")
    }

    /// The names in the order in which the machine had the cards. Where names were chosen freely, hypervisors have
    /// nearly always given out MAC addresses in that order.
    private static func order(_ cards: NetworkCards) -> [String] {
        let macs = cards.names.compactMap { cards.macs[$0] }
        guard macs.count == cards.names.count, !cards.names.allSatisfy(InterfaceName.tellsPlace) else {
            return cards.names.sorted(by: InterfaceName.precedes)
        }
        return cards.names.sorted { (cards.macs[$0] ?? "") < (cards.macs[$1] ?? "") }
    }

    /// eth0, eth1… are what the kernel itself counts; only a rule can have made a lone eth1.
    private static func isKernelOrder(_ names: [String], hadRules: Bool) -> Bool {
        let isCounted = names.allSatisfy { $0.hasPrefix("eth") && UInt16($0.dropFirst(3)) != nil }
        return isCounted && (!hadRules || names == names.indices.map { "eth\($0)" })
    }

    /// Four names that a wildcard takes, in VMware's way of counting where it allows.
    private static func examples(of pattern: String) -> [String] {
        let wildcard = Wildcard(pattern)
        return (0..<4).compactMap { index in
            [pattern.hasPrefix("ens") ? 160 + 32 * index : index, index].lazy.map { number in
                let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
                let filled = parts.joined(separator: String(number))
                return String(filled.filter { $0 != "*" }.map { $0 == "?" ? Character(String(index)) : $0 })
            }.first { InterfaceName.isValid($0) && wildcard.matches($0) }
        }
    }

    private static func entries(_ text: String) -> [Entry] {
        TextLines(text).lines.compactMap { line in
            let words = (line ?? "").words
            guard let name = words.first, InterfaceName.isValid(name) else { return nil }
            return Entry(name: name, mac: words.dropFirst().first, isFixed: words.dropFirst(2).first == "fixed")
        }
    }
}
