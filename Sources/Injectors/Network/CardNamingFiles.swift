import Guest

/// The texts that ``CardNaming`` lays into a guest.
extension CardNaming {
    static func tableText(_ entries: [Entry]) -> String {
        let lines = entries.map { entry in
            [entry.name, entry.mac, entry.isFixed ? "fixed" : nil].compactMap { $0 }.joined(separator: " ")
        }
        let fixed =
            entries.contains(where: \.isFixed)
            ? "\n# One marked \"fixed\" is for that card only; the others share out the remaining cards." : ""
        return """
            # The names of this machine's network cards, in the order of their places on the PCI bus, one a line.
            # A card that has the MAC address behind a name gets that name wherever it is.\(fixed)
            # Laid by rehost; read by \(program) when udev finds a card.
            \(lines.joined(separator: "\n"))

            """
    }

    /// Bridges, VLANs and bonds take over a card's MAC address, but aren't on the PCI bus.
    static func ruleText(_ entries: [Entry]) -> String {
        var lines = [
            "# Laid by rehost: network cards keep the names that this system's configuration knows, listed in",
            "# \(table). Remove this file to get the usual names.",
        ]
        for entry in entries where entry.isFixed {
            lines.append(
                #"ACTION=="add", SUBSYSTEM=="net", SUBSYSTEMS=="pci", ATTR{type}=="1", "#
                    + #"ATTR{address}=="\#(entry.mac ?? "")", NAME="\#(entry.name)""#)
        }
        if needsProgram(entries) {
            lines.append(
                #"ACTION=="add", SUBSYSTEM=="net", SUBSYSTEMS=="pci", NAME=="", ATTR{type}=="1", "#
                    + #"TEST=="\#(program)", PROGRAM="\#(program) %p", NAME="%c""#)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Path= keeps VLANs and bridges out, which have the MAC address of the card below; systemd.link(5) knows
    /// PermanentMACAddress= only since version 245.
    static func linkText(_ entry: Entry) -> String {
        """
        # Laid by rehost: the card that this system's configuration knows as \(entry.name).
        [Match]
        MACAddress=\(entry.mac ?? "")
        Path=pci-*

        [Link]
        Name=\(entry.name)

        """
    }

    /// Whether there are names that go by the cards' order.
    static func needsProgram(_ entries: [Entry]) -> Bool { entries.contains { !$0.isFixed } }

    /// The kernel lists all PCI devices before any driver is bound, and a shell sorts the names that `*` gives: the
    /// place of a card doesn't depend on which driver was first. Only what every /bin/sh has is used; each doubt ends
    /// in exit 1, and the card then gets its usual name.
    static func programText(_ entries: [Entry]) -> String {
        let hasFixed = entries.contains(where: \.isFixed)
        let parts: [String?] = [
            opening, hasFixed ? fixedSearch : nil, placeSearch, hasFixed ? fixedCardPass : nil, placeEnd,
            hasFixed ? fixedLinePass : nil, lineChoice,
        ]
        return parts.compactMap { $0 }.joined(separator: "\n") + "\n"
    }

    private static let opening = #"""
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

        """#

    private static let fixedSearch = #"""
        # Names marked "fixed" belong to one card each; neither counts among the others.
        fixed=' '
        while read -r candidate address mark rest; do
            case $candidate in ''|'#'*) continue ;; esac
            [ "$mark" = fixed ] || continue
            if [ "$address" = "$mac" ]; then printf '%s\n' "$candidate"; exit 0; fi
            fixed="$fixed$address "
        done < "$table"

        """#

    private static let placeSearch = #"""
        place=0 found=
        for device in "$sys"/bus/pci/devices/*; do
            [ -e "$device/physfn" ] && continue
            class=
            read -r class < "$device/class" || continue
            case $class in 0x0200*) ;; *) continue ;; esac
            if [ "${device##*/}" = "$card" ]; then found=yes; break; fi
        """#

    private static let fixedCardPass = #"""
            other=none
            for file in "$device"/net/*/address "$device"/virtio*/net/*/address; do
                [ -r "$file" ] && read -r other < "$file" && break
            done
            case $fixed in *" $other "*) continue ;; esac
        """#

    private static let placeEnd = #"""
            place=$((place + 1))
        done
        [ -n "$found" ] || exit 1

        line=0 name=
        while read -r candidate address rest; do
            case $candidate in ''|'#'*) continue ;; esac
        """#

    private static let fixedLinePass = #"""
            [ "$rest" = fixed ] && continue
        """#

    private static let lineChoice = #"""
            if [ -n "$address" ] && [ "$address" = "$mac" ]; then name=$candidate; break; fi
            [ "$line" -eq "$place" ] && name=$candidate
            line=$((line + 1))
        done < "$table"
        [ -n "$name" ] || exit 1
        printf '%s\n' "$name"
        """#
}
