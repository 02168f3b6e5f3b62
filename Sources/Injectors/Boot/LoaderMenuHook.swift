internal import Guest

/// The same menu as ``LoaderEntries`` makes, made by the guest: when kernel-install adds or removes a kernel, and, under
/// systemd, whenever the entries change otherwise (grubby). Both write the same bytes.
enum LoaderMenuHook {
    /// After every plugin that writes or removes entries (20-grub, 90-loaderentry).
    static let plugin: GuestPath = "/etc/kernel/install.d/95-rehost-menu.install"
    private static let units: GuestPath = "/etc/systemd/system"
    /// awk is what the plugin is written in: it is where a shell is.
    private static let interpreters: [GuestPath] = ["/usr/bin/awk", "/bin/awk", "/usr/bin/gawk", "/usr/bin/mawk"]

    /// Plans the menu and what keeps it in step.
    /// - Returns: the menu; nil after a blocker.
    static func plan(
        _ folder: GuestPath, style: LoaderEntries.Style, menu: GuestPath, in draft: inout Draft, guest: Inspection
    ) throws -> GuestPath? {
        let count = try draft.files(in: folder, suffix: ".conf").count
        guard let entries = try LoaderEntries(folder, style: style, in: draft, guest: guest),
            let text = try entries.menu(draft)
        else {
            draft.block(
                count == 0
                    ? "the guest's menu is made of boot loader entries, and none is in '\(folder)'"
                    : "none of the \(count) boot loader entries in '\(folder)' names a kernel that is there",
                hint: "use --firmware keep, or check that /boot is on one of the given disks")
            return nil
        }
        if count > LoaderEntries.limit {
            draft.warn("'\(folder)' has \(count) entries; the menu shows \(LoaderEntries.limit) of them")
        }
        try draft.write(menu, text)
        guard try interpreters.contains(where: { try draft.exists($0) }) else {
            draft.warn(
                "'\(menu)' is made from the entries in '\(folder)'; there is no awk in the guest to make it anew,"
                    + " so kernels that are installed later won't appear in it")
            return menu
        }
        try draft.write(plugin, text: script(entries, menu: menu), permissions: 0o755)
        if try InitSystem(of: draft) == .systemd { try watch(folder, in: &draft) }
        draft.note(
            "'\(menu)' is made from the entries in '\(folder)', and made anew by '\(plugin)' when a kernel comes or goes"
        )
        return menu
    }

    private static func watch(_ folder: GuestPath, in draft: inout Draft) throws {
        try draft.write(
            units.appending("rehost-menu.path"),
            text: """
                # Laid by rehost: GRUB's menu follows the boot loader entries.
                [Unit]
                Description=Watch the boot loader entries
                RequiresMountsFor=\(folder)

                [Path]
                PathChanged=\(folder)

                [Install]
                WantedBy=multi-user.target

                """)
        try draft.write(
            units.appending("rehost-menu.service"),
            text: """
                # Laid by rehost: started by rehost-menu.path.
                [Unit]
                Description=Make GRUB's menu from the boot loader entries

                [Service]
                Type=oneshot
                ExecStart=/bin/sh \(plugin)

                """)
        try draft.symlink(
            units.appending("multi-user.target.wants/rehost-menu.path"), to: "\(units)/rehost-menu.path")
    }

    static func script(_ entries: LoaderEntries, menu: GuestPath) -> String {
        """
        #!/bin/sh
        # Laid by rehost: makes GRUB's menu from the boot loader entries, for a GRUB that can't read them itself.
        # kernel-install calls it with "add" or "remove" and more; it can be called by hand, too.
        entries=\(GrubScript.quoted(entries.folder.description))
        mount=\(GrubScript.quoted(entries.mount.path.description))
        subvolume=\(GrubScript.quoted(entries.mount.subvolume ?? ""))
        uuid=\(GrubScript.quoted(entries.uuid))
        style=\(GrubScript.quoted(entries.style.rawValue))
        menu=\(GrubScript.quoted(menu.description))

        """ + program
    }
}
