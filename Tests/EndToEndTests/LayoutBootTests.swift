import Foundation
import Testing

/// A guest of images/build-guest and how it is started and converted.
struct Layout: Sendable, CustomTestStringConvertible {
    var name: String
    /// Of images/build-guest.
    var build: [String]
    /// Of images/boot-guest, for the guest as it was; nil: it doesn't boot in QEMU as it is.
    var original: [String]?
    /// Of images/boot-guest, for both.
    var boot: [String] = []
    /// Of rehost convert.
    var convert: [String] = []
    var disks = 1
    var testDescription: String { name }

    static let bios = ["--firmware", "bios", "--bus", "sata", "--nic", "vmxnet3"]
    static let all = [
        Layout(
            name: "dracut", build: ["--initramfs-tool", "dracut", "--network", "networkmanager"],
            original: ["--original"]),
        Layout(name: "rhel", build: ["--style", "rhel"], original: ["--original"]),
        Layout(name: "systemd-boot", build: ["--loader", "systemd-boot"], original: ["--original"]),
        Layout(name: "extlinux", build: ["--firmware", "bios", "--loader", "extlinux"], original: bios),
        Layout(name: "gpt-bios", build: ["--firmware", "bios", "--table", "gpt"], original: bios),
        Layout(name: "snapper", build: ["--root-fs", "snapper"], original: ["--original"]),
        Layout(
            name: "bond", build: ["--network", "bond"], original: ["--original", "--nics", "2"], boot: ["--nics", "2"]),
        Layout(name: "md", build: ["--firmware", "bios", "--root-fs", "md"], original: bios, disks: 2),
        Layout(
            name: "luks", build: ["--root-fs", "luks"], original: ["--original"], boot: ["--passphrase", "rehost"],
            convert: ["--key", "/dev/sda3:file:KEY"]),
    ]

    static let wanted: [Layout] = {
        let names = (ProcessInfo.processInfo.environment["REHOST_LAYOUTS"] ?? "").split(separator: ",").map(String.init)
        return all.filter { names == ["all"] || names.contains($0.name) }
    }()
}

/// Real guests of other layouts than the usual one: each boots as VMware has it, is converted, and boots under BIOS on
/// virtio; so it does after a rebuild of its own. Each takes four boots, so they run when they are asked for:
/// `REHOST_LAYOUTS=all`, or names with commas between them.
@Suite(
    .serialized,
    .enabled(
        if: !Layout.wanted.isEmpty,
        "builds and boots a guest of each layout, an hour under emulation: REHOST_LAYOUTS=all, or names of layouts"))
final class LayoutBootTests {
    private let work = Tools.work("layouts")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    @Test(arguments: Layout.wanted) func convertedGuestBoots(_ layout: Layout) throws {
        let source = path("\(layout.name).qcow2")
        let built = try Tools.run("images/build-guest", layout.build + [source])
        try #require(built.status == 0, "\(built.errors)")
        let second = layout.disks == 2 ? [path("\(layout.name)-disk2.qcow2")] : []
        if let original = layout.original {
            let facts = try boot(layout, original + ["--until-witness"], [source] + second)
            #expect(facts["root_driver"] != "virtio_blk")
        }

        let key = path("key")
        try Data("rehost".utf8).write(to: URL(fileURLWithPath: key))
        let output = path("\(layout.name)-converted.qcow2")
        let options = layout.convert.map { $0.replacingOccurrences(of: "KEY", with: key) }
        let further = second.flatMap { ["--disk", $0] }
        let converted = try Tools.rehost(["convert", source] + further + ["--output", output] + options)
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")
        let disks = [output] + (layout.disks == 2 ? [path("\(layout.name)-converted-disk2.qcow2")] : [])
        // It converts to something that has nothing left to convert.
        let rest = disks.dropFirst().flatMap { ["--disk", $0] }
        let again = try Tools.rehost(["plan", output, "--quiet"] + rest + options)
        #expect(again.output == "nothing to change\n", "\(again.output)\n\(again.errors)")

        for serial in ["rehost-rebuild", "rehost-poweroff"] {
            let write = serial == "rehost-rebuild" ? ["--write"] : []
            let facts = try boot(layout, ["--serial-number", serial] + write, disks)
            #expect(facts["firmware"] == "bios")
            #expect(facts["root_driver"] == "virtio_blk")
            #expect(facts["dynamic"] == "yes")
            #expect(facts["address"]?.hasPrefix("10.0.2.") == true)
            #expect(facts["failed_units"] == "none")
        }
    }

    private func boot(_ layout: Layout, _ options: [String], _ disks: [String]) throws -> [String: String] {
        let booted = try Tools.run("images/boot-guest", layout.boot + options + disks)
        try #require(booted.status == 0, "\(booted.output.suffix(2000))\n\(booted.errors)")
        return Tools.facts(booted.output)
    }
}
