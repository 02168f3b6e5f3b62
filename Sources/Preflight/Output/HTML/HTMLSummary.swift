internal import Foundation

/// The top of the page: what was tested, how it went, and a table of several images.
enum HTMLSummary {
    static func header(_ images: [ImageReport], title: String, created: Date) -> Markup {
        let stamp = created.formatted(.iso8601)
        let shown = stamp.replacing("T", with: " ").prefix(16) + " UTC"
        return """
            <header class="top">
            <h1>\(title)</h1>
            <p class="meta">Boot test by rehost preflight · <time datetime="\(stamp)">\(String(shown))</time></p>
            \(images.count > 1 ? totals(images) : nil)
            </header>

            """
    }

    private static func totals(_ images: [ImageReport]) -> Markup {
        let outcomes = images.map { Outcome($0.verdict) }
        let passed = outcomes.count { $0 == .passed }
        let failed = outcomes.count { $0 == .failed }
        let unknown = outcomes.count { $0 == .unknown }
        let noted = zip(images, outcomes).count { $0.warnings > 0 && $1 == .passed }
        var items: Markup = "<li class=\"total\"><b>\(images.count)</b> images</li>"
        if passed > 0 {
            items += "<li class=\"total passed\">\(Markup.icon("passed"))<b>\(passed)</b> boot"
            if noted > 0 { items += "<span class=\"aside\">, \(noted) with warnings</span>" }
            items += "</li>"
        }
        if failed > 0 {
            let word = failed == 1 ? "fails" : "fail"
            items += "<li class=\"total failed\">\(Markup.icon("failed"))<b>\(failed)</b> \(word)</li>"
        }
        if unknown > 0 {
            items += "<li class=\"total unknown\">\(Markup.icon("unknown"))<b>\(unknown)</b> not tested</li>"
        }
        return "<ul class=\"totals\">\(items)</ul>"
    }

    static func table(_ images: [ImageReport]) -> Markup {
        let hasBoth = Set(images.map { Outcome($0.verdict) }).count > 1
        let filter: Markup =
            "<label class=\"filter\" hidden><input type=\"checkbox\" id=\"only-failed\"> Only what doesn’t boot</label>"
        let rows = images.enumerated().map { row($1, id: "image-\($0 + 1)") }
        return """
            <section class="summary" id="summary" aria-labelledby="summary-title">
            <div class="bar"><h2 id="summary-title">Summary</h2>\(hasBoth ? filter : nil)</div>
            <table class="overview">
            <thead><tr><th scope="col">Verdict</th><th scope="col">Image</th><th scope="col">Level reached</th>\
            <th scope="col">Address</th><th scope="col" class="number">Time</th></tr></thead>
            <tbody>
            \(rows)</tbody>
            </table>
            </section>

            """
    }

    private static func row(_ image: ImageReport, id: String) -> Markup {
        let outcome = Outcome(image.verdict)
        let why: Markup? = outcome == .passed ? nil : "<span class=\"why\">\(image.reason)</span>"
        let warnings: Markup? =
            image.warnings == 0
            ? nil
            : """
            <span class="warned">\(Markup.icon("warning"))\(Wording.count(image.warnings, "warning"))</span>
            """
        return """
            <tr class="\(outcome.rawValue)" data-outcome="\(outcome.rawValue)">\
            <td class="cell-verdict">\(badge(image.verdict))</td>\
            <td class="cell-image"><a href="#\(id)">\(GuestText.fileName(image.image))</a>\(why)\(warnings)</td>\
            <td class="cell-level">\(steps(image))\(image.level?.title ?? "nothing seen")</td>\
            <td class="cell-address\(image.address == nil ? " none-known" as Markup : nil)">\(image.address ?? "–")</td>\
            <td class="number cell-time">\(image.seconds == 0 ? "–" : Wording.rounded(image.seconds))</td></tr>

            """
    }

    static func badge(_ verdict: Verdict, isBig: Bool = false) -> Markup {
        let outcome = Outcome(verdict)
        let size: Markup = isBig ? " big" : ""
        return """
            <span class="badge \(outcome.rawValue)\(size)">\(Markup.icon(outcome.rawValue))\(verdict.title)</span>
            """
    }

    /// One small mark for each level, filled where it was seen.
    private static func steps(_ image: ImageReport) -> Markup {
        let seen = Set(image.stages.map(\.level)).union(image.level.map { [$0] } ?? [])
        let marks = Level.allCases.map { level -> Markup in
            seen.contains(level) ? "<i class=\"seen\"></i>" : "<i></i>"
        }
        return "<span class=\"steps\" aria-hidden=\"true\">\(marks)</span>"
    }
}
