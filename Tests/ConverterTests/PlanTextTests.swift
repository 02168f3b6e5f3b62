import Foundation
import Guest
import GuestTesting
import Testing

@testable import Converter

struct PlanTextTests {
    private func item(_ change: Change, _ before: Plan.Before = .nothing) -> Plan.Item {
        Plan.Item(injector: "test", change: change, before: before)
    }

    private func file(_ text: String, permissions: UInt16 = 0o644) -> Plan.Before {
        .file(Array(text.utf8), permissions: permissions)
    }

    private func write(_ path: GuestPath, _ text: String, permissions: UInt16 = 0o644) -> Change {
        .write(path, Array(text.utf8), permissions: permissions)
    }

    @Test func aSmallPlan() {
        let plan = Plan(items: [
            item(write("/etc/fstab", "a\nB\n", permissions: 0o600), file("a\nb\n")),
            item(write("/etc/new", "x\n", permissions: 0o755)), item(.directory("/etc/folder", permissions: 0o755)),
            item(.append("/boot/initrd.img", [UInt8](repeating: 0, count: 20_480), offset: 1024), .fileOfLength(1000)),
            item(.symlink("/etc/a", target: "/dev/null")),
            item(.symlink("/etc/b", target: "/dev/null"), .symlink(target: "/lib/b")),
            item(.symlink("/etc/c", target: "/dev/null"), file("c")), item(.remove("/etc/d"), file("d\n")),
            item(.remove("/etc/e"), .symlink(target: "f")),
            item(.write("/etc/blob", [0, 1, 2], permissions: 0o644), .file([0], permissions: 0o644)),
            item(.run(GuestCommand(["/usr/bin/dracut", "--force"], reason: "rebuild the initramfs of 6.1"))),
            item(
                .disk(
                    SectorEdit(disk: 0, firstSector: 34, bytes: [UInt8](repeating: 0, count: 1024), what: "GRUB core")),
                .sectors([UInt8](repeating: 0, count: 1024))),
        ])
        #expect(
            PlanText.render(plan)
                == """
                /etc/fstab\t[test]
                  mode 0644 becomes 0600
                  @@ -1,2 +1,2 @@
                   a
                  -b
                  +B

                /etc/new\t[test]
                  new file, mode 0755, 2 bytes
                  @@ -0,0 +1,1 @@
                  +x

                /etc/folder\t[test]
                  new folder

                /boot/initrd.img\t[test]
                  20 KiB appended at byte 1024

                /etc/a\t[test]
                  new symlink to /dev/null

                /etc/b\t[test]
                  symlink to /dev/null; it was one to /lib/b

                /etc/c\t[test]
                  symlink to /dev/null, in place of a file

                /etc/d\t[test]
                  removed
                  @@ -1,1 +0,0 @@
                  -d

                /etc/e\t[test]
                  removed; it was a symlink to f

                /etc/blob\t[test]
                  1 bytes become 3 bytes of other data

                command: rebuild the initramfs of 6.1\t[test]
                  /usr/bin/dracut --force

                disk 0, sectors 34–35\t[test]
                  GRUB core

                """.replacing("@@ -0,0 +1,1 @@", with: UnifiedDiff.lines(from: "", to: "x\n")[0])
                .replacing("@@ -1,1 +0,0 @@", with: UnifiedDiff.lines(from: "d\n", to: "")[0]))
    }

    @Test func nothingToDo() { #expect(PlanText.render(Plan()) == "nothing to change\n") }

    @Test func manyNewFilesAreOneLine() {
        let new = (10..<18).map { item(.write("/boot/grub/i386-pc/\($0).mod", [0, 1], permissions: 0o644)) }
        #expect(
            PlanText.render(Plan(items: new)) == "/boot/grub/i386-pc/\t[test]\n  8 new files, 16 bytes\n")
        #expect(PlanText.render(Plan(items: Array(new.dropLast()))).contains("/boot/grub/i386-pc/10.mod\t"))
    }

    @Test func sizes() {
        #expect([0, 9999, 10_000, 10 << 20].map(PlanText.size) == ["0 bytes", "9999 bytes", "9 KiB", "10 MiB"])
    }

    // MARK: What a guest can't do to a terminal

    private static let evil = "x\u{1B}]0;owned\u{07}\u{1B}[2J\r\u{9B}31m\u{7F}y"

    private func isHarmless(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            scalar == "\n" || scalar == "\t" || !(scalar.value < 32 || (127..<160).contains(scalar.value))
        }
    }

    @Test func textAndPathsAreHarmless() {
        let items = [
            item(write("/etc/a", Self.evil + "\n"), file("old " + Self.evil + "\n")),
            item(write("/etc/b", Self.evil)), item(.remove("/etc/c"), file(Self.evil)),
            item(write("/etc/\(Self.evil)", "x")), item(.remove("/etc/\(Self.evil)")),
        ]
        for item in items {
            let text = PlanText.render(Plan(items: [item]))
            #expect(isHarmless(text), "\(item.change.kind): \(text.debugDescription)")
            #expect(text.contains("\u{FFFD}"))
        }
    }

    @Test func symlinkTargetsAreHarmless() {
        let target = Self.evil
        for plan in [
            item(.symlink("/etc/a", target: "/dev/null"), .symlink(target: target)),
            item(.symlink("/etc/a", target: target)), item(.remove("/etc/a"), .symlink(target: target)),
        ] { #expect(isHarmless(PlanText.render(Plan(items: [plan])))) }
    }

    @Test func commandsAreHarmless() {
        let command = GuestCommand(["/usr/sbin/update-initramfs", "-k", Self.evil], reason: "rebuild \(Self.evil)")
        #expect(isHarmless(PlanText.render(Plan(items: [item(.run(command))]))))
    }

    @Test func foldersOfManyFilesAreHarmless() {
        let new = (0..<9).map { item(.write("/etc/\(Self.evil)/\($0)", [1], permissions: 0o644)) }
        #expect(isHarmless(PlanText.render(Plan(items: new))))
    }

    @Test func linesAreNotForged() {
        // A carriage return or another line break must not start a line of its own.
        let text = PlanText.render(Plan(items: [item(.remove("/etc/a\nfake\t[virtio-initramfs]\n  removed"))]))
        #expect(text.split(separator: "\n").count == 2, "\(text)")
    }
}

struct ReportTests {
    private let plan = Plan(
        items: [
            Plan.Item(
                injector: "device-names", change: .write("/etc/fstab", Array("b\n".utf8), permissions: 0o644),
                before: .file(Array("a\n".utf8), permissions: 0o600)),
            Plan.Item(
                injector: "x", change: .append("/boot/i", [1, 2], offset: 512), before: .fileOfLength(500)),
            Plan.Item(injector: "x", change: .directory("/etc/d", permissions: 0o755), before: .nothing),
            Plan.Item(injector: "x", change: .symlink("/etc/l", target: "t"), before: .symlink(target: "old")),
            Plan.Item(injector: "x", change: .remove("/etc/r"), before: .file([0], permissions: 0o644)),
            Plan.Item(injector: "x", change: .run(GuestCommand(["/bin/true"], reason: "why")), before: .nothing),
            Plan.Item(
                injector: "bios-boot",
                change: .disk(
                    SectorEdit(disk: 1, firstSector: 7, bytes: [UInt8](repeating: 1, count: 512), what: "GPT")),
                before: .sectors([UInt8](repeating: 2, count: 512))),
        ],
        findings: [Finding(level: .warning, injector: "x", message: "m; it stays", hint: "h")],
        formerSettings: [
            FormerSetting(kind: "k", injector: "x", subject: "eth0", file: "/etc/x", values: ["address": ["10.0.0.1"]])
        ])

    private func object(_ value: some Encodable) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: JSON.encode(value)) as? [String: Any])
    }

    @Test func thePlanKeepsTheContract() throws {
        let report = try object(PlanReport(plan, inspection: sampleInspection()))
        #expect(report["schema"] as? String == "rehost.plan/1")
        let changes = try #require(report["changes"] as? [[String: Any]])
        #expect(
            changes.compactMap { $0["kind"] as? String }
                == ["write", "append", "directory", "symlink", "remove", "command", "sectors"])
        for change in changes { #expect(change["injector"] is String && change["target"] is String) }
        #expect(changes[0]["target"] as? String == "/etc/fstab")
        #expect((changes[0]["diff"] as? [String])?.count == 3)
        #expect(changes[0]["mode"] as? String == "0644" && changes[0]["size"] as? Int == 2)
        #expect(changes[1]["size"] as? Int == 514)
        #expect(changes[3]["linkTarget"] as? String == "t")
        #expect(changes[4]["diff"] == nil)
        #expect(changes[5]["command"] as? [String] == ["/bin/true"])
        #expect(changes[6]["target"] as? String == "disk 1, sector 7")
        let findings = try #require(report["findings"] as? [[String: Any]])
        #expect(findings[0].keys.sorted() == ["hint", "injector", "level", "message"])
        #expect(findings[0]["level"] as? String == "warning")
        #expect(report["inspection"] is [String: Any] && report["formerSettings"] is [[String: Any]])
    }

    @Test func theReportKeepsTheContract() throws {
        var adaptation = Adaptation()
        adaptation.diskBus = .virtioSCSI
        let result = ConversionReport(
            disks: [
                .init(source: "/a.vmdk", sourceFormat: "vmdk", virtualSize: 9, output: "/b", outputFormat: "qcow2")
            ],
            plan: plan, inspection: sampleInspection(), adaptation: adaptation,
            timings: [.init(name: "plan", start: 0, seconds: 0.5)])
        let report = try object(result)
        #expect(report["schema"] as? String == "rehost.report/1")
        #expect(
            Set(report.keys).isSuperset(of: [
                "source", "disks", "inspection", "changes", "findings", "requirements", "timings", "undo",
            ]))
        #expect((report["changes"] as? [Any])?.count == 7)
        let requirements = try #require(report["requirements"] as? [String: Any])
        #expect(requirements["diskBus"] as? String == "virtio-scsi" && requirements["firmware"] as? String == "bios")
        // Backwards, and without the command.
        #expect(result.undo.map(\.kind) == ["sectors", "restore", "symlink", "remove", "truncate", "restore"])
        #expect(result.undo.last?.content == Data("a\n".utf8).base64EncodedString())
        #expect(result.undo.last?.mode == "0600" && result.undo[4].length == 500)
        #expect(result.undo[0].disk == 1 && result.undo[0].firstSector == 7)
        let decoded = try JSONDecoder().decode(ConversionReport.self, from: JSON.encode(result))
        #expect(try JSON.encode(decoded) == JSON.encode(result))
    }

    @Test func theBootDisk() {
        let gpt = PartitionTable.gpt(
            GPT(
                diskSectors: 40960,
                [
                    GPT.Entry(
                        number: 1, type: GPT.efiSystem, id: GPT.linuxData, firstSector: 64, lastSector: 99, name: "")
                ]))
        func disk(_ index: Int, _ table: PartitionTable = .none, code: Bool = false) -> GuestDisk {
            GuestDisk(index: index, device: "/dev/sd\(index)", size: 1 << 20, table: table, hasBootCode: code)
        }
        #expect(BootDisk.index(of: sampleInspection()) == 0)
        #expect(BootDisk.index(of: sampleInspection(disks: [disk(0), disk(1, code: true)])) == 1)
        #expect(BootDisk.index(of: sampleInspection(disks: [disk(0, code: true), disk(1, gpt)])) == 1)
    }
}
