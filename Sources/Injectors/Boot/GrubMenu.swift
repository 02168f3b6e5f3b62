internal import Guest

/// The menu that a GRUB of ours shows: the guest's own grub.cfg, or one made from whatever else the guest is started by.
struct GrubMenu {
    /// The folder with the menu, which is GRUB's prefix: its modules go there as well.
    var prefix: GuestPath
    /// The file in the prefix that GRUB starts with.
    var file = "grub.cfg"

    /// A file of ours beside the guest's grub.cfg, which its own tools write anew and which therefore stays as it is.
    static let wrapper = "rehost.cfg"
    /// Entries that the guest's own GRUB makes up from other files.
    static let entries = "rehost-menu.cfg"

    /// - Returns: nil after a blocker.
    static func plan(in draft: inout Draft, guest: Inspection) throws -> GrubMenu? {
        switch guest.bootLoader {
        case .grub2(let configuration, let prefix):
            return try GrubWrapper.plan(around: configuration, prefix: prefix, in: &draft, guest: guest)
        case .loaderEntries(let paths):
            let prefix = try home(draft)
            guard let folder = paths.first?.parent,
                let menu = try LoaderMenuHook.plan(
                    folder, style: .systemd, menu: prefix.appending(wrapper), in: &draft, guest: guest)
            else { return nil }
            return GrubMenu(prefix: prefix, file: menu.name)
        case .grubLegacy(let configuration), .syslinux(let configuration):
            return try plan(from: configuration, in: &draft, guest: guest)
        case .unifiedKernels(let paths):
            let kernel = paths.first?.description ?? "its EFI system partition"
            draft.block(
                "the guest starts from unified kernel images ('\(kernel)'), which only UEFI firmware can start;"
                    + " what they hold can't be kept in step with later kernels outside of them",
                hint: "use --firmware keep, or give the source GRUB or plain loader entries first"
                    + " ('layout=bls' in /etc/kernel/install.conf, then 'kernel-install add-all')")
            return nil
        case .unknown:
            draft.block(
                "no boot loader configuration that GRUB could use was found"
                    + " (no grub.cfg, menu.lst or extlinux.conf below /boot, no boot loader entries)",
                hint: "use --firmware keep, or check that /boot is on one of the given disks")
            return nil
        }
    }

    /// Where GRUB's files go in a guest that has no GRUB 2, or has it on the EFI system partition only.
    static func home(_ files: some GuestFiles) throws -> GuestPath {
        try files.isDirectory("/boot/grub2") ? "/boot/grub2" : "/boot/grub"
    }

    /// A menu made from a GRUB legacy's or a syslinux's.
    private static func plan(
        from configuration: GuestPath, in draft: inout Draft, guest: Inspection
    ) throws -> GrubMenu? {
        let menu = try PlainMenu(of: guest.bootLoader, in: &draft)
        guard let text = try menu?.script(draft, guest: guest, from: configuration) else {
            draft.block(
                "'\(configuration)' names no kernel that is there",
                hint: "use --firmware keep, or mend it in the source")
            return nil
        }
        let prefix = try home(draft)
        try draft.write(prefix.appending(wrapper), text)
        draft.warn(
            "'\(prefix.appending(wrapper))' is made from '\(configuration)';"
                + " kernels that are installed later won't appear in it by themselves",
            hint: "install GRUB 2 in the guest once it runs")
        return GrubMenu(prefix: prefix, file: wrapper)
    }

    /// What a GRUB core image has to hold to find the menu.
    struct Location {
        /// The file system that the prefix is on.
        var mount: Mount
        /// Names of GRUB modules for the partition tables, volumes and file system on the way, without the firmware's
        /// own disk driver.
        var modules: [String]
        /// The prefix as GRUB sees it, from the top of its file system: "/boot/grub".
        var prefix: String
        /// Sets root and prefix, before anything is read from there.
        var earlyConfiguration: String
    }

    /// - Returns: nil where the file system can't be named, after a blocker.
    func location(in draft: inout Draft, guest: Inspection) throws -> Location? {
        let real = try draft.resolve(prefix)
        guard let mount = guest.mount(holding: real),
            let uuid = guest.fileSystem(on: mount.device)?.uuid, Self.isPlain(uuid),
            let below = real.relative(to: mount.path)
        else {
            draft.block(
                "GRUB can't be told where '\(prefix)' is: its file system has no UUID",
                hint: "give it one in the source (tune2fs -U random, xfs_admin -U generate)")
            return nil
        }
        guard !guest.isEncrypted(mount.device) else {
            draft.block(
                "GRUB can't read '\(prefix)': it is on an encrypted volume ('\(mount.device)')",
                hint: "use --firmware keep, or put /boot on a partition of its own in the source")
            return nil
        }
        // GRUB sees a btrfs from its top level, whatever its default subvolume is.
        let top = [mount.subvolume, below].compactMap { $0 }.filter { !$0.isEmpty && $0 != "/" }
        let path = "/" + top.joined(separator: "/")
        var modules = ["part_gpt", "part_msdos", "search_fs_uuid"]
        // GRUB's driver has its own name for two of them.
        let driver = ["ext2": "ext2", "ext3": "ext2", "ext4": "ext2", "vfat": "fat"][mount.type] ?? mount.type
        modules.append(driver)
        if mount.device.hasPrefix("/dev/md") { modules += ["diskfilter", "mdraid09", "mdraid1x"] }
        if FileSystem(device: mount.device, type: mount.type).partition == nil { modules += ["diskfilter", "lvm"] }
        if guest.fileSystems.contains(where: { $0.type == "linux_raid_member" }) {
            modules += ["mdraid09", "mdraid1x"]
        }
        var seen: Set<String> = []
        var commands = "search.fs_uuid \(uuid) root\nset prefix=($root)\(GrubScript.quoted(path))\n"
        // Without these two GRUB would go on with its prefix's grub.cfg.
        if file != "grub.cfg" { commands += "insmod normal\nnormal $prefix/\(file)\n" }
        return Location(
            mount: mount, modules: modules.filter { seen.insert($0).inserted }, prefix: path,
            earlyConfiguration: commands)
    }

    /// Whether a UUID from the disk can go into a script as it is.
    static func isPlain(_ uuid: String) -> Bool {
        (1...64).contains(uuid.utf8.count) && uuid.utf8.allSatisfy { GrubScript.isAlphanumeric($0) || $0 == 0x2D }
    }
}
