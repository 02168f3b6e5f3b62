/// HTML source. A plain string put into it is cleaned and escaped, so that text cannot become markup by a slip:
/// only literals and other markup go in as they are.
struct Markup: ExpressibleByStringInterpolation, ExpressibleByStringLiteral {
    private(set) var source: String

    init(stringLiteral value: String) { source = value }
    init(stringInterpolation: StringInterpolation) { source = stringInterpolation.source }

    struct StringInterpolation: StringInterpolationProtocol {
        var source = ""

        init(literalCapacity: Int, interpolationCount: Int) { source.reserveCapacity(literalCapacity * 2) }
        mutating func appendLiteral(_ literal: String) { source += literal }
        mutating func appendInterpolation(_ text: String) { source += GuestText.escaped(GuestText.line(text)) }
        mutating func appendInterpolation(_ number: Int) { source += String(number) }
        mutating func appendInterpolation(_ markup: Markup) { source += markup.source }
        mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { source += part.source } }
        mutating func appendInterpolation(_ part: Markup?) { source += part?.source ?? "" }
    }

    static func += (left: inout Markup, right: Markup) { left.source += right.source }

    /// Text that is known to be harmless and only has to be escaped: long lines of a log.
    static func escaped(_ text: String) -> Markup { Markup(trusted: GuestText.escaped(text)) }

    /// Source that this module made itself: its style, its script, base64.
    init(trusted: String) { source = trusted }

    /// Lines for a `pre`.
    static func lines(_ texts: [String], count: Int = 200) -> Markup {
        Markup(trusted: GuestText.lines(texts, count: count).map(GuestText.escaped).joined(separator: "\n"))
    }

    static func icon(_ name: String) -> Markup {
        "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-\(name)\"/></svg>"
    }
}
