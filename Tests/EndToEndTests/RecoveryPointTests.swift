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

    /// Through a bucket; script/test brings a server.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["REHOST_S3_ENDPOINT"] != nil,
            "REHOST_S3_ENDPOINT isn't set: script/s3-server runs a command beside a server"))
    func aBucketIsAStore() throws {
        let environment = ProcessInfo.processInfo.environment
        let source = path("bucket.qcow2")
        try #require(try Tools.run("images/phony", ["debian", source]).status == 0)
        let store = "s3://\(environment["REHOST_S3_BUCKET"] ?? "")/points-\(UUID().uuidString)"
        let server = ["--endpoint-url", environment["REHOST_S3_ENDPOINT"] ?? ""]
        let first = try Tools.rehost(["capture", source, "--to", store, "--machine", "web01", "--quiet"] + server)
        try #require(first.status == 0, "\(first.errors)")
        let restored = path("from-bucket.raw")
        let result = try Tools.rehost(["restore", store, "web01", "--output", restored, "--quiet"] + server)
        #expect(result.status == 0, "\(result.errors)")
        #expect(try Tools.run("/usr/bin/qemu-img", ["compare", source, restored]).status == 0)
        let plan = try Tools.rehost(["plan", source, "--quiet"])
        #expect(try Tools.rehost(["plan", "\(store)#web01", "--quiet"] + server).output == plan.output)
        #expect(try Tools.rehost(["verify", store, "--deep", "--quiet"] + server).status == 0)
    }

    @Test(.enabled(if: getuid() == 0, "a small file system is mounted as root"))
    func aFullDiskIsSaidAndCostsNothing() throws {
        let source = path("full.raw")
        // 48 MiB that don't compress.
        try #require(
            try Tools.run("/bin/sh", ["-c", "head -c 50331648 /dev/urandom > '\(source)'"]).status == 0)
        let small = path("small")
        try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
        try #require(try Tools.run("/bin/mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", small]).status == 0)
        defer { _ = try? Tools.run("/bin/umount", [small]) }
        let capture = ["capture", source, "--to", "\(small)/store", "--machine", "m", "--quiet"]
        let full = try Tools.rehost(capture)
        #expect(full.status == 1 && full.errors.contains("No space left on device"), "\(full.errors)")
        #expect(full.errors.contains("hint: make room"))
        #expect(try Tools.rehost(["points", "\(small)/store"]).output == "no recovery points\n")
        try #require(try Tools.run("/bin/mount", ["-o", "remount,size=80m", small]).status == 0)
        // What was stored counts: less than all is stored now.
        let after = try Tools.rehost(capture + ["--format", "json"])
        let report = try JSONDecoder().decode(Points.self, from: Data(after.output.utf8))
        #expect(report.points[0].stored < 40 << 20 && report.points[0].changed == 48 << 20)
        #expect(try Tools.rehost(["verify", "\(small)/store", "--deep", "--quiet"]).status == 0)
    }

    private struct Points: Decodable {
        struct Point: Decodable {
            var changed: Int
            var stored: Int
        }
        var points: [Point]
    }
}
