import Foundation
import Testing

@testable import Preflight

@Suite struct TextReportTests {
    @Test func healthyIsShort() {
        let lines = TextReport.render(Samples.healthy().0).split(separator: "\n")
        #expect(lines.first == "web01.qcow2: boots (login, 62 s)")
        #expect(lines.count <= 25)
        #expect(lines.contains("  DHCP: 10.0.2.15, calls itself web01"))
        #expect(lines.contains("    hint: Remove it, or mask it: systemctl mask open-vm-tools."))
        #expect(!lines.contains { $0.contains("login prompt:") })
    }

    @Test func failureShowsItsEvidence() {
        let text = TextReport.render(Samples.panic().0)
        #expect(text.hasPrefix("db01.qcow2: kernel-panic (kernel, 9.2 s)\n"))
        #expect(text.contains("    | [    8.914230] Kernel panic - not syncing"))
    }

    @Test func evidenceIsLimitedAndKeepsTheImportantLine() {
        var image = Samples.panic().0
        image.evidence = [
            Evidence(.serial, time: 1, what: "log", lines: (0..<100).map { $0 == 70 ? "Kernel panic" : "line \($0)" }),
            Evidence(.serial, time: 1, what: "other", lines: ["the other"]),
        ]
        let quoted = TextReport.render(image).split(separator: "\n").filter { $0.hasPrefix("    | ") }
        #expect(quoted.count == 12)
        #expect(quoted.contains("    | Kernel panic") && quoted.contains("    | the other"))
    }

    @Test func terminalIsNotSteered() {
        let text = TextReport.render(Samples.hostile().0)
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 1_000 })
    }

    @Test func lines() {
        #expect(GuestText.line("a\u{1B}[1mb\u{202E}c\td\u{85}") == "a[1mbc d ")
        #expect(GuestText.line(String(repeating: "x", count: 600)).count == 501)
        #expect(GuestText.line("größe – 漢字") == "größe – 漢字")
        #expect(GuestText.lines(["1", "2", "3"], count: 2) == ["1", "2", "… 1 more lines"])
        #expect(GuestText.fileName("/a/b/c.qcow2") == "c.qcow2")
    }

    @Test func words() {
        #expect(Wording.rounded(61.8) == "62 s")
        #expect(Wording.rounded(125) == "2 min 5 s")
        #expect(Wording.seconds(.nan) == "?")
        #expect(Wording.grouped(1_234_567) == "1,234,567")
        #expect(Wording.clock(-7_200) == "2 hours behind")
    }
}
