import Foundation
import Testing

/// Recovery points as a user makes and uses them: the commands, on an image of images/phony.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "captures and restores an image and plans it from its point, half a minute: script/test sets REHOST_END_TO_END=1"
    ))
final class RecoveryPointTests {
    private let work = Tools.work("points")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    @Test func capturedRestoredAndPlannedFromItsPoint() throws {
        let source = path("debian.qcow2")
        try #require(try Tools.run("images/phony", ["debian", source]).status == 0)
        let store = path("store")
        let passphrase = path("passphrase")
        try Data("a secret\n".utf8).write(to: URL(fileURLWithPath: passphrase))
        let key = ["--store-passphrase-file", passphrase]
        let first = try Tools.rehost(["capture", source, "--to", store, "--machine", "web01", "--quiet"] + key)
        try #require(first.status == 0, "\(first.errors)")
        let second = try Tools.rehost(["capture", source, "--to", store, "--machine", "web01", "--quiet"] + key)
        #expect(second.output.contains(": 0 bytes changed, 0 bytes stored"), "\(second.output)")
        #expect(try Tools.rehost(["points", store]).status == 1, "it is encrypted")
        #expect(try Tools.rehost(["points", store] + key).output.split(separator: "\n").count == 3)

        let restored = path("restored.raw")
        try #require(try Tools.rehost(["restore", store, "web01", "--output", restored, "--quiet"] + key).status == 0)
        #expect(try Tools.run("/usr/bin/qemu-img", ["compare", source, restored]).status == 0)
        #expect(try Tools.rehost(["restore", store, "web01", "--output", restored] + key).status == 1, "it exists")

        // Straight from the store, nothing restored first: the same plan.
        let plan = try Tools.rehost(["plan", source, "--quiet"])
        let fromPoint = try Tools.rehost(["plan", "\(store)#web01", "--quiet"] + key)
        #expect(!plan.output.isEmpty && fromPoint.output == plan.output, "\(fromPoint.errors)")
        #expect(fromPoint.status == plan.status)

        let pruned = try Tools.rehost(["prune", store, "--keep-last", "1"] + key)
        #expect(pruned.output.contains("removed  web01@"), "\(pruned.output)\(pruned.errors)")
        let verified = try Tools.rehost(["verify", store, "--deep", "--quiet"] + key)
        #expect(verified.status == 0 && verified.output.contains("all is well"), "\(verified.output)")
        #expect(try Tools.rehost(["points", store] + key).output.split(separator: "\n").count == 2)
    }
}
