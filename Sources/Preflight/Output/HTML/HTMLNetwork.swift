/// What the network saw of the guest.
enum HTMLNetwork {
    private static let mostEvents = 80

    static func markup(_ network: NetworkFacts, isOpen: Bool) -> Markup {
        var facts = HTMLFacts()
        facts.add("Lease", network.lease ?? "none", isBad: network.lease == nil && network.sourceAddresses.isEmpty)
        facts.add("Calls itself", network.hostName)
        facts.add("MAC", network.macs)
        facts.add("IPv4 in use", network.sourceAddresses)
        facts.add("IPv6 in use", network.sourceAddresses6)
        facts.add("Frames", "\(Wording.grouped(network.sent)) sent, \(Wording.grouped(network.received)) received")
        facts.add("First frame", network.firstFrame.map(Wording.seconds) ?? "none")
        let content: Markup = "\(facts.markup)\(events(network))"
        return HTMLFacts.section("Network", aside: "seen from outside", isOpen: isOpen, content)
    }

    private static func events(_ network: NetworkFacts) -> Markup? {
        let dhcp = network.dhcp.map { event -> (Double, Markup) in
            let address = event.address.map { text -> Markup in " <b>\(text)</b>" }
            let name = event.hostName.map { text -> Markup in ", as “\(text)”" }
            return (event.time, row(event.time, "DHCP \(event.kind)", "\(event.mac)\(address)\(name)"))
        }
        let arp = network.arp.map { event -> (Double, Markup) in
            let answer: Markup = event.isAnswered ? "answered" : "<b class=\"unanswered\">no answer</b>"
            let what: Markup = "\(event.from) looks for <b>\(event.target)</b>: \(answer)"
            return (event.time, row(event.time, "ARP", what))
        }
        let all = (dhcp + arp).sorted { $0.0 < $1.0 }.map(\.1)
        guard !all.isEmpty else { return nil }
        let more: Markup? =
            all.count > mostEvents
            ? "<tr><td></td><td></td><td>and \(Wording.grouped(all.count - mostEvents)) more</td></tr>" : nil
        return """
            <div class="wide"><table class="plain events"><caption>DHCP and ARP</caption>
            <thead><tr><th scope="col" class="number">Time</th><th scope="col">Message</th>\
            <th scope="col">What</th></tr></thead>
            <tbody>\(Array(all.prefix(mostEvents)))\(more)</tbody></table></div>

            """
    }

    private static func row(_ time: Double, _ kind: String, _ what: Markup) -> Markup {
        "<tr><td class=\"number\">\(Wording.seconds(time))</td><td>\(kind)</td><td>\(what)</td></tr>\n"
    }
}
