/// What the verdict rests on, word for word.
enum HTMLEvidence {
    private static let most = 60

    static func markup(_ image: ImageReport, id: String, marks: [String: String]) -> Markup? {
        guard !image.evidence.isEmpty else { return nil }
        let screens = Dictionary(
            image.screens.enumerated().map { ($1.name, "\(id)-screen-\($0 + 1)") },
            uniquingKeysWith: { first, _ in first })
        let items = image.evidence.prefix(most).map { evidence -> Markup in
            let screen = evidence.screen.flatMap { screens[$0] }.map { target -> Markup in
                "<a class=\"jump\" href=\"#\(target)\">See the screen</a>"
            }
            // Below its own lines: the place in the log of the line that says most.
            let line = target(of: evidence, in: marks).map { target -> Markup in
                "<a class=\"jump\" href=\"#\(target)\">See it in the log</a>"
            }
            let source = evidence.source.rawValue
            return """
                <li class="piece"><p class="piece-from"><span>\(Markup.icon(source))\(source)</span> \
                <span>\(Wording.seconds(evidence.time))</span></p><div><p class="piece-what">\(evidence.what)</p>\
                \(quote(evidence.lines))\(screen)\(line)</div></li>

                """
        }
        let more: Markup? =
            image.evidence.count > most ? "<p class=\"more\">… and \(image.evidence.count - most) more</p>" : nil
        return """
            <section class="evidence"><h3>Evidence</h3><ol>\(items)</ol>\(more)</section>
            """
    }

    private static func target(of evidence: Evidence, in marks: [String: String]) -> String? {
        let keys = evidence.lines.map(HTMLSerial.key)
        if let place = Excerpt.important(in: evidence.lines), let target = marks[keys[place]] { return target }
        return keys.lazy.compactMap { marks[$0] }.first
    }

    private static func quote(_ lines: [String]) -> Markup? {
        guard !lines.isEmpty else { return nil }
        let important = Excerpt.important(in: lines)
        let shown = GuestText.lines(lines, count: 120).enumerated().map { place, line -> Markup in
            let text = Markup.escaped(line)
            return place == important ? "<strong>\(text)</strong>\n" : "\(text)\n"
        }
        return "<pre class=\"quote\" tabindex=\"0\">\(shown)</pre>"
    }
}
