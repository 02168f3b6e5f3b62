import Foundation
import Testing

/// What `rehost plan` says about layouts and hostile guests that only a disk can show: `images/phony --list`.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "opens twenty disks in an appliance, two minutes: script/test sets REHOST_END_TO_END=1"))
struct PhonyGuestTests {
    private static let names: [String] = {
        let list = try? Tools.run("images/phony", ["--list"])
        return (list?.output ?? "").split(separator: "\n").compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
    }()

    @Test func thereAreImages() { #expect(Self.names.count >= 15) }

    @Test(arguments: names) func plan(_ name: String) throws {
        let checked = try Tools.run("images/phony", ["--check", name])
        #expect(checked.status == 0, "\(checked.output)\n\(checked.errors)")
    }
}
