import Guest

/// What a guest calls its network cards where nobody says otherwise.
enum DefaultNames {
    private static let ruleFolders: [GuestPath] = ["/usr/lib/udev/rules.d", "/lib/udev/rules.d"]

    /// Whether busybox's mdev makes the devices, as on Alpine: cards are called as the kernel counts them.
    static func areByMdev(_ files: any GuestFiles) throws -> Bool {
        guard try files.existsAny(["/etc/mdev.conf", "/sbin/mdev"]) else { return false }
        return try !files.existsAny([
            "/sbin/udevd", "/usr/sbin/udevd", "/lib/systemd/systemd-udevd", "/usr/lib/systemd/systemd-udevd",
            "/lib/udev/rules.d", "/usr/lib/udev/rules.d",
        ])
    }

    /// Whether udev asks systemd's .link files for names.
    static func areByLinkFiles(_ files: any GuestFiles) throws -> Bool {
        try files.existsAny(ruleFolders.map { $0.appending("80-net-setup-link.rules") })
    }

    /// Whether the guest leaves cards the names that the kernel gives: eth0, eth1…
    static func hasKernelNames(_ files: any GuestFiles) throws -> Bool {
        if try isOnKernelCommandLine("net.ifnames=0", files) { return true }
        // Documented in systemd.link(5): an empty 99-default.link turns the policy off.
        if try files.entry(at: "/etc/systemd/network/99-default.link") != nil,
            try files.text("/etc/systemd/network/99-default.link")?.trimmed ?? "" == ""
        {
            return true
        }
        if try areByMdev(files) { return true }
        guard try ruleFolders.contains(where: { try files.isDirectory($0) }) else { return false }
        return try ["80-net-setup-link.rules", "80-net-name-slot.rules"].allSatisfy { name in
            let mask: GuestPath = "/etc/udev/rules.d/\(name)"
            if try files.entry(at: mask) != nil { return try files.text(mask)?.trimmed ?? "" == "" }
            return try !files.existsAny(ruleFolders.map { $0.appending(name) })
        }
    }

    private static func isOnKernelCommandLine(_ option: String, _ files: any GuestFiles) throws -> Bool {
        let configuration: [GuestPath] = [
            "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/grub/menu.lst", "/boot/grub/grub.conf",
            "/boot/grub2/grubenv", "/boot/extlinux/extlinux.conf",
        ]
        let entries = try files.files(in: "/boot/loader/entries", suffix: ".conf").prefix(256)
        let booted = try (configuration + entries).compactMap { try files.text($0) }
        let settings =
            try ["/etc/default/grub", "/etc/kernel/cmdline"] + files.files(in: "/etc/default/grub.d", suffix: ".cfg")
        let texts = try booted.isEmpty ? settings.compactMap { try files.text($0) } : booted
        return texts.contains { text in
            TextLines(text).lines.contains { line in
                guard let line, !line.trimmed.hasPrefix("#") else { return false }
                return line.split { " \t\"'".contains($0) }.contains { $0.hasSuffix(option) }
            }
        }
    }
}
