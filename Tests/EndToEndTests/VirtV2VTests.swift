import Foundation
import Testing

/// virt-v2v on the same guest with the same drivers: what it writes for the boot driver is what we write, and each
/// difference has its reason.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1"
            && ["virt-v2v", "nbdkit", "nbdcopy"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)")
            },
        "converts a made Windows with virt-v2v, a minute: apt install virt-v2v nbdkit libnbd-bin, and REHOST_END_TO_END=1"
    ))
final class VirtV2VTests {
    private let work = Tools.work("virt-v2v")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    /// The values of a hive's keys by key and name, as hivexregedit prints them.
    private typealias Values = [String: [String: String]]

    @Test func theBootDriverIsTheSame() throws {
        let source = path("windows.qcow2")
        try #require(try Tools.run("images/phony", ["windows", source]).status == 0)
        let script = """
            export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg VIRTIO_WIN="$1.drivers"
            virt-v2v -i disk "$1" -o local -os "$2" -on theirs
            """
        let theirs = try Tools.run("/bin/sh", ["-c", script, "sh", source, work.path])
        try #require(theirs.status == 0, "\(theirs.output)\(theirs.errors)")
        let converted = try Tools.rehost(
            [
                "convert", source, "--firmware", "keep", "--virtio-win", source + ".drivers", "--output",
                path("ours.raw"),
            ])
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")
        let (old, new) = try (values(path("theirs-sda")), values(path("ours.raw")))

        let service = #"\ControlSet001\Services\viostor"#
        let differences = Self.differences(old[service] ?? [:], new[service] ?? [:])
        // Their path is in lower case. Ours has the package that owns the service, and its turn in the group, as services
        // that Windows itself installed have.
        #expect(differences == ["ImagePath", "Owners", "Tag"])
        #expect(old[service]?["ImagePath"]?.lowercased() == new[service]?["ImagePath"]?.lowercased())
        #expect(old[service]?["Start"] == "dword:00000000")
        // An override would win over the start; theirs leaves it.
        #expect(old[service + #"\StartOverride"#] != nil && new[service + #"\StartOverride"#] == nil)
        // A guest that falls back to its other control set has no driver there, with theirs.
        #expect(old[#"\ControlSet002\Services\viostor"#] == nil && new[#"\ControlSet002\Services\viostor"#] != nil)
        // They give the driver of the bus that they chose; ours has both, so that the bus can change.
        #expect(old[#"\ControlSet001\Services\vioscsi"#] == nil && new[#"\ControlSet001\Services\vioscsi"#] != nil)

        // The same device by the same rank. Their ids are fixed, and the INF's package is a made-up one; ours are the INF's.
        let device = #"\DriverDatabase\DeviceIds\PCI\VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01"#
        #expect(old[device] == ["guestor.inf": "hex(3):01,ff,00,00"])
        #expect(new[device] == ["oem3.inf": "hex(3):01,ff,00,00"])
        let packages = #"\DriverDatabase\DriverPackages\"#
        let version = try #require(old[packages + "guestor.inf_tmp"]?["Version"])
        let own = try #require(
            new.first { $0.key.hasPrefix(packages + "viostor.inf_amd64_") && $0.value["Version"] != nil })
        // Up to the date, which theirs leaves out as well as the version: the mark, and the class.
        #expect(own.value["Version"]?.prefix(7 + 24 * 3) == version.prefix(7 + 24 * 3))
    }

    private static func differences(_ old: [String: String], _ new: [String: String]) -> Set<String> {
        Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
    }

    private func values(_ raw: String) throws -> Values {
        // One partition, behind 1 MiB.
        let script = """
            dd if="$1" of="$1.volume" bs=1M skip=1 count=126 status=none
            ntfscat "$1.volume" /Windows/System32/config/SYSTEM >"$1.hive"
            hivexregedit --export --unsafe-printable-strings "$1.hive" '\\\\'
            """
        let read = try Tools.run("/bin/sh", ["-c", script, "sh", raw])
        try #require(read.status == 0, "\(read.errors)")
        var values: Values = [:]
        var key = ""
        for line in read.output.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                key = String(line.dropFirst().dropLast())
                values[key] = [:]
            } else if let mark = line.firstRange(of: "\"=") {
                values[key]?[String(line[line.index(after: line.startIndex)..<mark.lowerBound])] =
                    String(line[mark.upperBound...])
            }
        }
        return values
    }
}
