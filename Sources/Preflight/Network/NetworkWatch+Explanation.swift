extension NetworkWatch {
    /// Why the network level wasn't reached, and what to do.
    struct Explanation: Sendable, Equatable {
        /// One sentence, without a full stop.
        var message: String
        var remedy: String?
    }

    /// nil once the level is reached. Says what is so up to now: more may come while the guest runs.
    var explanation: Explanation? {
        guard reached == nil else { return nil }
        return silence ?? tags ?? conflict ?? dhcp ?? staticAddress ?? rest
    }

    private var silence: Explanation? {
        // A system with IPv6 goes on to its link-local address; only OVMF stops before.
        guard facts.sent == unspecified6 else { return nil }
        guard !sawFirmware else {
            return Explanation(
                message: "only the firmware used the network, to boot from it: the system sent no frame",
                remedy: "check that the firmware finds the disk's boot loader")
        }
        return Explanation(
            message: "the guest sent no frame: no driver for the card, or the interface isn't brought up",
            remedy: "check that the guest's network configuration names the card as it is called here, or convert with "
                + "--network dhcp")
    }

    private var tags: Explanation? {
        guard untagged == 0, let vlan = vlans.first else { return nil }
        return Explanation(
            message: "the guest sends for VLAN \(vlan) only, which this network doesn't carry",
            remedy: "give the machine a network that carries VLAN \(vlan), or convert with --network dhcp")
    }

    /// A probe that was answered, or an address given back for that reason.
    private var conflict: Explanation? {
        let probed = facts.arp.last { $0.from == "0.0.0.0" && $0.isAnswered }?.target
        let last = facts.dhcp.last { !$0.kind.hasPrefix("pxe-") }
        let declined = last?.kind == "decline" ? last?.address : nil
        guard let address = declined ?? probed, !facts.sourceAddresses.contains(address) else { return nil }
        return Explanation(
            message: "the guest's address \(address) is taken by another machine on this network",
            remedy: "test with a --network-cidr whose gateway isn't \(address)")
    }

    private var dhcp: Explanation? {
        guard let last = facts.dhcp.last(where: { !$0.kind.hasPrefix("pxe-") }) else { return nil }
        // A DHCP client beside a working static address is no failure of DHCP; its own made-up address is.
        let hasStatic = facts.sourceAddresses.contains {
            IPv4Address($0).map { !$0.isLinkLocal } == true && $0 != facts.lease
        }
        guard !hasStatic || last.kind == "ack" else { return nil }
        let asked = last.address.map { " for \($0)" } ?? ""
        switch last.kind {
        case "discover":
            return Explanation(
                message: "the guest asks for an address by DHCP, and no server answers",
                remedy: "check the network's DHCP server; \(last.mac) asks")
        case "offer":
            return Explanation(
                message: "the guest was offered \(last.address ?? "an address") by DHCP and didn't take it",
                remedy: "check the guest's firewall and the DHCP client's log")
        case "request":
            return Explanation(
                message: "the guest's DHCP request\(asked) wasn't answered",
                remedy: "check the network's DHCP server; \(last.mac) asks")
        case "nak":
            return Explanation(
                message: "the DHCP server refused the address that the guest asked for",
                remedy: "remove the old lease in the guest, below /var/lib/dhcp or /var/lib/NetworkManager")
        default:
            guard let address = last.address else { return nil }
            let other = facts.sourceAddresses.first { $0 != address }
            return Explanation(
                message: "the guest was given \(address) by DHCP and "
                    + (other.map { "uses \($0) instead" } ?? "sent nothing from it so far"),
                remedy: other == nil ? nil : "remove the static address of the guest, or convert with --network dhcp")
        }
    }

    private var staticAddress: Explanation? {
        let searches = facts.arp.filter { $0.from != "0.0.0.0" && !$0.isAnswered }
        if let search = searches.first(where: { IPv4Address($0.from)?.isLinkLocal == false }) {
            let network = IPv4Address(search.from).flatMap { from in
                IPv4Address(search.target).flatMap { from.network(with: $0) }
            }
            let test = network.map { ", or test with --network-cidr \($0)" } ?? ""
            return Explanation(
                message: "the guest uses \(search.from) and looks for \(search.target), which isn't on this network",
                remedy: "convert with --network dhcp\(test)")
        }
        let addresses = facts.sourceAddresses.compactMap(IPv4Address.init)
        if let address = addresses.first(where: { !$0.isLinkLocal }) {
            return Explanation(
                message: "the guest uses \(address), and looked for nobody so far",
                remedy: "check its default route; or convert with --network dhcp")
        }
        guard let own = addresses.first else { return nil }
        return Explanation(
            message: "the guest gave itself \(own), as it does where no DHCP server answers",
            remedy: "check the network's DHCP server, or give the guest an address of this network")
    }

    private var rest: Explanation {
        if let probed = facts.arp.last(where: { $0.from == "0.0.0.0" })?.target {
            return Explanation(
                message: "the guest asked whether \(probed) is free, and has not used it so far", remedy: nil)
        }
        // With restrict=on nothing makes a guest with a static address say a word of IPv4 before somebody asks it.
        if sawIPv6 {
            return Explanation(
                message: "the guest was heard by IPv6 only: it asked for no IPv4 address, and used no static one",
                remedy: "convert with --network dhcp, or test with --network-cidr and the static address's network")
        }
        return Explanation(
            message: "the guest sent frames, but none with an address",
            remedy: "check the interface's configuration in the guest, or convert with --network dhcp")
    }
}
