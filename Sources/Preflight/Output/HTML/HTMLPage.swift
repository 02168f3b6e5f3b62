public import Foundation

/// The report as one HTML page that needs nothing else: no network, no files beside it, no script to be read.
public enum HTMLPage {
    public static func render(
        _ reports: [(ImageReport, BootArtifacts)], title: String, created: Date
    ) -> String {
        let isBatch = reports.count > 1
        // A guest can't know it: whatever it prints, only our own style and script count.
        let nonce = (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
        var page = head(title, nonce)
        page += "<body>\n\(Icons.sprite)\n<div class=\"page\">\n"
        page += HTMLSummary.header(reports.map(\.0), title: title, created: created)
        page += "<main>\n"
        if isBatch { page += HTMLSummary.table(reports.map(\.0)) }
        for (place, (image, artifacts)) in reports.enumerated() {
            let isNamed = !isBatch && GuestText.line(title) == GuestText.fileName(image.image)
            page +=
                HTMLImage(image, artifacts, id: "image-\(place + 1)", isBatch: isBatch, isNamedAbove: isNamed).markup
        }
        page +=
            "</main>\n</div>\n<script nonce=\"\(nonce)\">\(Markup(trusted: HTMLScript.source))</script>\n</body>\n</html>\n"
        return page.source
    }

    private static func head(_ title: String, _ nonce: String) -> Markup {
        let policy = [
            "default-src 'none'", "img-src data:", "style-src 'nonce-\(nonce)'", "script-src 'nonce-\(nonce)'",
            "base-uri 'none'", "form-action 'none'",
        ].joined(separator: "; ")
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>\(title)</title>
            <style nonce="\(nonce)">\(Markup(trusted: HTMLStyle.source))</style>
            </head>

            """
    }
}
