/// One image's report for the terminal: plain lines, no colours.
public enum TextReport {
    private static let mostEvidence = 12
    private static let width = 160

    public static func render(_ image: ImageReport) -> String {
        var lines = [head(image)]
        if !image.reason.isEmpty { lines.append("  " + clean(image.reason)) }
        if let remedy = image.remedy { lines.append("  to do: " + clean(remedy)) }
        lines += stages(image)
        for (name, value) in facts(image) where !value.isEmpty {
            lines.append("  \(name): \(clean(value))")
        }
        if Outcome(image.verdict) != .passed { lines += evidence(image) }
        for finding in image.findings {
            lines.append("  \(finding.level.rawValue): \(clean(finding.message))")
            if let hint = finding.hint { lines.append("    hint: \(clean(hint))") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func head(_ image: ImageReport) -> String {
        let seen = image.level.map { $0.title + ", " } ?? ""
        return
            "\(GuestText.fileName(image.image)): \(image.verdict.rawValue) (\(seen)\(Wording.rounded(image.seconds)))"
    }

    /// "stages: firmware 0.8 s, boot loader 3.1 s", on as many lines as it needs.
    private static func stages(_ image: ImageReport) -> [String] {
        guard !image.stages.isEmpty else { return [] }
        var lines = ["  stages:"]
        for (place, stage) in image.stages.enumerated() {
            let comma = place == image.stages.count - 1 ? "" : ","
            let word = " \(stage.level.title) \(Wording.seconds(stage.time))\(comma)"
            if let last = lines.last, last.count + word.count > 100 { lines.append("         ") }
            lines[lines.count - 1] += word
        }
        return lines
    }

    private static func facts(_ image: ImageReport) -> [(String, String)] {
        let machine = image.machine
        var facts = [
            (
                "machine",
                "\(machine.firmware.title), \(machine.chipset.rawValue), \(machine.bus.rawValue), "
                    + "card \(machine.card.rawValue), \(Wording.memory(machine.memoryMiB)), \(image.runner)"
            )
        ]
        if let witness = image.witness { facts += told(by: witness) }
        if let network = image.network { facts += seen(of: network) }
        if let agent = image.agent { facts.append(("guest agent", agent.version)) }
        return facts
    }

    private static func told(by witness: WitnessFacts) -> [(String, String)] {
        var facts = [("system", [witness.system, witness.kernel].filter { !$0.isEmpty }.joined(separator: ", "))]
        let root = [witness.rootDevice, witness.rootFileSystem, witness.rootDriver].filter { !$0.isEmpty }
        facts.append(("root", root.joined(separator: ", ") + (witness.rootIsReadOnly ? ", read-only" : "")))
        for card in witness.cards.prefix(4) {
            let addresses = card.addresses.isEmpty ? "no address" : card.addresses.joined(separator: ", ")
            let kind = card.isDynamic && !card.addresses.isEmpty ? " dynamic" : ""
            facts.append(("card", "\(card.name), \(card.driver), \(card.state), \(addresses)\(kind)"))
        }
        if witness.cards.count > 4 { facts.append(("card", "and \(witness.cards.count - 4) more")) }
        if !witness.state.isEmpty { facts.append(("state", witness.state)) }
        facts.append(("failed units", some(witness.failedUnits)))
        facts.append(("missing mounts", some(witness.missingMounts)))
        let tools = witness.tools.sorted { $0.key < $1.key }
        facts.append(("tools", some(tools.map { "\($0.key) \($0.value)" })))
        if let offset = witness.clockOffset, offset.magnitude >= 2 { facts.append(("clock", Wording.clock(offset))) }
        return facts
    }

    private static func seen(of network: NetworkFacts) -> [(String, String)] {
        guard let lease = network.lease else {
            let heard = network.sourceAddresses.isEmpty ? "" : ", it uses \(some(network.sourceAddresses))"
            let sent = network.sent == 0 ? "nothing heard" : Wording.count(network.sent, "frame") + " heard"
            return [("network", "no lease, \(sent)\(heard)")]
        }
        return [("DHCP", lease + (network.hostName.map { ", calls itself \($0)" } ?? ""))]
    }

    /// Fair shares: each piece of evidence has its first line shown before one has them all.
    private static func evidence(_ image: ImageReport) -> [String] {
        var lines: [String] = []
        var left = mostEvidence
        for (place, evidence) in image.evidence.enumerated() {
            guard left > 0 else {
                lines.append("  … more evidence in the full report")
                break
            }
            let time = Wording.seconds(evidence.time)
            lines.append("  \(evidence.source.rawValue), \(time): \(clean(evidence.what))")
            let others = image.evidence.count - place - 1
            let share = min(max(1, left - others), evidence.lines.count)
            lines += Excerpt.lines(evidence.lines, count: share).map { "    | " + clean($0) }
            left -= max(1, share)
        }
        return lines
    }

    private static func some(_ texts: [String]) -> String {
        texts.prefix(6).joined(separator: ", ") + (texts.count > 6 ? " and \(texts.count - 6) more" : "")
    }

    private static func clean(_ text: String) -> String { GuestText.line(text, limit: width) }
}
