internal import Foundation

/// The screens as a gallery. A thumbnail is a link to itself: the page's style shows the target large, without script.
enum HTMLScreens {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func markup(_ screens: [ScreenShot], _ pictures: [String: [UInt8]], id: String) -> Markup? {
        guard !screens.isEmpty else { return nil }
        let items = screens.enumerated().map { place, screen in
            item(screen, picture: pictures[screen.name], id: "\(id)-screen-\(place + 1)", gallery: "\(id)-screens")
        }
        return """
            <section class="screens" id="\(id)-screens"><h3>Screen</h3><ul class="gallery">\(items)</ul></section>
            """
    }

    private static func item(_ screen: ScreenShot, picture: [UInt8]?, id: String, gallery: String) -> Markup {
        let time = Wording.seconds(screen.time)
        let caption = GuestText.line(screen.caption, limit: 120)
        let png = picture.flatMap { $0.starts(with: signature) ? $0 : nil }
        let text = words(screen, isShown: png == nil)
        guard let png else {
            let instead: Markup = screen.text.isEmpty ? "<p class=\"none\">The picture wasn’t kept.</p>" : ""
            return """
                <li id="\(id)">\(instead)\(text)<p class="caption"><b>\(caption)</b> <span>\(time)</span></p></li>

                """
        }
        let source = Markup(trusted: Data(png).base64EncodedString())
        let size: Markup =
            screen.width > 0 && screen.height > 0 ? " width=\"\(screen.width)\" height=\"\(screen.height)\"" : ""
        return """
            <li><figure id="\(id)" class="shot">\
            <a class="open" href="#\(id)" aria-label="Enlarge: \(caption)"><img alt="\(alternative(screen))" \
            src="data:image/png;base64,\(source)"\(size)></a>\
            <figcaption class="caption"><b>\(caption)</b> <span>\(time)</span></figcaption>\
            <a class="close" href="#\(gallery)">Close</a></figure>\(text)</li>

            """
    }

    private static func alternative(_ screen: ScreenShot) -> String {
        let start = screen.text.first { !$0.allSatisfy(\.isWhitespace) } ?? ""
        let words = start.isEmpty ? "" : ": \(GuestText.line(start, limit: 120))"
        return "Screen after \(Wording.seconds(screen.time)), \(GuestText.line(screen.caption, limit: 120))\(words)"
    }

    private static func words(_ screen: ScreenShot, isShown: Bool) -> Markup? {
        guard !screen.text.isEmpty else { return nil }
        let lines = Markup.lines(screen.text)
        if isShown { return "<pre class=\"terminal\" tabindex=\"0\">\(lines)</pre>" }
        return """
            <details class="words"><summary>Text read from it, \(Wording.count(screen.text.count, "line"))</summary>\
            <pre tabindex="0">\(lines)</pre></details>
            """
    }
}
