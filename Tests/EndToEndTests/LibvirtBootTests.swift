import Foundation
import Testing

/// Boot tests in libvirt's machines, with the driver inside the process: no daemon is needed.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "boots real guests for minutes: script/test sets REHOST_END_TO_END=1"),
    .enabled(if: EmbeddedLibvirt.obstacle == nil, "\(EmbeddedLibvirt.obstacle ?? "libvirt can be used here")"))
final class LibvirtBootTests {
    private let work = Tools.work("libvirt")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    private struct Report: Decodable {
        struct Image: Decodable {
            struct Machine: Decodable {
                var memoryMiB: Int
                var processors: Int
            }
            var verdict: String
            var runner: String
            var machine: Machine
        }
        var images: [Image]
    }

    private func preflight(_ images: [String]) throws -> (images: [Report.Image], errors: String) {
        let result = try Tools.rehost(
            ["preflight"] + images + ["--connect", EmbeddedLibvirt.preflight.uri, "--no-witness", "--format", "json"])
        let report = try #require(
            try? JSONDecoder().decode(Report.self, from: Data(result.output.utf8)), "\(result.errors)")
        // Nothing runs on.
        #expect(EmbeddedLibvirt.preflight.sockets == [])
        return (report.images, result.errors)
    }

    @Test func whatDoesNotBootIsSeenAsInAQEMUOfOurOwn() throws {
        let empty = path("empty.qcow2")
        #expect(try Tools.run("/usr/bin/qemu-img", ["create", "-q", "-f", "qcow2", empty, "64M"]).status == 0)
        // mov al, 0xfe; out 0x64, al: the keyboard controller resets the machine. Then hlt.
        let loop = path("loop.raw")
        var sector: [UInt8] = [0xB0, 0xFE, 0xE6, 0x64, 0xF4, 0xEB, 0xFD]
        sector += [UInt8](repeating: 0, count: 510 - sector.count) + [0x55, 0xAA]
        try Data(sector + [UInt8](repeating: 0, count: 1 << 20)).write(to: URL(fileURLWithPath: loop))
        let before = try Tools.digest(loop)

        let images = try preflight([empty, loop]).images
        #expect(images.map(\.verdict) == ["no-boot-device", "reboot-loop"])
        #expect(images.allSatisfy { $0.runner.hasPrefix("libvirt qemu:///embed") })
        #expect(try Tools.digest(loop) == before)
    }

    @Test func theDomainThatConvertWritesBoots() throws {
        let source = path("web02.vmdk")
        let built = try Tools.run("images/build-guest", [source])
        try #require(built.status == 0, "\(built.errors)")
        let output = path("web02.qcow2")
        let converted = try Tools.rehost(["convert", source, "--output", output])
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")

        let (images, errors) = try preflight([output])
        #expect(images.map(\.verdict) == ["boots"])
        // Of the domain; without it there would be 1024 and 1.
        #expect(images.first?.machine.memoryMiB == 2048 && images.first?.machine.processors == 2)
        #expect(errors.contains("the machine is the one of \(output).xml"), "\(errors)")
    }
}
