/// Names and values in a grid; what is empty is left out.
struct HTMLFacts {
    private var items: [Markup] = []

    var isEmpty: Bool { items.isEmpty }
    var markup: Markup { items.isEmpty ? "" : "<dl class=\"facts\">\(items)</dl>\n" }

    mutating func add(_ name: String, _ value: String?, isBad: Bool = false) {
        guard let value, !value.isEmpty else { return }
        add(name, markup: "\(value)", isBad: isBad)
    }

    mutating func add(_ name: String, _ values: [String], isBad: Bool = false) {
        guard !values.isEmpty else { return }
        let more: Markup? = values.count > 40 ? "<li>and \(values.count - 40) more</li>" : nil
        // Many are scrolled in their place, so that a list doesn't tear the grid apart.
        let long: Markup? = values.count > 8 ? " class=\"long\" tabindex=\"0\"" : nil
        add(
            name, markup: "<ul\(long)>\(values.prefix(40).map { "<li>\($0)</li>" as Markup })\(more)</ul>", isBad: isBad
        )
    }

    private mutating func add(_ name: String, markup: Markup, isBad: Bool) {
        let mark: Markup? = isBad ? Markup.icon("warning") : nil
        let kind: Markup = isBad ? " class=\"bad\"" : ""
        items.append("<div\(kind)><dt>\(mark)\(name)</dt><dd>\(markup)</dd></div>\n")
    }

    /// A part of the page that can be folded.
    static func section(_ title: String, aside: String, isOpen: Bool, _ content: Markup) -> Markup {
        let open: Markup = isOpen ? " open" : ""
        return """
            <details class="part"\(open)><summary><h3>\(title)</h3> <span class="aside">\(aside)</span></summary>
            \(content)</details>

            """
    }
}
