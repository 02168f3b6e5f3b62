internal import Guest

/// A grub.cfg of ours that runs the guest's own, for guests whose GRUB has commands that others lack. They become
/// functions: GRUB looks for a command first and for a function then (script/execute.c). So the guest's configuration
/// stays as it is, and what its tools write into it later counts.
enum GrubWrapper {
    /// Commands of Red Hat's and SUSE's GRUB for UEFI, and what they are elsewhere.
    private static let renamed = ["linuxefi": "linux", "initrdefi": "initrd"]

    /// What a grub.cfg uses, so that nothing has to be loaded from a prefix that has no modules.
    private static let modules = [
        "all_video", "boot", "btrfs", "configfile", "echo", "ext2", "fat", "font", "gettext", "gfxterm", "gzio", "halt",
        "linux", "linux16", "loadenv", "lvm", "mdraid09", "mdraid1x", "minicmd", "part_gpt", "part_msdos",
        "password_pbkdf2", "reboot", "regexp", "search", "search_fs_file", "search_fs_uuid", "search_label", "serial",
        "sleep", "terminal", "test", "true", "xfs",
    ]

    static func plan(
        around configuration: GuestPath, prefix: GuestPath, in draft: inout Draft, guest: Inspection
    ) throws -> GrubMenu? {
        let lines = ByteLines(try draft.editableBytes(configuration) ?? []).lines
        let commands = Set(lines.map { BootLines.command($0) })
        let mount = guest.mount(holding: try draft.resolve(prefix))
        guard mount?.type != "btrfs" || !setsRelativePaths(lines) else {
            draft.block(
                "'\(configuration)' counts paths from the btrfs subvolume that is the default one (btrfs_relative_path),"
                    + " which only SUSE's GRUB can",
                hint:
                    "use --firmware keep, or run 'grub2-install --target=i386-pc' in the source, on a disk with a BIOS"
                    + " boot partition")
            return nil
        }
        warnOfDiskNumbers(lines, in: configuration, &draft)
        let isOnSystemPartition = mount?.type == "vfat"
        let home = isOnSystemPartition ? try GrubMenu.home(draft) : prefix
        let hasEntries = commands.contains("blscfg")
        guard isOnSystemPartition || hasEntries || !commands.isDisjoint(with: renamed.keys) else {
            return GrubMenu(prefix: prefix)
        }
        if hasEntries {
            let menu = home.appending(GrubMenu.entries)
            guard
                try LoaderMenuHook.plan("/boot/loader/entries", style: .grub, menu: menu, in: &draft, guest: guest)
                    != nil
            else { return nil }
        }
        var text = """
            # Written by rehost. GRUB starts with this file; the menu is the system's own \(configuration).
            # These are commands that the system's own GRUB has and this one hasn't.
            set rehost=$prefix

            """
        if hasEntries {
            text += "function blscfg {\n    if [ -z \"$rehost_menu\" ]; then\n        set rehost_menu=done\n"
            text += "        source $rehost/\(GrubMenu.entries)\n    fi\n}\n"
        }
        for (name, command) in renamed.sorted(by: { $0.key < $1.key }) {
            text += "function \(name) {\n    \(command) \"$@\"\n}\n"
        }
        if commands.contains("decrement") { text += counter("decrement", [(5, 4), (4, 3), (3, 2), (2, 1), (1, 0)]) }
        if commands.contains("increment") { text += counter("increment", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]) }
        if isOnSystemPartition {
            guard let mount, let uuid = guest.fileSystem(on: mount.device)?.uuid, GrubMenu.isPlain(uuid),
                let folder = try draft.resolve(prefix).relative(to: mount.path)
            else {
                draft.block("GRUB can't be told where '\(configuration)' is", hint: "use --firmware keep")
                return nil
            }
            text += modules.map { "insmod \($0)\n" }.joined()
            text +=
                "search --no-floppy --fs-uuid --set=root \(uuid)\nset prefix=($root)\(GrubScript.quoted("/" + folder))\n"
        }
        text += "source $prefix/\(GrubScript.quoted(configuration.name))\n"
        try draft.write(home.appending(GrubMenu.wrapper), text: text)
        return GrubMenu(prefix: home, file: GrubMenu.wrapper)
    }

    /// Arithmetic that GRUB's language hasn't: the counters are `boot_counter` and `boot_indeterminate`, of few steps.
    private static func counter(_ name: String, _ steps: [(from: Int, to: Int)]) -> String {
        var text = "function \(name) {\n"
        for variable in ["boot_counter", "boot_indeterminate"] {
            text += "    if [ \"$1\" = \(variable) ]; then\n"
            for (index, step) in steps.enumerated() {
                text += "        \(index == 0 ? "if" : "elif") [ \"$\(variable)\" = \(step.from) ]; then"
                text += " set \(variable)=\(step.to)\n"
            }
            text += "        fi\n    fi\n"
        }
        return text + "}\n"
    }

    private static func setsRelativePaths(_ lines: [[UInt8]]) -> Bool {
        lines.contains { line in
            BootLines.command(line) == "set" && line.firstRange(of: Array("btrfs_relative_path=".utf8)) != nil
        }
    }

    /// Names like (hd1,gpt2), where nothing looks for the file system itself.
    private static func warnOfDiskNumbers(_ lines: [[UInt8]], in file: GuestPath, _ draft: inout Draft) {
        guard !lines.contains(where: { BootLines.command($0).hasPrefix("search") }) else { return }
        for line in lines where BootLines.command(line) == "set" {
            let text = String(decoding: line.prefix(200), as: UTF8.self)
            guard let name = text.firstRange(of: "root="), let disk = text[name.upperBound...].firstRange(of: "hd"),
                let number = text[disk.upperBound...].first, number.isNumber, number != "0"
            else { continue }
            draft.warn(
                "'\(file)' finds its files by the BIOS's number of a disk (hd\(number));"
                    + " it starts as long as the disks keep their order")
            return
        }
    }
}
