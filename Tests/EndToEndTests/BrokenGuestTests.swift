import Foundation
import Testing

/// One guest for each named failure, and healthy ones, booted by `rehost preflight`: each gets its own verdict.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "boots real guests for minutes: script/test sets REHOST_END_TO_END=1"))
final class BrokenGuestTests {
    let work = Tools.work("broken")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    private struct Report: Decodable {
        struct Image: Decodable {
            struct Evidence: Decodable {
                var what: String
                var lines: [String]
            }
            struct Witness: Decodable { var rootDriver: String }
            var image: String
            var verdict: String
            var level: String?
            var reason: String
            var remedy: String?
            var evidence: [Evidence]
            var witness: Witness?
        }
        var schema: String
        var images: [Image]
    }

    /// What boots is judged with a witness; the rest shows from outside.
    private static let verdicts = [
        ("healthy", "boots"), ("healthy-no-serial", "boots"), ("no-boot-code", "no-boot-device"),
        ("grub-rescue", "boot-loader-rescue-prompt"), ("grub-no-kernel", "boot-loader-error"),
        ("panic-no-root", "kernel-panic"), ("initramfs-no-init", "initramfs-shell"),
        ("emergency-root-locked", "emergency-shell"), ("no-network-static", "no-network"),
        ("reboot-loop-early", "reboot-loop"), ("hang-boot-sector", "hang"), ("blue-screen", "blue-screen"),
        ("recovery-screen-text", "recovery-screen"), ("powers-off", "powers-off"), ("desktop-picture", "hang"),
    ]

    @Test func eachFailureGetsItsOwnVerdict() throws {
        var images: [String] = []
        for (recipe, _) in Self.verdicts {
            let image = path("\(recipe).qcow2")
            let made = try Tools.run("images/break-guest", [recipe, image])
            try #require(made.status == 0, "\(recipe): \(made.errors)")
            images.append(image)
        }
        let before = try images.map(Tools.digest)
        let result = try Tools.rehost(
            ["preflight", "--format", "json", "--evidence", path("evidence"), "--junit", path("junit.xml")] + images)
        #expect(result.status == 1)
        #expect(try images.map(Tools.digest) == before)
        let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
        #expect(report.schema == "rehost.preflight/1")
        try #require(report.images.count == Self.verdicts.count)
        for (image, (recipe, verdict)) in zip(report.images, Self.verdicts) {
            #expect(image.verdict == verdict, "\(recipe): \(image.reason)")
            #expect(!image.reason.isEmpty)
            guard image.verdict == "boots" else {
                #expect(image.remedy?.isEmpty == false, "\(recipe) has no remedy")
                #expect(!image.evidence.isEmpty, "\(recipe) has no evidence")
                continue
            }
            #expect(image.level == "network" || image.level == "login")
            #expect(image.witness?.rootDriver == "virtio_blk")
        }
        for file in ["evidence/index.html", "evidence/report.json", "evidence/junit.xml", "junit.xml"] {
            #expect(FileManager.default.fileExists(atPath: path(file)), "\(file) is missing")
        }
    }

    @Test func whatCannotBeTestedIsSaidAndLeavesNothing() throws {
        let corrupt = path("corrupt.qcow2")
        _ = try Tools.run("/usr/bin/qemu-img", ["create", "-q", "-f", "qcow2", corrupt, "64M"])
        // The refcount table's offset, beyond the end of the file.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: corrupt))
        try handle.seek(toOffset: 48)
        try handle.write(contentsOf: Data([0, 0, 0x7F, 0xFF, 0, 0, 0, 0]))
        try handle.close()
        let empty = path("plain.raw")
        _ = FileManager.default.createFile(atPath: empty, contents: Data(count: 1 << 20))
        let result = try Tools.rehost(["preflight", corrupt, path("missing.qcow2"), empty, "--no-witness"])
        #expect(result.status == 1)
        #expect(result.output.contains("corrupt.qcow2: not-tested"))
        #expect(result.output.contains("no such file"))
        #expect(result.output.contains("plain.raw: no-boot-device"))

        let much = try Tools.rehost(["preflight", empty, "--memory", "1000000"])
        #expect(much.status == 1)
        #expect(much.errors.contains("MiB of memory are available"))
        #expect(much.errors.contains("hint: give it less with --memory"))
        #expect(try Tools.rehost(["preflight", empty, "--network-cidr", "10.0.2.0"]).status == 1)
        #expect(try Tools.rehost(["preflight", empty, "--disk-bus", "floppy"]).status == 64)
    }
}
