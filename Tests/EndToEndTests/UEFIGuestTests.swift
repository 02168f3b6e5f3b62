import Foundation
import Testing

/// Guests that start by UEFI after the conversion, with firmware that has no boot entries.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "boots real guests for minutes: script/test sets REHOST_END_TO_END=1"))
final class UEFIGuestTests {
    let work = Tools.work("uefi")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    private struct Report: Decodable {
        struct Boot: Decodable {
            struct Machine: Decodable { var firmware: String }
            struct Witness: Decodable {
                var rootDriver: String
                var missingMounts: [String]
            }
            var verdict: String
            var machine: Machine
            var witness: Witness
        }
        struct Requirements: Decodable { var firmware: String }
        var preflight: Boot
        var requirements: Requirements
    }

    /// Builds, converts with a boot check, and expects that a second plan is empty.
    private func convert(_ options: [String], firmware: String) throws -> String {
        let (source, output) = (path("source.vmdk"), path("result.qcow2"))
        let built = try Tools.run("images/build-guest", options + [source])
        try #require(built.status == 0, "\(built.errors)")
        let before = try Tools.digest(source)
        let converted = try Tools.rehost(
            ["convert", source, "--firmware", firmware, "--output", output, "--preflight"])
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")
        #expect(try Tools.digest(source) == before)
        let report = try JSONDecoder().decode(
            Report.self, from: Data(contentsOf: URL(fileURLWithPath: output + ".report.json")))
        #expect(report.preflight.verdict == "boots")
        #expect(report.preflight.machine.firmware == "uefi" && report.requirements.firmware == "uefi")
        #expect(report.preflight.witness.rootDriver == "virtio_blk")
        #expect(report.preflight.witness.missingMounts == [])
        #expect(try String(contentsOfFile: output + ".xml", encoding: .utf8).contains("firmware=\"efi\""))
        let again = try Tools.rehost(["plan", output, "--firmware", firmware, "--quiet"])
        #expect(again.output == "nothing to change\n", "\(again.output)")
        return converted.errors
    }

    @Test func aBIOSGuestGetsAnEFISystemPartition() throws {
        let said = try convert(["--firmware", "bios"], firmware: "uefi")
        #expect(said.contains("grows from 3072 MiB to 3139 MiB"), "\(said)")
    }

    @Test func aGuestThatReliedOnABootEntryGetsTheFallbackPath() throws {
        let said = try convert(["--grub", "vendor"], firmware: "keep")
        #expect(said.contains(#"\EFI\debian\shimx64.efi"#), "\(said)")
    }
}
