/// What is worth knowing besides the verdict; warnings first.
enum HTMLFindings {
    static func markup(_ findings: [PreflightFinding]) -> Markup? {
        guard !findings.isEmpty else { return nil }
        let sorted = findings.filter { $0.level == .warning } + findings.filter { $0.level == .note }
        let items = sorted.prefix(100).map { finding -> Markup in
            let hint = finding.hint.map { text -> Markup in "<p class=\"hint\">\(text)</p>" }
            let kind = finding.level.rawValue
            return """
                <li class="finding \(kind)">\(Markup.icon(kind))<div><p><b class="kind">\(kind)</b> \
                \(finding.message)</p>\(hint)</div></li>

                """
        }
        return "<section class=\"findings\"><h3>Findings</h3><ul>\(items)</ul></section>"
    }
}
