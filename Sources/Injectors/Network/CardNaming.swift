import Guest

/// Lets network cards keep their names where the names would move with the bus: a udev rule and a small program in the
/// guest, which names cards in the order of the PCI bus.
///
/// udev takes the first NAME that a rule gives: ours comes before 75-persistent-net-generator.rules and
/// 80-net-setup-link.rules, both of which leave a card that has one alone. An initramfs may have renamed the card
/// already, by its own copies of old rules or by default: it is then renamed once more in the real root, as coldplug
/// replays "add". The program isn't in the initramfs, for which the rule tests.
enum CardNaming {
    static let rule: GuestPath = "/etc/udev/rules.d/70-rehost-net-names.rules"
    /// Not below /usr, which old guests may mount after udev has named the cards.
    static let program: GuestPath = "/lib/udev/rehost-net-name"
    static let table: GuestPath = "/etc/rehost/net-names"

    static func lay(_ draft: inout Draft, cards: NetworkCards) throws {
        let old = entries(try draft.text(table) ?? "")
        let hasKernelNames = try hasKernelNames(draft)
        var names = order(cards)
        let defaults = hasKernelNames ? ["eth0", "eth1"] : ["enp1s0", "ens3"]
        for list in cards.patterns {
            let wildcards = list.map { Wildcard($0) }
            func isTaken(_ name: String) -> Bool { wildcards.contains { $0.matches(name) } }
            if defaults.allSatisfy(isTaken) || (names + old.map(\.name)).contains(where: isTaken) { continue }
            let examples = list.lazy.map { Self.examples(of: $0) }.first { !$0.isEmpty } ?? []
            names += examples
            if examples.isEmpty {
                draft.warn(
                    "no name for a card could be made from '\(list.joined(separator: " "))', "
                        + "which the configuration uses; cards keep the names that the guest gives them, "
                        + "and may come up without an address")
            }
        }
        guard !names.isEmpty else { return }
        if hasKernelNames, isKernelOrder(names, hadRules: !cards.bound.isEmpty) { return }

        let new = names.filter { name in !old.contains { $0.name == name } }
        if !new.isEmpty {
            let all = old + new.map { (name: $0, mac: cards.macs[$0]) }
            try draft.write(table, text: tableText(all))
            let list = all.map(\.name).joined(separator: ", ")
            draft.note(
                "the network cards keep their names: \(list), in the order of the PCI bus",
                hint: "the order is in '\(table)' inside the guest")
            let free = all.map(\.name).filter { !InterfaceName.tellsPlace($0) }
            if all.count > 1, !free.isEmpty {
                draft.warn(
                    "nothing tells which card \(free.joined(separator: ", ")) was; "
                        + "the cards are taken in this order, and one may get another's name",
                    hint: "give the new machine's cards the old MAC addresses, or put '\(table)' in order")
            }
        }
        try draft.write(program, text: programText, permissions: 0o755)
        try draft.write(rule, text: ruleText)
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

    private static func entries(_ text: String) -> [(name: String, mac: String?)] {
        TextLines(text).lines.compactMap { line in
            let words = (line ?? "").words
            guard let name = words.first, InterfaceName.isValid(name) else { return nil }
            return (name, words.dropFirst().first)
        }
    }

    // MARK: What names cards by default

    /// Whether the guest leaves cards the names that the kernel gives: eth0, eth1…
    static func hasKernelNames(_ files: any GuestFiles) throws -> Bool {
        if try isOnKernelCommandLine("net.ifnames=0", files) { return true }
        // Documented in systemd.link(5): an empty 99-default.link turns the policy off.
        if try files.entry(at: "/etc/systemd/network/99-default.link") != nil,
            try files.text("/etc/systemd/network/99-default.link")?.trimmed ?? "" == ""
        {
            return true
        }
        let folders: [GuestPath] = ["/usr/lib/udev/rules.d", "/lib/udev/rules.d"]
        guard try folders.contains(where: { try files.isDirectory($0) }) else { return false }
        return try ["80-net-setup-link.rules", "80-net-name-slot.rules"].allSatisfy { name in
            let mask: GuestPath = "/etc/udev/rules.d/\(name)"
            if try files.entry(at: mask) != nil { return try files.text(mask)?.trimmed ?? "" == "" }
            return try !files.existsAny(folders.map { $0.appending(name) })
        }
    }

    private static func isOnKernelCommandLine(_ option: String, _ files: any GuestFiles) throws -> Bool {
        let configuration: [GuestPath] = ["/boot/grub/grub.cfg", "/boot/grub/menu.lst", "/boot/extlinux/extlinux.conf"]
        let booted = try configuration.compactMap { try files.text($0) }
        let settings =
            try ["/etc/default/grub", "/etc/kernel/cmdline"] + files.files(in: "/etc/default/grub.d", suffix: ".cfg")
        let texts = try booted.isEmpty ? settings.compactMap { try files.text($0) } : booted
        return texts.contains { text in
            TextLines(text).lines.contains { line in
                guard let line, !line.trimmed.hasPrefix("#") else { return false }
                return line.split { " \t\"'".contains($0) }.contains { $0.hasSuffix(option) }
            }
        }
    }

    // MARK: What is laid into the guest

    private static func tableText(_ entries: [(name: String, mac: String?)]) -> String {
        let lines = entries.map { [$0.name, $0.mac].compactMap { $0 }.joined(separator: " ") }
        return """
            # The names of this machine's network cards, in the order of their places on the PCI bus, one a line.
            # A card that has the MAC address behind a name gets that name wherever it is.
            # Laid by rehost; read by \(program) when udev finds a card.
            \(lines.joined(separator: "\n"))

            """
    }

    private static var ruleText: String {
        """
        # Laid by rehost: network cards keep the names that this system's configuration knows, listed in
        # \(table). Remove this file to get the usual names.
        ACTION=="add", SUBSYSTEM=="net", SUBSYSTEMS=="pci", NAME=="", ATTR{type}=="1", TEST=="\(program)", \
        PROGRAM="\(program) %p", NAME="%c"

        """
    }

    /// The kernel lists all PCI devices before any driver is bound, and a shell sorts the names that `*` gives: the
    /// place of a card doesn't depend on which driver was first. Only what every /bin/sh has is used; each doubt ends
    /// in exit 1, and the card then gets its usual name.
    static let programText = #"""
        #!/bin/sh
        # Laid by rehost. Prints the name of a network card; udev calls it with the card's path below /sys.
        # Exit 1: no name from here, the usual one holds.
        LC_ALL=C
        export LC_ALL
        sys=/sys
        table=/etc/rehost/net-names
        [ -r "$table" ] || exit 1

        # /devices/pci0000:00/0000:00:03.0/virtio0/net/eth0 is a card at 0000:00:03.0
        card=${1%/net/*}
        case ${card##*/} in virtio*) card=${card%/*} ;; esac
        card=${card##*/}
        [ -n "$card" ] && [ -r "$sys/bus/pci/devices/$card/class" ] || exit 1

        port=0 mac=
        [ -r "$sys$1/dev_port" ] && read -r port < "$sys$1/dev_port"
        [ "$port" = 0 ] || exit 1
        [ -r "$sys$1/address" ] && read -r mac < "$sys$1/address"

        place=0 found=
        for device in "$sys"/bus/pci/devices/*; do
            [ -e "$device/physfn" ] && continue
            class=
            read -r class < "$device/class" || continue
            case $class in 0x0200*) ;; *) continue ;; esac
            if [ "${device##*/}" = "$card" ]; then found=yes; break; fi
            place=$((place + 1))
        done
        [ -n "$found" ] || exit 1

        line=0 name=
        while read -r candidate address rest; do
            case $candidate in ''|'#'*) continue ;; esac
            if [ -n "$address" ] && [ "$address" = "$mac" ]; then name=$candidate; break; fi
            [ "$line" -eq "$place" ] && name=$candidate
            line=$((line + 1))
        done < "$table"
        [ -n "$name" ] || exit 1
        printf '%s\n' "$name"

        """#
}
