/// Power on, each level, the verdict: a bar true to time, and below it even columns that it leads to, so that the
/// words stay apart however close the times are. On a phone the columns are a list.
enum HTMLTimeline {
    private static let width = 1000.0

    static func markup(_ image: ImageReport) -> Markup? {
        // A machine that was never switched on.
        if image.stages.isEmpty, image.seconds == 0 { return nil }
        let stages = image.stages.prefix(24)
        let outcome = Outcome(image.verdict)
        var entries: [Markup] = [entry("start", "power on", time: 0, before: nil, source: nil, sign: nil)]
        var times = [0.0]
        for stage in stages {
            let time = clean(stage.time)
            entries.append(
                entry(
                    "stage", stage.level.title, time: time, before: times.last, source: stage.source.rawValue,
                    sign: stage.sign))
            times.append(time)
        }
        let end = max(clean(image.seconds), times.max() ?? 0)
        entries.append(
            entry("end \(outcome.rawValue)", image.verdict.title, time: end, before: times.last, source: nil, sign: nil)
        )
        times.append(end)
        return """
            <section class="timeline">
            <h3>Boot</h3>
            \(graph(times, outcome))
            <ol class="columns">\(entries)</ol>
            \(missing(image))
            </section>
            """
    }

    private static func clean(_ time: Double) -> Double { time.isFinite ? min(max(time, 0), 1e9) : 0 }

    /// `kind` is this module's own word.
    private static func entry(
        _ kind: String, _ title: String, time: Double, before: Double?, source: String?, sign: String?
    ) -> Markup {
        let step: Markup? = before.flatMap { before in
            time - before >= 0.05 ? "<span class=\"step\">+\(Wording.seconds(time - before))</span>" : nil
        }
        let shown: Markup? = sign.map { "<span class=\"sign\">\(GuestText.line($0, limit: 160))</span>" }
        let from: Markup? = source.map { "<span class=\"from\">\($0)</span>" }
        return """
            <li class="\(kind)"><span class="when">\(Wording.seconds(time))\(step)</span>\
            <b class="what">\(title)</b>\(from)\(shown)</li>
            """
    }

    private static func missing(_ image: ImageReport) -> Markup? {
        let seen = Set(image.stages.map(\.level)).union(image.level.map { [$0] } ?? [])
        let levels = Level.allCases.filter { !seen.contains($0) }.map(\.title)
        guard !levels.isEmpty else { return nil }
        return "<p class=\"missing\">Not seen: \(levels.joined(separator: ", "))</p>"
    }

    private static func graph(_ times: [Double], _ outcome: Outcome) -> Markup {
        let count = Double(times.count)
        let (first, last) = (width * 0.5 / count, width * (count - 0.5) / count)
        let total = times.last ?? 0
        let places = times.map { time in total > 0 ? first + (last - first) * time / total : first }
        var parts: [Markup] = []
        for index in 1..<places.count {
            let kind = index == places.count - 1 ? "rest \(outcome.rawValue)" : index % 2 == 0 ? "even" : "odd"
            let (from, to) = (point(min(places[index - 1], places[index])), point(places[index]))
            parts.append("<path class=\"span \(kind)\" d=\"M\(from) 9H\(to)\"/>")
        }
        for (index, place) in places.enumerated() {
            let column = point(width * (Double(index) + 0.5) / count)
            let at = point(place)
            parts.append("<path class=\"lead\" d=\"M\(at) 9C\(at) 34 \(column) 26 \(column) 52\"/>")
        }
        for (index, place) in places.enumerated() {
            let kind = index == places.count - 1 ? "end \(outcome.rawValue)" : index == 0 ? "start" : "stage"
            parts.append("<path class=\"dot \(kind)\" d=\"M\(point(place)) 9h0.01\"/>")
        }
        return """
            <svg class="graph" viewBox="0 0 1000 52" preserveAspectRatio="none" aria-hidden="true">\(parts)</svg>
            """
    }

    private static func point(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
