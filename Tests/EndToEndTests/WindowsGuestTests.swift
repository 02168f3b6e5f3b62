import Foundation
import Testing

/// A Windows of images/phony that starts by UEFI, converted as a user would: by what firmware and other programs make of
/// the result. Its boot manager is a stand-in that tells with what it was started.
@Suite(
    .serialized,
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_END_TO_END"] == "1",
        "converts a made Windows and starts it, half a minute: script/test sets REHOST_END_TO_END=1"))
final class WindowsGuestTests {
    private let work = Tools.work("windows")

    init() throws { try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(at: work) }

    private func path(_ name: String) -> String { work.appendingPathComponent(name).path }

    /// In sectors, as images/phony lays it out.
    private static let first = 57 * 2048
    private static let count = 150 * 2048

    private func convert() throws -> String {
        let source = path("windows.qcow2")
        let output = path("converted.qcow2")
        let made = try Tools.run("images/phony", ["windows-uefi", source])
        try #require(made.status == 0, "\(made.errors)")
        let digest = try Tools.digest(source)
        let converted = try Tools.rehost(
            ["convert", source, "--virtio-win", source + ".drivers", "--output", output])
        try #require(converted.status == 0 || converted.status == 3, "\(converted.errors)")
        #expect(try Tools.digest(source) == digest)
        return output
    }

    @Test func theBootManagerIsStartedAndOtherReadersAgree() throws {
        let output = try convert()
        try machinesStartIt(output)
        try otherReadersAgree(output)
        let again = try Tools.rehost(["plan", output, "--quiet", "--virtio-win", path("windows.qcow2.drivers")])
        #expect(again.output == "nothing to change\n", "\(again.output)\n\(again.errors)")
    }

    // MARK: Firmware

    private func machinesStartIt(_ image: String) throws {
        let buses = [
            "virtio-blk": ["-device", "virtio-blk-pci,drive=disk"],
            "virtio-scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=disk"],
            "sata": ["-device", "ich9-ahci,id=sata", "-device", "ide-hd,drive=disk,bus=sata.0"],
        ]
        for machine in ["pc", "q35"] {
            for (bus, devices) in buses.sorted(by: { $0.key < $1.key }) {
                let line = try start(image, machine, devices)
                let signature = try #require(
                    line.firstMatch(of: #/signature=([0-9a-f]{8})/#), "\(machine) \(bus): \(line)")
                #expect(
                    line.contains("BOOTMGR segment=2000 drive=80 hidden=\(Self.hex(Self.first))"),
                    "\(machine), \(bus): \(line)")
                #expect(signature.1 != "00000000")
            }
        }
    }

    private static func hex(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// - Returns: the line that the boot manager's stand-in prints.
    private func start(_ image: String, _ machine: String, _ devices: [String]) throws -> String {
        // The machine goes as soon as it has said its line, or after a minute.
        let script = """
            serial=$1; shift
            rm -f "$serial"
            qemu-system-x86_64 -serial "file:$serial" "$@" &
            machine=$!
            tries=0
            while [ $tries -lt 300 ] && kill -0 $machine && ! grep -aq 'signature=........' "$serial"; do
                sleep 0.2
                tries=$((tries + 1))
            done
            kill -9 $machine
            tr -d '\\r' <"$serial"
            """
        let arguments =
            [
                "-accel", "tcg", "-machine", machine, "-m", "128", "-display", "none", "-nic", "none", "-no-reboot",
                "-drive", "if=none,id=disk,format=qcow2,snapshot=on,file=\(image)",
            ] + devices
        return try Tools.run("/bin/sh", ["-c", script, "sh", path("serial")] + arguments).output
    }

    // MARK: Readers

    private func otherReadersAgree(_ image: String) throws {
        let raw = path("disk.raw")
        #expect(try Tools.run("/usr/bin/qemu-img", ["convert", "-O", "raw", image, raw]).status == 0)
        let table = try Tools.run("/usr/sbin/sfdisk", ["--dump", raw]).output
        #expect(table.contains("label: dos"))
        #expect(table.contains("start=      116736, size=      307200, type=7, bootable"), "\(table)")
        let volume = path("volume")
        let cut = try Tools.run(
            "/usr/bin/dd", ["if=\(raw)", "of=\(volume)", "bs=512", "skip=\(Self.first)", "count=\(Self.count)"])
        #expect(cut.status == 0)
        #expect(try Tools.run("/usr/bin/ntfsfix", ["--no-action", volume]).status == 0)
        try rights(volume)
        try boot(hive("/Boot/BCD", of: volume))
        try drivers(hive("/Windows/System32/config/SYSTEM", of: volume))
    }

    /// A new file is as open as its folder is, which images/phony gives to SYSTEM alone; attributes are Windows' own.
    private func rights(_ volume: String) throws {
        let script = """
            mkdir -p "$2" && ntfs-3g -o ro "$1" "$2" || exit 1
            cd "$2" && for file in Windows/System32/drivers Windows/System32/drivers/viostor.sys; do
                getfattr --absolute-names --only-values -n system.ntfs_acl "$file" | od -An -tx1 | tr -d ' \\n'; echo
            done
            getfattr -e hex -n system.ntfs_attrib_be bootmgr
            cd / && umount "$2"
            """
        let read = try Tools.run("/bin/sh", ["-c", script, "sh", volume, path("mounted")])
        let lines = read.output.split(separator: "\n")
        try #require(lines.count > 2, "\(read.output)\(read.errors)")
        #expect(lines[0] == lines[1] && lines[0].hasSuffix("0512000000"), "\(read.output)")
        #expect(read.output.contains("system.ntfs_attrib_be=0x00000027"))
    }

    /// A hive as two programs read it, each with a reader of its own: libhivex and reglookup's.
    private struct Texts {
        var hivex: String
        var reglookup: String
    }

    private func hive(_ file: String, of volume: String) throws -> Texts {
        let copy = path(String(file.split(separator: "/").last ?? ""))
        let script = "ntfscat \"$1\" \"$2\" >\"$3\""
        let read = try Tools.run("/bin/sh", ["-c", script, "sh", volume, file, copy])
        try #require(read.status == 0, "\(read.errors)")
        let hivex = try Tools.run("/usr/bin/hivexregedit", ["--export", "--unsafe-printable-strings", copy, "\\"])
        let reglookup = try Tools.run("/usr/bin/reglookup", [copy])
        #expect(hivex.status == 0 && reglookup.status == 0, "\(hivex.errors)\(reglookup.errors)")
        return Texts(hivex: hivex.output, reglookup: reglookup.output)
    }

    private func boot(_ store: Texts) {
        let loader = "{11111111-2222-3333-4444-000000000001}"
        let boot = "05,00,00,00,00,00,00,00,48" + String(repeating: ",00", count: 63)
        #expect(
            store.hivex.contains(
                "\(loader)\\Elements\\11000001]\n\"Element\"=hex(3):\(String(repeating: "00,", count: 16))\(boot)"))
        #expect(store.hivex.contains("\"Element\"=str(1):\"\\Windows\\system32\\winload.exe\""))
        #expect(!store.hivex.contains(".efi\"") && !store.hivex.contains("FirmwareVariable"))
        #expect(
            store.reglookup.contains(
                "/Objects/\(loader)/Elements/12000002/Element,SZ,\\Windows\\system32\\winload.exe"),
            "\(store.reglookup.prefix(2000))")
        #expect(!store.reglookup.contains("16000060"))
    }

    private func drivers(_ system: Texts) {
        for set in ["ControlSet001", "ControlSet002"] {
            #expect(system.reglookup.contains("/\(set)/Services/viostor/Start,DWORD,0x00000000"))
            #expect(system.reglookup.contains("/\(set)/Services/vioscsi/Start,DWORD,0x00000000"))
        }
        #expect(system.reglookup.contains("/ControlSet001/Services/vmci/Start,DWORD,0x00000004"))
        #expect(system.hivex.contains("\"SanPolicy\"=dword:00000001"))
        #expect(!system.hivex.contains("StartOverride"))
        // The volume's letter by the new disk signature and its place: 57 MiB.
        #expect(system.hivex.firstMatch(of: #/"\\\\DosDevices\\\\C:"=hex\(3\):(..,){4}00,00,90,03,00,00,00,00/#) != nil)
    }
}
