import Foundation
import Guest
import GuestTesting
import Injectors
import Testing

@testable import Converter

/// Each folder of Tests/Fixtures/guests is a test: it is inspected, planned for and compared with its plan.golden; the
/// plan is applied, and planned again. `RECORD=1` writes the goldens anew, and still fails.
struct GoldenTests {
    static let grub = BIOSGrub(
        bootImage: [UInt8](repeating: 0x90, count: 512), modules: ["normal.mod": [0, 1], "command.lst": [0, 2]]
    ) { core in
        Array("\(core.prefix)\n\(core.modules.joined(separator: " "))\n\(core.earlyConfiguration)".utf8)
            + [UInt8](repeating: 0, count: 60_000)
    }

    private static let uefiGrub = UEFIGrub(
        modules: [
            "normal.mod": [0, 1], "linux16.mod": [0, 3],
            "command.lst": Array("linux: linux\nlinux16: linux16\n\0".utf8),
        ]
    ) { modules, prefix in
        // The header of a program for 64-bit UEFI.
        let header = Array("MZ".utf8) + [UInt8](repeating: 0, count: 58) + [64, 0, 0, 0] + Array("PE".utf8)
        return header + [0, 0, 0x64, 0x86] + Array("GRUB \(prefix) \(modules.joined(separator: " "))".utf8)
            + [UInt8](repeating: 0, count: 60_000)
    }

    @Test func thereAreGuests() { #expect(FixtureGuest.names.count >= 5) }

    @Test(arguments: FixtureGuest.names) func guest(_ name: String) throws {
        let fixture = try FixtureGuest(name)
        let (plan, inspection) = try Self.plan(fixture)
        let text = Self.describe(inspection) + PlanText.render(plan) + Self.describe(plan)

        let golden = FixtureGuest.folder.appendingPathComponent("\(name)/plan.golden")
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try Data(text.utf8).write(to: golden)
            Issue.record("'\(golden.path)' was recorded: look at its difference")
        } else {
            let wanted = try String(contentsOf: golden, encoding: .utf8)
            let difference = UnifiedDiff.lines(from: wanted, to: text).joined(separator: "\n")
            #expect(text == wanted, "\(difference)")
        }

        #expect(plan.blockers == [])
        try fixture.machine.apply(plan) { _ in }
        try fixture.findNewSystemPartitions()
        let (second, converted) = try Self.plan(fixture)
        let changes = second.items.map(\.change).filter { $0.kind != "command" }
        #expect(changes.isEmpty, "the second plan:\n\(PlanText.render(second))")
        #expect(second.formerSettings == [])
        #expect(converted.kernels == inspection.kernels)
    }

    private static func plan(_ fixture: FixtureGuest) throws -> (Plan, Inspection) {
        try fixture.machine.unmountAll()
        var options = OpeningOptions()
        options.mountsSystemPartition = fixture.adaptation.firmware != .bios
        let opened = try Opening.open(fixture.machine, options: options)
        let inspection = try Inspector.inspect(fixture.machine, opened: opened)
        let pipeline = Pipeline(fixture.adaptation, grub: grub, uefiGrub: uefiGrub)
        return (try pipeline.plan(fixture.machine, guest: inspection, findings: opened.findings), inspection)
    }

    private static func describe(_ guest: Inspection) -> String {
        var lines = ["\(guest.osRelease.prettyName), \(guest.architecture), host '\(guest.hostName ?? "")'"]
        lines.append("firmware \(guest.firmware), network \(guest.networkFormats), tools \(guest.tools)")
        for mount in guest.mounts {
            lines.append("mount \(mount.path): \(mount.device) \(mount.type) \(mount.subvolume ?? "")".trimming(" "))
        }
        for kernel in guest.kernels {
            lines.append(
                "kernel \(kernel.version): \(kernel.image) \(kernel.initramfs?.description ?? "-") \(kernel.modules)")
        }
        switch guest.bootLoader {
        case .grub2(let configuration, _): lines.append("boot loader: \(configuration)")
        case .grubLegacy(let configuration): lines.append("boot loader: GRUB legacy, \(configuration)")
        case .syslinux(let configuration): lines.append("boot loader: syslinux, \(configuration)")
        case .unifiedKernels(let images): lines.append("boot loader: unified kernel images, \(images)")
        case .loaderEntries(let entries): lines.append("boot loader: \(entries)")
        case .unknown: lines.append("boot loader: unknown")
        }
        return lines.joined(separator: "\n") + "\n\n"
    }

    private static func describe(_ plan: Plan) -> String {
        var lines = [""]
        for finding in plan.findings {
            lines.append("\(finding.level.rawValue): [\(finding.injector)] \(finding.message)")
            if let hint = finding.hint { lines.append("  hint: \(hint)") }
        }
        for setting in plan.formerSettings {
            let values = setting.values.sorted { $0.key < $1.key }.map {
                "\($0.key)=\($0.value.joined(separator: ","))"
            }
            lines.append(
                "former: [\(setting.injector)] \(setting.kind) \(setting.subject) \(setting.file)"
                    + values.map { "\n  \($0)" }.joined())
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
