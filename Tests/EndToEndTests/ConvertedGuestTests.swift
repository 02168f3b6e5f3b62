import Foundation
import Testing

/// The main job on a real guest, seen from inside it.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "boots real guests for minutes: script/test sets REHOST_END_TO_END=1"))
final class ConvertedGuestTests {
    let work = Tools.work("converted")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    private struct Tested: Decodable {
        struct Boot: Decodable {
            struct Witness: Decodable {
                var rootDriver: String
                var missingMounts: [String]
            }
            var image: String
            var verdict: String
            var level: String
            var witness: Witness
        }
        var preflight: Boot
    }

    @Test func aVMwareStyleGuestIsConvertedAndBootsEvenAfterItsOwnRebuild() throws {
        let source = path("web01.vmdk")
        let built = try Tools.run("images/build-guest", [source])
        try #require(built.status == 0, "\(built.errors)")
        let before = try Tools.digest(source)

        // A refusal changes nothing and leaves nothing.
        let refused = try Tools.rehost(["convert", source, "--root", "/dev/sda9", "--output", path("refused.qcow2")])
        #expect(refused.status == 4)
        #expect(refused.errors.contains("hint: "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.path).sorted() == ["web01.vmdk"])

        let output = path("web01.qcow2")
        let converted = try Tools.rehost(["convert", source, "--output", output, "--preflight"])
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")
        #expect(try Tools.digest(source) == before)
        for ending in ["", ".report.json", ".xml", ".preflight.html"] {
            #expect(FileManager.default.fileExists(atPath: output + ending))
        }
        let report = try String(contentsOfFile: output + ".report.json", encoding: .utf8)
        #expect(report.contains("192.168.77.10/24"))
        let tested = try JSONDecoder().decode(Tested.self, from: Data(report.utf8)).preflight
        #expect(tested.verdict == "boots")
        #expect(tested.level == "login")
        #expect(tested.image == output)
        #expect(tested.witness.rootDriver == "virtio_blk")
        #expect(tested.witness.missingMounts.isEmpty)

        // An existing output is safe.
        #expect(try Tools.rehost(["convert", source, "--output", output]).status == 1)

        // A converted guest has nothing left to convert.
        let again = try Tools.rehost(["plan", output, "--quiet"])
        #expect(again.output == "nothing to change\n", "\(again.output)")

        try boot(output, serial: "rehost-rebuild", write: true)
        // It has rebuilt its own initramfs and run update-grub: the drivers are still there, and so is the way in.
        try boot(output, serial: "rehost-poweroff", write: false)
    }

    private func boot(_ disk: String, serial: String, write: Bool) throws {
        let booted = try Tools.run(
            "images/boot-guest",
            ["--firmware", "bios", "--bus", "virtio-blk", "--nic", "virtio", "--serial-number", serial]
                + (write ? ["--write"] : []) + [disk])
        try #require(booted.status == 0, "\(booted.output.suffix(2000))\n\(booted.errors)")
        let facts = Tools.facts(booted.output)
        #expect(facts["firmware"] == "bios")
        #expect(facts["root_driver"] == "virtio_blk")
        #expect(facts["nic_driver"] == "virtio_net")
        #expect(facts["dynamic"] == "yes")
        #expect(facts["address"]?.hasPrefix("10.0.2.") == true)
        #expect(facts["failed_units"] == "none")
        #expect(facts["tools_active"] == "inactive")
        #expect(facts["tools_enabled"] == "masked")
        if write { #expect(booted.output.contains("REBUILD-OK")) }
    }
}
