internal import Guest

/// The menu that a GRUB of ours shows: the guest's own grub.cfg, or one made from whatever else the guest is started by.
struct GrubMenu {
    /// The folder with grub.cfg, which is GRUB's prefix: its modules go there as well.
    var prefix: GuestPath

    /// - Returns: nil after a blocker.
    static func plan(in draft: inout Draft, guest: Inspection) throws -> GrubMenu? {
        switch guest.bootLoader {
        case .grub2(let configuration, let prefix):
            let text = try draft.text(configuration) ?? ""
            let commands = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).first ?? "" }
            guard !commands.contains("blscfg") else {
                draft.block(
                    "'\(configuration)' takes its menu from Boot Loader Specification entries (blscfg),"
                        + " which this host's GRUB can't read",
                    hint: "use --firmware keep, or run 'grub2-mkconfig' in the source with GRUB_ENABLE_BLSCFG=false")
                return nil
            }
            return GrubMenu(prefix: prefix)
        case .loaderEntries(let entries):
            let prefix: GuestPath = "/boot/grub"
            guard let text = try LoaderEntries.grubConfiguration(entries, in: draft, guest: guest) else {
                draft.block(
                    "none of the guest's \(entries.count) boot loader entries names a kernel that is there",
                    hint: "use --firmware keep")
                return nil
            }
            try draft.write(prefix.appending("grub.cfg"), text: text)
            draft.warn(
                "'\(prefix)/grub.cfg' is made from the guest's \(entries.count) boot loader entries;"
                    + " kernels that are installed later won't appear in it by themselves")
            return GrubMenu(prefix: prefix)
        case .unknown:
            draft.block(
                "no boot loader configuration that GRUB can use was found"
                    + " (no grub.cfg in /boot/grub or /boot/grub2, no boot loader entries)",
                hint: "use --firmware keep, or check that /boot is on one of the given disks")
            return nil
        }
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
            let uuid = guest.fileSystem(on: mount.device)?.uuid, let below = real.relative(to: mount.path)
        else {
            draft.block(
                "GRUB can't be told where '\(prefix)' is: its file system has no UUID",
                hint: "give it one in the source (tune2fs -U random, xfs_admin -U generate)")
            return nil
        }
        guard !guest.isEncrypted(mount.device) else {
            draft.block(
                "GRUB can't read '\(prefix)' under BIOS: it is on an encrypted volume ('\(mount.device)')",
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
        return Location(
            mount: mount, modules: modules.filter { seen.insert($0).inserted }, prefix: path,
            earlyConfiguration: "search.fs_uuid \(uuid) root\nset prefix=($root)\(Self.quoted(path))\n")
    }

    /// Single quotes hold everything in GRUB's language but a single quote.
    static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
