/// One image's part of the page.
struct HTMLImage {
    let image: ImageReport
    let artifacts: BootArtifacts
    let id: String
    let isBatch: Bool
    /// The page's own title is the image's name: it isn't shown twice.
    let isNamedAbove: Bool

    init(_ image: ImageReport, _ artifacts: BootArtifacts, id: String, isBatch: Bool, isNamedAbove: Bool) {
        self.image = image
        self.artifacts = artifacts
        self.id = id
        self.isBatch = isBatch
        self.isNamedAbove = isNamedAbove
    }

    private var outcome: Outcome { Outcome(image.verdict) }

    var markup: Markup {
        let serial = HTMLSerial(artifacts.serial, tail: image.serialTail, evidence: image.evidence, id: id)
        // In a batch, what a good machine says about itself is folded away.
        let isOpen = !isBatch || outcome != .passed
        return """
            <article class="image \(outcome.rawValue)" id="\(id)" data-outcome="\(outcome.rawValue)" \
            aria-labelledby="\(id)-title">
            \(hero)
            \(HTMLTimeline.markup(image))
            \(HTMLFindings.markup(image.findings))
            \(HTMLEvidence.markup(image, id: id, marks: serial.marks))
            \(HTMLScreens.markup(image.screens, artifacts.pictures, id: id))
            \(image.witness.map { HTMLWitness.markup($0, isOpen: isOpen) })
            \(image.agent.map { HTMLWitness.agent($0, isOpen: isOpen) })
            \(image.network.map { HTMLNetwork.markup($0, isOpen: isOpen) })
            \(serial.markup)
            \(footer)
            </article>

            """
    }

    private var hero: Markup {
        let remedy = image.remedy.map { text -> Markup in
            "<p class=\"remedy\"><b>What to do</b> \(text)</p>"
        }
        let back: Markup? = isBatch ? "<a class=\"back\" href=\"#summary\">Summary ↑</a>" : nil
        let name = GuestText.fileName(image.image)
        let path: Markup? = name == image.image ? nil : "<p class=\"path\">\(image.image)</p>"
        let took: Markup? =
            image.seconds == 0
            ? nil
            : """
            <span class="took">\(image.level.map { "reached <b>\($0.title)</b>, " as Markup })\
            verdict after <b>\(Wording.rounded(image.seconds))</b></span>
            """
        return """
            <header class="hero">
            <div class="hero-line">\(HTMLSummary.badge(image.verdict, isBig: true))\(took)\(back)</div>
            <h2 id="\(id)-title"\(isNamedAbove ? " class=\"unseen\"" as Markup : nil)>\(name)</h2>
            \(path)
            <p class="reason">\(image.reason)</p>
            \(remedy)
            \(chips)
            </header>
            """
    }

    private var chips: Markup {
        let machine = image.machine
        var chips = [("firmware", machine.firmware.title), ("chipset", machine.chipset.rawValue)]
        chips.append(("disk bus", machine.bus.rawValue))
        chips.append(("network card", machine.card.rawValue))
        chips.append(("memory", Wording.memory(machine.memoryMiB)))
        chips.append(("CPUs", String(machine.processors)))
        if image.disks.count > 1 { chips.append(("disks", "\(image.disks.count), boots from \(machine.bootDisk + 1)")) }
        if let entry = machine.bootEntry { chips.append(("boot entry", entry)) }
        chips.append(("runner", image.runner))
        let items = chips.map { name, value -> Markup in "<li><span>\(name)</span> \(value)</li>" }
        return "<ul class=\"chips\" aria-label=\"Machine\">\(items)</ul>"
    }

    private var footer: Markup {
        var parts = image.cpuSeconds > 0 ? ["Processor time \(Wording.seconds(image.cpuSeconds))"] : []
        for (what, seconds) in image.preparation.sorted(by: { $0.value > $1.value }).prefix(12) {
            parts.append("\(what) \(Wording.seconds(seconds))")
        }
        let disks = image.disks.prefix(32).map { disk -> Markup in "<li>\(disk)</li>" }
        if parts.isEmpty, image.disks.count < 2 { return "" }
        let list: Markup? = image.disks.count > 1 ? "<ol class=\"disks\">\(disks)</ol>" : nil
        return "<footer class=\"foot\">\(list)<p>\(parts.joined(separator: " · "))</p></footer>"
    }
}
