import Guest

/// What a guest calls the machine's network cards, gathered while its configuration is converted; and what the user said
/// about the new machine's.
struct NetworkCards {
    /// Names by MAC address, as udev rules and .link files gave them; those go.
    let bound: [String: String]
    /// What becomes of static addresses.
    let addresses: DHCPNetwork.Addresses
    /// The new machine's MAC addresses, by the interface's name.
    let given: [String: String]
    /// The same for configurations that name no interface, by their file.
    let givenByFile: [GuestPath: String]
    /// Cards named one by one, in the order in which they were found.
    private(set) var names: [String] = []
    /// Wildcards that stand for cards, as they are given together: a card may match any of one list.
    private(set) var patterns: [[String]] = []
    /// By name, where the configuration told the card by it.
    private(set) var macs: [String: String] = [:]
    /// The interfaces that were static and now ask a DHCP server.
    var converted: [String] = []

    private var known: Set<String> = []
    private let boundByName: [String: String]

    init(
        bound: [String: String] = [:], addresses: DHCPNetwork.Addresses = .dhcp, given: [String: String] = [:],
        givenByFile: [GuestPath: String] = [:]
    ) {
        self.bound = bound
        self.addresses = addresses
        self.given = given
        self.givenByFile = givenByFile
        boundByName = Dictionary(bound.sorted { $0.key < $1.key }.map { ($0.value, $0.key) }) { first, _ in first }
    }

    /// A configuration is about cards of these names and wildcards.
    mutating func use(oneOf names: [String]) {
        for name in names where !Wildcard.isPattern(name) { use(name) }
        let list = names.filter { Wildcard.isPattern($0) }
        if !list.isEmpty, !patterns.contains(list) { patterns.append(list) }
    }

    /// A configuration is about this card; or, by a wildcard, about some.
    mutating func use(_ name: String, mac: String? = nil) {
        if Wildcard.isPattern(name) { return use(oneOf: [name]) }
        guard InterfaceName.isValid(name) else { return }
        if known.insert(name).inserted { names.append(name) }
        if let mac = mac ?? boundByName[name], macs[name] == nil { macs[name] = mac }
    }

    /// The name of a card that the configuration told by its MAC address, or by some other tie to the old hardware.
    /// - Parameter preferred: taken where no rule had named the card.
    mutating func name(ofCardWith tie: String, preferred: String? = nil) -> String {
        let mac = Address.mac(tie)
        let byNew = given.first { $0.value == mac }?.key
        if let mac, let name = bound[mac] ?? byNew ?? macs.first(where: { $0.value == mac })?.key {
            use(name, mac: mac)
            return name
        }
        if let preferred, InterfaceName.isValid(preferred), !Wildcard.isPattern(preferred) {
            use(preferred, mac: mac)
            return preferred
        }
        let free = (0...).lazy.map { "nic\($0)" }.first { !known.contains($0) } ?? "nic"
        use(free, mac: mac)
        return free
    }

    /// What a configuration tells its card by from now on: the MAC address that was given for the interface, or for the
    /// configuration itself; nil where none was, and the tie goes.
    func tie(of name: String, in file: GuestPath) -> String? { givenByFile[file] ?? given[name] }
}

enum InterfaceName {
    /// Linux takes 15 bytes (IFNAMSIZ); with other characters than letters, digits, dots, dashes and underscores it is
    /// no name that we would write.
    static func isValid(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.unicodeScalars.allSatisfy { isAllowed($0) }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
        default: false
        }
    }

    static func isWireless(_ name: String) -> Bool {
        if name.hasPrefix("wl") || name.hasPrefix("ww") { return name.contains(where: \.isNumber) }
        return ["ath", "ra"].contains { name.hasPrefix($0) && isCount(name.dropFirst($0.count)) }
    }

    private static func isCount(_ text: Substring) -> Bool { !text.isEmpty && text.allSatisfy(\.isNumber) }

    /// Interfaces that programs make, told by how they are usually called.
    static func isVirtual(_ name: String) -> Bool {
        let prefixes = [
            "dummy", "tun", "tap", "veth", "wg", "docker", "virbr", "lxcbr", "lxdbr", "vxlan", "gre", "gretap", "sit",
            "ipip", "ip6tnl", "ppp", "ifb", "macvlan", "macvtap", "ipvlan", "vti", "cni", "usb", "ib", "can", "ovs",
        ]
        return name == "lo"
            || prefixes.contains { name.hasPrefix($0) && name.dropFirst($0.count).allSatisfy(\.isNumber) }
    }

    /// Whether a name was given for a card's place or count: eth0, ens192, enp2s0f1, eno1, em1, p1p2.
    static func tellsPlace(_ name: String) -> Bool {
        let prefixes = ["eth", "ens", "enp", "eno", "em", "p"]
        return prefixes.contains { name.hasPrefix($0) && name.dropFirst($0.count).first?.isNumber == true }
    }

    /// Bonds, bridges and VLANs, told by how they are usually called.
    static func isComposite(_ name: String) -> Bool {
        let prefixes = ["bond", "team", "br", "vmbr", "vlan"]
        return name.contains(".") || name.contains(":")
            || prefixes.contains {
                name.hasPrefix($0) && (isCount(name.dropFirst($0.count)) || name.hasPrefix($0 + "-"))
            }
    }

    /// Sorts as the hypervisor counts its cards: eth2 before eth10; VMware's PCI slots go 160, 192, 224, 256, 161…
    static func precedes(_ left: String, _ right: String) -> Bool {
        let left = key(left)
        let right = key(right)
        for (one, other) in zip(left, right) where one != other {
            return one.number == other.number ? one.text < other.text : one.number < other.number
        }
        return left.count < right.count
    }

    private struct Chunk: Equatable {
        var text: String
        /// 0 for text.
        var number: UInt64
    }

    private static func key(_ name: String) -> [Chunk] {
        var chunks: [Chunk] = []
        var rest = Substring(name)
        while let first = rest.first {
            let isNumber = first.isASCII && first.isNumber
            let part = rest.prefix { ($0.isASCII && $0.isNumber) == isNumber }
            rest = rest.dropFirst(part.count)
            // A text sorts before any number: 0 against the number plus one.
            let number = isNumber ? (UInt64(part) ?? .max - 1) &+ 1 : 0
            chunks.append(Chunk(text: isNumber ? "" : String(part), number: number))
        }
        // pciSlotNumber holds the bridge (5…8) above the function: ens160 is bridge 5, function 0; ens161 function 1.
        if chunks.count == 2, chunks[0].text == "ens", case 161...417 = chunks[1].number {
            let slot = chunks[1].number - 1
            chunks[1].number = 161 + slot % 32 * 8 + (slot / 32 - 5)
        }
        return chunks
    }
}
