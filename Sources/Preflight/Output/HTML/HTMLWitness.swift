/// What the guest itself says, from the witness inside it and from its agent.
enum HTMLWitness {
    static func markup(_ witness: WitnessFacts, isOpen: Bool) -> Markup {
        var facts = HTMLFacts()
        facts.add("System", witness.system)
        facts.add("Kernel", witness.kernel)
        facts.add("Host name", witness.hostName)
        facts.add("Firmware", witness.firmware.uppercased())
        var root = [witness.rootDevice, witness.rootFileSystem, witness.rootDriver].filter { !$0.isEmpty }
        if let disk = witness.rootDisk { root.append("disk \(disk + 1)") }
        if witness.rootIsReadOnly { root.append("read-only") }
        facts.add("Root", root.joined(separator: ", "), isBad: witness.rootIsReadOnly)
        facts.add("State", witness.state, isBad: !["", "running"].contains(witness.state))
        facts.add("Boot took", witness.bootTime)
        facts.add("Up for", witness.upTime > 0 ? Wording.seconds(witness.upTime) : nil)
        facts.add("Clock", witness.clockOffset.map(Wording.clock), isBad: (witness.clockOffset?.magnitude ?? 0) >= 60)
        facts.add("Console login", witness.hasLogin ? "yes" : "none seen")
        facts.add("Default route", witness.defaultRoutes)
        facts.add("Name servers", witness.nameServers)
        facts.add("Hypervisors’ tools", witness.tools.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" })
        facts.add("Failed units", witness.failedUnits, isBad: true)
        facts.add("Missing mounts", witness.missingMounts, isBad: true)
        let cut: Markup? =
            witness.isComplete
            ? nil : "<p class=\"note\">The report from inside was cut off; what follows is a part.</p>\n"
        let content: Markup = "\(cut)\(facts.markup)\(cards(witness.cards))\(errors(witness.errors))"
        return HTMLFacts.section("Inside", aside: "said by the guest itself", isOpen: isOpen, content)
    }

    private static func cards(_ cards: [WitnessFacts.Card]) -> Markup? {
        guard !cards.isEmpty else { return nil }
        let rows = cards.prefix(64).map { card -> Markup in
            let addresses = card.addresses.prefix(16).joined(separator: ", ")
            let kind = card.addresses.isEmpty ? "–" : card.isDynamic ? "dynamic" : "fixed"
            return """
                <tr><th scope="row">\(card.name)</th><td>\(card.driver)</td><td>\(card.state)</td>\
                <td>\(addresses.isEmpty ? "none" : addresses)</td><td>\(kind)</td><td>\(card.mac)</td></tr>

                """
        }
        return """
            <div class="wide"><table class="plain"><caption>Network cards</caption>
            <thead><tr><th scope="col">Name</th><th scope="col">Driver</th><th scope="col">State</th>\
            <th scope="col">Addresses</th><th scope="col">Kind</th><th scope="col">MAC</th></tr></thead>
            <tbody>\(rows)</tbody></table></div>

            """
    }

    private static func errors(_ lines: [String]) -> Markup? {
        guard !lines.isEmpty else { return nil }
        return """
            <h4>Last errors of its log</h4>
            <pre class="quote" tabindex="0">\(Markup.lines(lines))</pre>

            """
    }

    static func agent(_ agent: AgentFacts, isOpen: Bool) -> Markup {
        var facts = HTMLFacts()
        facts.add("Version", agent.version)
        facts.add("System", agent.system)
        facts.add("Host name", agent.hostName)
        for (name, addresses) in agent.addresses.sorted(by: { $0.key < $1.key }).prefix(64) {
            facts.add(name, addresses.isEmpty ? ["no address"] : addresses)
        }
        return HTMLFacts.section("Guest agent", aside: "answered by QEMU’s agent", isOpen: isOpen, facts.markup)
    }
}
