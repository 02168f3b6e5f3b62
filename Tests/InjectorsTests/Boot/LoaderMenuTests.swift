import Foundation
import Guest
import GuestTesting
import Testing

@testable import Injectors

/// A folder of boot loader entries, in memory and on this host under the same path, so that the menu can be made here
/// and by the guest's own plugin.
private final class EntriesFolder {
    let scratch: ScratchFolder
    let files = MemoryGuest()
    let subvolume: String?
    var mount: GuestPath { GuestPath(scratch.path) }
    var entries: GuestPath { mount.appending("loader/entries") }

    init(subvolume: String? = nil) throws {
        scratch = try ScratchFolder()
        self.subvolume = subvolume
        try FileManager.default.createDirectory(
            atPath: entries.description, withIntermediateDirectories: true)
    }

    func put(_ name: String, _ bytes: [UInt8]) throws {
        files.put(mount.appending(name), bytes)
        let url = URL(fileURLWithPath: mount.appending(name).description)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func put(_ name: String, _ text: String) throws { try put(name, Array(text.utf8)) }

    private func loaderEntries(_ style: LoaderEntries.Style) throws -> LoaderEntries {
        let guest = Inspection.sample(
            fileSystems: [FileSystem(device: "/dev/sda1", type: "ext4", uuid: "0a-1")],
            mounts: [Mount(path: mount, device: "/dev/sda1", type: "ext4", subvolume: subvolume, free: 0)])
        return try #require(try LoaderEntries(entries, style: style, in: files, guest: guest))
    }

    func menu(_ style: LoaderEntries.Style = .grub) throws -> String? {
        try loaderEntries(style).menu(files).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What the plugin writes, run by a shell of this host.
    func pluginsMenu(_ style: LoaderEntries.Style = .grub) throws -> [UInt8]? {
        let output = scratch.file("menu.cfg")
        try? FileManager.default.removeItem(atPath: output)
        let script = LoaderMenuHook.script(try loaderEntries(style), menu: GuestPath(output))
        try Data(script.utf8).write(to: URL(fileURLWithPath: scratch.file("plugin")))
        let run = try HostTool("sh").run([scratch.file("plugin"), "add", "6.1", "/boot"])
        #expect(run.status == 0, "\(run.text)")
        return FileManager.default.contents(atPath: output).map(Array.init)
    }

    func expectSame(_ style: LoaderEntries.Style, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let ours = try loaderEntries(style).menu(files)
        let theirs = try pluginsMenu(style)
        #expect(ours == theirs, "\(text(ours)) is not \(text(theirs))", sourceLocation: sourceLocation)
    }

    private func text(_ bytes: [UInt8]?) -> String { bytes.map { String(decoding: $0, as: UTF8.self) } ?? "none" }
}

struct LoaderMenuTests {
    private static let entry = """
        title Red Hat Enterprise Linux (5.14.0-70.el9) it's 9
        version 5.14.0-70.el9
        linux /vmlinuz-5.14.0-70.el9
        initrd /initramfs-5.14.0-70.el9.img $tuned_initrd
        options root=UUID=x ro $kernelopts dyndbg="file x +p" a;halt b{c} $tuned_params
        grub_users $grub_users
        grub_arg --unrestricted
        grub_class rhel

        """

    private func rhel() throws -> EntriesFolder {
        let folder = try EntriesFolder()
        for version in ["5.14.0-70.el9", "5.14.0-503.el9"] {
            try folder.put("vmlinuz-\(version)", "kernel")
            try folder.put(
                "loader/entries/id-\(version).conf", Self.entry.replacing("5.14.0-70.el9", with: version))
        }
        try folder.put("vmlinuz-0-rescue-id", "kernel\nkernel\n")
        try folder.put("loader/entries/id-0-rescue.conf", "title Rescue\nlinux /vmlinuz-0-rescue-id\ngrub_users a,b\n")
        return folder
    }

    @Test func theMenuOfARedHat() throws {
        let folder = try rhel()
        #expect(
            try folder.menu() == """
                # Written by rehost from \(folder.entries), and again whenever a kernel comes or goes.
                if [ -z "${grub_users}" ]; then
                    set rehost_users=--unrestricted
                else
                    set rehost_users="--users ${grub_users}"
                fi
                menuentry 'Red Hat Enterprise Linux (5.14.0-503.el9) it'\\''s 9' --class 'rhel' ${rehost_users} --id 'id-5.14.0-503.el9' {
                    search --no-floppy --fs-uuid --set=root 0a-1
                    linux '/vmlinuz-5.14.0-503.el9' root=UUID=x ro ${kernelopts} 'dyndbg=file x +p' 'a;halt' 'b{c}' ${tuned_params}
                    initrd '/initramfs-5.14.0-503.el9.img' ${tuned_initrd}
                }
                menuentry 'Red Hat Enterprise Linux (5.14.0-70.el9) it'\\''s 9' --class 'rhel' ${rehost_users} --id 'id-5.14.0-70.el9' {
                    search --no-floppy --fs-uuid --set=root 0a-1
                    linux '/vmlinuz-5.14.0-70.el9' root=UUID=x ro ${kernelopts} 'dyndbg=file x +p' 'a;halt' 'b{c}' ${tuned_params}
                    initrd '/initramfs-5.14.0-70.el9.img' ${tuned_initrd}
                }
                menuentry 'Rescue' --users 'a,b' --id 'id-0-rescue' {
                    search --no-floppy --fs-uuid --set=root 0a-1
                    linux '/vmlinuz-0-rescue-id' ${default_kernelopts}
                }

                """)
        try folder.expectSame(.grub)
    }

    @Test func aSubvolume() throws {
        let folder = try EntriesFolder(subvolume: "root")
        for name in ["boot/a", "boot/b", "root/boot/c"] { try folder.put(name, "kernel") }
        // Counted from the top level, counted from the subvolume, and one that only looks like the first.
        try folder.put("loader/entries/1.conf", "linux /root/boot/a\ninitrd /root/boot/b")
        try folder.put("loader/entries/2.conf", "linux /boot/b\ninitrd boot/a\n")
        try folder.put("loader/entries/3.conf", "linux /root/boot/c\n")
        let menu = try #require(try folder.menu())
        #expect(menu.contains("linux '/root/boot/a'") && menu.contains("initrd '/root/boot/b'"))
        #expect(menu.contains("linux '/root/boot/b'") && menu.contains("initrd '/root/boot/a'"))
        #expect(menu.contains("linux '/root/root/boot/c'"))
        try folder.expectSame(.grub)
    }

    @Test(arguments: [
        ("timeout 0\ndefault b*\n", "set timeout=0\nset default='b'\n"),
        ("timeout menu-force\ndefault B.conf\n", "set timeout=-1\n"),
        ("#timeout 9\ntimeout  7\ndefault\t?.conf  \r\n", "set timeout=7\nset default='c'\n"),
        ("timeout 99999999999\ndefault @saved\n", "set timeout=3\n"), ("", "set timeout=3\n"),
        ("default *a*\ntimeout\n", "set timeout=3\nset default='a'\n"),
    ])
    func settingsOfSystemdBoot(configuration: String, expected: String) throws {
        let folder = try EntriesFolder()
        try folder.put("k", "kernel")
        for name in ["a", "b", "c"] {
            try folder.put("loader/entries/\(name).conf", "title \(name)\nlinux /k\noptions root=x\n")
        }
        try folder.put("loader/loader.conf", configuration)
        let menu = try #require(try folder.menu(.systemd))
        #expect(menu.contains("comes or goes.\n" + expected + "menuentry 'c'"), "\(menu)")
        try folder.expectSame(.systemd)
    }

    @Test func theOrderOfSystemdBoot() throws {
        let folder = try EntriesFolder()
        try folder.put("k", "kernel")
        for (name, more) in [
            ("new", "sort-key debian\nversion 6.10\n"), ("old", "sort-key debian\nversion 6.9\n"),
            ("arch", "sort-key arch\nversion 1\n"), ("zzz", ""), ("bad+0-3", "sort-key a\n"), ("try+2-1", ""),
        ] { try folder.put("loader/entries/\(name).conf", "linux k\n\(more)") }
        let menu = try #require(try folder.menu(.systemd))
        let ids = menu.split(separator: "--id '").dropFirst().map { String($0.prefix { $0 != "'" }) }
        #expect(ids == ["arch", "new", "old", "zzz", "try", "bad"])
        try folder.expectSame(.systemd)
    }

    @Test func pathsThatLeadOutAreNoKernels() throws {
        let folder = try EntriesFolder()
        try folder.put("k", "kernel")
        try folder.put("loader/entries/a.conf", "linux /../../etc/passwd\n")
        try folder.put("loader/entries/b.conf", "linux /x/../k\n")
        #expect(try folder.menu() == nil)
        #expect(try folder.pluginsMenu() == nil)
        try folder.put("loader/entries/c.conf", "linux /k\ninitrd /../i /k\n")
        #expect(try #require(try folder.menu()).contains("\n    initrd '/k'\n"))
        try folder.expectSame(.grub)
    }

    /// Whatever stands in an entry, the plugin and this program agree about it.
    @Test func thePluginAgreesAboutMutatedEntries() throws {
        var random = SplitMix(state: 4)
        for round in 0..<24 {
            let folder = try rhel()
            for version in ["5.14.0-70.el9", "5.14.0-503.el9"] {
                var bytes = Array(Self.entry.replacing("5.14.0-70.el9", with: version).utf8)
                for _ in 0..<8 {
                    let at = Int(random.next() % UInt64(bytes.count))
                    let signs = Array("'\"\\$ {};\t#\r\n+~-.\u{E9}".utf8)
                    bytes[at] = signs[Int(random.next() % UInt64(signs.count))]
                }
                try folder.put("loader/entries/id-\(version)~\(round % 3).conf", bytes)
            }
            try folder.expectSame(round % 2 == 0 ? .grub : .systemd)
        }
    }

    @Test(arguments: [
        ("1.0", "1.0", 0), ("1.10", "1.9", 1), ("1.0~rc1", "1.0", -1), ("1.0+git", "1.0", 1), ("a", "1", -1),
        ("1.0.0", "1.0", 1), ("010", "10", 0), ("", "1", -1), ("1-2", "1.2", 0), ("1..", "1", 0),
        ("99999999999999999999999", "100000000000000000000000", -1), ("fc40", "fc9", 1),
    ])
    func versions(first: String, second: String, order: Int) {
        #expect(VersionOrder.compare(Array(first.utf8), Array(second.utf8)) == order)
        #expect(VersionOrder.compare(Array(second.utf8), Array(first.utf8)) == -order)
    }

    @Test(arguments: [
        ("a  b", "a b"), ("a;b", "'a;b'"), ("it\\'s", "'it'\\''s'"), ("$a$b", "${a}${b}"), ("${a}", "${a}"),
        ("x=\"$a b\"", "x=\"${a}\"' b'"), ("'$a'", "'$a'"), ("\\$a", "'$a'"), ("${a", "'${a'"), ("$1", "'$1'"),
        ("\"unterminated x", "'unterminated x'"), ("a\\", "a"), ("\"\"", ""), ("}", "'}'"), ("\"\\x\"", "'\\x'"),
    ])
    func words(text: String, expected: String) {
        #expect(String(decoding: GrubScript.words(Array(text.utf8)), as: UTF8.self) == expected)
    }

    @Test func manyEntriesAreReadInReasonableTime() throws {
        let folder = try EntriesFolder()
        folder.files.put(folder.mount.appending("k"), "kernel")
        for index in 0..<10_000 {
            folder.files.put(folder.entries.appending("\(index).conf"), "linux /k\nversion \(index)\n")
        }
        let menu = try #require(try folder.menu())
        #expect(menu.split(separator: "menuentry").count == LoaderEntries.limit + 1)
    }
}

/// Numbers that are the same in each run (SplitMix64).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
