import Guest

/// /etc/mactab, by which busybox's nameif names cards where mdev calls it.
enum MacTable {
    static let file: GuestPath = "/etc/mactab"
    static let mark = "# Laid by rehost: the new machine's cards"

    /// `NAME MAC`, or `NAME mac=MAC`; nil for other lines.
    static func entry(_ line: String) -> (name: String, mac: String)? {
        let words = line.words
        guard words.count > 1, !words[0].hasPrefix("#"), InterfaceName.isValid(words[0]) else { return nil }
        let text = words[1].hasPrefix("mac=") ? String(words[1].dropFirst(4)) : words[1]
        return Address.mac(text).map { (words[0], $0) }
    }

    static func lay(_ draft: inout Draft, cards: NetworkCards, names: [String]) throws {
        let callsNameif = try (draft.configuration("/etc/mdev.conf") ?? "").contains("nameif")
        if callsNameif, !cards.given.isEmpty {
            let lines = TextLines(try draft.configuration(file) ?? "").lines.compactMap { $0 }
            var kept = Array(lines.prefix { $0 != mark })
            let ours = lines.dropFirst(kept.count).compactMap { entry($0) }
            while kept.last == "" { kept.removeLast() }
            let given = Set(cards.given.values)
            let old = ours.filter { cards.given[$0.name] == nil && !given.contains($0.mac) }.map { ($0.name, $0.mac) }
            let all = old + cards.given.map { ($0.key, $0.value) }
            let new = all.sorted { InterfaceName.precedes($0.0, $1.0) }.map { "\($0.0) \($0.1)" }
            try draft.write(file, text: (kept + [mark] + new).joined(separator: "\n") + "\n")
        }
        let left = callsNameif ? names.filter { cards.given[$0] == nil } : names
        let counted = names.indices.map { "eth\($0)" }
        guard left.contains(where: { !counted.contains($0) }) || (!callsNameif && !cards.given.isEmpty) else { return }
        draft.warn(
            "mdev in the guest leaves cards the names that the kernel gives, eth0 first; "
                + "\(left.joined(separator: ", ")) may be another card than before, or missing",
            hint: "give the new machine its cards in that order")
    }
}
