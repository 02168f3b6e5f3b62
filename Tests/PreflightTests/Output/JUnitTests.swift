import Foundation
import Testing

@testable import Preflight

@Suite struct JUnitTests {
    private func render(_ image: ImageReport) -> String { JUnit.render(PreflightReport(images: [image])) }

    private func count(_ what: String, in xml: String) -> Int { xml.components(separatedBy: what).count - 1 }

    /// The case of one level, up to the next.
    private func part(_ level: String, of xml: String) -> String {
        let start = xml.components(separatedBy: "<testcase name=\"\(level)\"")
        return start.count > 1 ? start[1].components(separatedBy: "<testcase")[0] : ""
    }

    @Test func everyVerdictAtEveryLevel() throws {
        for verdict in Verdict.allCases {
            for level in [nil] + Level.allCases.map(Optional.some) {
                for card in [Machine.Card.virtio, .none] {
                    var image = Samples.healthy().0
                    image.verdict = verdict
                    image.level = level
                    image.machine.card = card
                    image.stages.removeAll { stage in level.map { stage.level > $0 } ?? true }
                    let xml = render(image)
                    let failures = count("<failure ", in: xml)
                    let errors = count("<error ", in: xml)
                    #expect(failures == (verdict == .boots || verdict == .notTested ? 0 : 1))
                    #expect(errors == (verdict == .notTested ? 1 : 0))
                    #expect(count("failures=\"\(failures)\"", in: xml) == 2)
                    #expect(count("skipped=\"\(count("<skipped", in: xml))\"", in: xml) == 2)
                    #expect(count("<testcase ", in: xml) == 7)
                }
            }
        }
    }

    @Test func theRightLevelFails() {
        #expect(part("network", of: render(Samples.noNetwork().0)).contains("<failure type=\"no-network\""))
        let login = part("login", of: render(Samples.noNetwork().0))
        #expect(!login.isEmpty && !login.contains("<failure") && !login.contains("<skipped"))
        #expect(part("boot loader", of: render(Samples.noBootDevice().0)).contains("type=\"no-boot-device\""))
        #expect(part("root mounted", of: render(Samples.panic().0)).contains("not syncing"))
        #expect(part("network", of: render(Samples.panic().0)).contains("<skipped message=\"not reached\"/>"))
        #expect(part("firmware", of: render(Samples.notTested().0)).contains("<error type=\"not-tested\""))
        var quiet = Samples.healthy().0
        quiet.level = .network
        quiet.stages.removeLast()
        #expect(part("login", of: render(quiet)).contains("<skipped message=\"not seen\"/>"))
    }

    @Test func isXML() {
        let xml = JUnit.render(PreflightReport(images: Samples.everything.map(\.0)))
        #expect(xml.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0xFFFE })
        #expect(!xml.contains("]]>") && !xml.contains("<img"))
        // Elements open and close in order.
        var open: [String] = []
        for tag in xml.matches(of: /<(\/?)([a-z-]+)(?:\s[^<>]*?)?(\/?)>/) {
            if !tag.1.isEmpty {
                #expect(open.popLast() == String(tag.2))
            } else if tag.3.isEmpty {
                open.append(String(tag.2))
            }
        }
        #expect(open.isEmpty)
    }

    @Test func timesAddUp() {
        let xml = render(Samples.healthy().0)
        let times = xml.matches(of: /<testcase [^>]*time="([0-9.]+)"/).compactMap { Double($0.1) }
        #expect(abs(times.reduce(0, +) - 52.0) < 0.01)
    }
}
