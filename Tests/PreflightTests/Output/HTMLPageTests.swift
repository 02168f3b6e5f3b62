import Foundation
import Testing

@testable import Preflight

@Suite struct HTMLPageTests {
    private func page(_ reports: [(ImageReport, BootArtifacts)]) -> String {
        HTMLPage.render(reports, title: "Boot test", created: Date(timeIntervalSince1970: 1_790_000_000))
    }

    @Test func hostileTextStaysText() {
        let html = page([Samples.hostile(), Samples.healthy()])
        #expect(!html.contains("<img src=x"))
        #expect(!html.contains("</script><img"))
        #expect(html.components(separatedBy: "<script").count == 2)
        #expect(html.components(separatedBy: "</script").count == 2)
        let bad = html.unicodeScalars.first {
            ($0.value < 0x20 && $0 != "\n") || (0x7F..<0xA0).contains($0.value) || (0x202A...0x202E).contains($0.value)
                || (0x2066...0x2069).contains($0.value)
        }
        #expect(bad == nil)
        // A picture that is no PNG isn't put in.
        #expect(html.components(separatedBy: "<img ").count == 4)
    }

    @Test func loadsNothing() {
        let html = page(Samples.everything)
        #expect(!html.contains(" src=\"http") && !html.contains("url(") && !html.contains("@import"))
        #expect(html.contains("default-src &#39;none&#39;") || html.contains("default-src 'none'"))
        #expect(!html.contains(" style=") && !html.contains(" onclick="))
    }

    @Test func everyLinkInsideHasItsTarget() {
        let html = page(Samples.everything)
        let ids = html.matches(of: /\sid="([^"]+)"/).map { String($0.1) }
        #expect(Set(ids).count == ids.count)
        for link in html.matches(of: /href="#([^"]+)"/) { #expect(ids.contains(String(link.1))) }
    }

    @Test func evidenceIsMarkedInTheLog() {
        let html = page([Samples.panic()])
        #expect(html.contains("See it in the log"))
        #expect(html.contains("<mark id=\"image-1-log-"))
        #expect(html.contains("The last 20,000 lines are shown"))
        #expect(html.contains("Reached target network.target."))
        #expect(!html.contains("A start job is running"))
    }

    @Test func longLogIsFast() {
        let sample = Samples.panic()
        let clock = ContinuousClock()
        var size = 0
        let time = clock.measure { size = page([sample]).utf8.count }
        print("30,000 lines: \(size) bytes, \(time)")
        #expect(size < 4_000_000)
    }

    /// For looking: PREFLIGHT_PAGES=directory swift test.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["PREFLIGHT_PAGES"] != nil))
    func writesPages() throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["PREFLIGHT_PAGES"] ?? "")
        let pages: [(String, [(ImageReport, BootArtifacts)])] = [
            ("healthy", [Samples.healthy()]), ("panic", [Samples.panic()]), ("nodevice", [Samples.noBootDevice()]),
            ("blue", [Samples.blueScreen()]), ("hostile", [Samples.hostile()]), ("batch", Samples.batch()),
            ("nonetwork", [Samples.noNetwork()]), ("nottested", [Samples.notTested()]),
        ]
        for (name, reports) in pages {
            let title = reports.count > 1 ? "Conversion batch, wave 3" : GuestText.fileName(reports[0].0.image)
            let html = HTMLPage.render(reports, title: title, created: Date())
            try Data(html.utf8).write(to: folder.appending(path: "\(name).html"))
        }
        for (name, (image, _)) in [
            ("healthy", Samples.healthy()), ("panic", Samples.panic()), ("hostile", Samples.hostile()),
        ] {
            try Data(TextReport.render(image).utf8).write(to: folder.appending(path: "\(name).txt"))
        }
        let report = PreflightReport(images: Samples.everything.map(\.0))
        try Data(JUnit.render(report).utf8).write(to: folder.appending(path: "all.xml"))
        let sane = PreflightReport(images: Samples.batch().map(\.0))
        try JSONEncoder().encode(sane).write(to: folder.appending(path: "batch.json"))
    }
}
