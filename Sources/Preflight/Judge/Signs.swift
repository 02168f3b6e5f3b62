internal import Foundation

/// What firmware, boot loaders, kernels and systems are known to say.
///
/// The words are those of the programs themselves: SeaBIOS 1.16, EDK2, GRUB 2.06, SYSLINUX 6, Linux 3 to 6, initramfs-tools
/// 0.142, dracut 059, mkinitcpio 34, systemd 215 to 255, OpenRC, Windows' boot manager.
enum Signs {
    /// Text that shows how far a boot is. The first that fits a line counts.
    private static let levels: [(String, Level)] = [
        ("SeaBIOS (version", .firmware), ("iPXE (http", .firmware), ("BdsDxe: loading Boot", .firmware),
        ("UEFI firmware (version", .firmware), ("Booting from Hard Disk", .firmware),

        ("BdsDxe: starting Boot", .bootLoader), ("GRUB loading", .bootLoader), ("Welcome to GRUB!", .bootLoader),
        ("GNU GRUB", .bootLoader), ("grub rescue>", .bootLoader), ("SYSLINUX ", .bootLoader),
        ("EXTLINUX ", .bootLoader), ("Windows Boot Manager", .bootLoader), ("systemd-boot ", .bootLoader),
        ("Booting `", .bootLoader), ("Loading Linux ", .bootLoader), ("Loading initial ramdisk", .bootLoader),

        ("Linux version ", .kernel), ("Decompressing Linux", .kernel), ("Booting the kernel", .kernel),
        ("EFI stub: ", .kernel), ("Run /init as init process", .kernel), ("Loading, please wait...", .kernel),
        ("Starting systemd-udevd version", .kernel), ("Begin: ", .kernel), ("dracut: dracut-", .kernel),
        ("dracut-initqueue", .kernel), (":: running early hook", .kernel), ("Kernel panic", .kernel),
        ("[    0.", .kernel), ("Kernel command line:", .kernel), ("reboot: ", .kernel),
        // e2fsck, run by the initramfs on the root: all that a quiet boot says.
        (": clean, ", .kernel),

        ("Switching root", .rootMounted), ("Switched to new root", .rootMounted),
        ("VFS: Mounted root", .rootMounted), ("Begin: Running /scripts/init-bottom", .rootMounted),
        ("dracut: Switching root", .rootMounted),

        ("INIT: version", .userSpace), ("OpenRC ", .userSpace), ("INIT: Entering runlevel", .userSpace),
        ("Set hostname to <", .userSpace), ("Reached target Multi-User", .userSpace),
        ("Reached target multi-user.target", .userSpace), ("Reached target graphical.target", .userSpace),
        ("Reached target Graphical", .userSpace), ("Reached target Local File Systems", .userSpace),
        ("Reached target local-fs.target", .userSpace), ("Mounted /", .userSpace),
        ("Remount Root and Kernel File Systems", .userSpace), ("Started Getty on", .userSpace),
    ]

    private static let welcome = "Welcome to "
    private static let early = ["initramfs", "Initramfs", "initrd", "dracut", "GRUB"]

    /// The system's own greeting; half a one may be anybody's. dracut with systemd greets by the system's name, too:
    /// "… dracut-057 (Initramfs)!"
    static func isWelcome(_ line: String) -> Bool {
        guard line.hasPrefix(welcome) || line.contains("] " + welcome), !early.contains(where: { line.contains($0) })
        else { return false }
        return !line.hasSuffix(welcome)
    }

    /// Whether systemd speaks inside an initramfs, where it has targets and mounts as the system has.
    static func isOfInitramfs(_ line: String) -> Bool {
        line.contains("/sysroot") || line.contains("(Initramfs)") || line.contains(welcome) && line.contains("dracut")
            || line.contains("running in initrd") || line.contains("initrd-root")
    }

    /// - Parameter isComplete: whether the line has its end.
    static func level(of line: String, isComplete: Bool) -> Level? {
        if isComplete, isWelcome(line) { return .userSpace }
        if line.contains("/sysroot") { return .kernel }
        // The UEFI's own last resorts.
        if line.contains("EFI Internal Shell") || line.contains("UiApp") { return .firmware }
        return levels.first { line.contains($0.0) }?.1
    }

    /// Whether a line asks for a user's name. The kernel may have spoken into it.
    static func isLoginPrompt(_ line: String) -> Bool {
        let own = line.range(of: "[").map { line[..<$0.lowerBound] } ?? line[...]
        let trimmed = own.hasSuffix(" ") ? own.dropLast() : own
        guard trimmed.hasSuffix(" login:") else { return false }
        let host = trimmed.dropLast(" login:".count)
        // "Last login:" greets somebody who is in already.
        return !host.isEmpty && host != "Last" && host.count <= 64
            && host.unicodeScalars.allSatisfy {
                $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-._()".unicodeScalars.contains($0)
            }
    }

    /// Whether the boot loader says that it leaves its menu and starts a kernel. Under `quiet` the kernel then says
    /// nothing for a long time.
    static func isHandover(_ line: String) -> Bool {
        ["Loading initial ramdisk", "Loading Linux ", "Booting `", "EFI stub: ", "Loading initrd"].contains {
            line.contains($0)
        }
    }

    /// Lines that explain a failure further down.
    static let causes = [
        "Timed out waiting for device", "Dependency failed for", "Failed to mount", "[FAILED]", "ALERT!",
        "does not exist", "Gave up waiting for root", "UNEXPECTED INCONSISTENCY", "fsck failed", "error: ",
        "No init found", "can't find", "Unable to mount root", "Cannot open root device", "VFS: ", "mount: ",
        "unknown filesystem", "No working init", "EXT4-fs error", "XFS (", "Superblock", "Corruption", "rdsosreport",
        "Initramfs unpacking failed", "invalid magic", "Boot failed", "Failed to start", "not found",
    ]

    /// The failure that a line shows.
    /// - Parameter isPrompt: whether it is the last line, without an end.
    static func failure(in line: String, isPrompt: Bool, level: Level?) -> Failure? {
        firmwareFailure(line) ?? bootLoaderFailure(line, isPrompt) ?? kernelFailure(line)
            ?? shellFailure(line, isPrompt, level)
    }

    // MARK: - By stage

    private static func firmwareFailure(_ line: String) -> Failure? {
        let needles = [
            "No bootable device", "BdsDxe: No bootable option", "UEFI Interactive Shell", "Shell> ",
            "No Boot Device", "failed to find a bootable device", "Press any key to enter the Boot Manager Menu",
        ]
        guard needles.contains(where: { line.contains($0) }) else { return nil }
        return Failure(
            .noBootDevice, "the firmware found nothing to start on the disks", remedy: Remedies.noBootDevice)
    }

    private static func bootLoaderFailure(_ line: String, _ isPrompt: Bool) -> Failure? {
        if line.contains("grub rescue>") {
            return Failure(
                .bootLoaderRescuePrompt, "GRUB does not find its own files and waits at 'grub rescue>'",
                remedy: Remedies.grubRescue)
        }
        if isPrompt, line.hasSuffix("grub>") || line.hasSuffix("grub> ") {
            return Failure(
                .bootLoaderRescuePrompt, "GRUB has no configuration to follow and waits at 'grub>'",
                remedy: Remedies.grubPrompt, settle: 4, isFinal: false)
        }
        let dead = [
            "GRUB Hard Disk Error", "GRUB Geom Error", "GRUB Read Error", "Hard Disk Error", "Missing operating system",
            "Operating system not found", "Error loading operating system", "Invalid partition table",
            "BOOTMGR is missing", "BOOTMGR is compressed", "NTLDR is missing", "Missing Boot Manager",
            "A disk read error occurred", "Non-System disk", "This is not a bootable disk", "No operating system",
            "Could not find kernel image", "No DEFAULT or UI configuration directive", "Failed to load ldlinux",
            "Boot error", "Error preparing initrd", "Failed to boot both default and fallback entries",
            "Failed to load initrd", "Error opening root path",
        ]
        if let found = dead.first(where: { line.contains($0) }) {
            return Failure(
                .bootLoaderError, "the boot loader stopped with '\(found)'", remedy: Remedies.bootLoader, settle: 5,
                isFinal: false)
        }
        // GRUB prints harmless errors, too, and goes on.
        if line.hasPrefix("error: "), !line.contains("no suitable video mode"), !line.contains("unicode.pf2") {
            return Failure(
                .bootLoaderError, "GRUB stopped with '\(line.prefix(120))'", remedy: Remedies.bootLoader, settle: 25,
                isFinal: false)
        }
        return nil
    }

    private static func kernelFailure(_ line: String) -> Failure? {
        guard let start = line.range(of: "Kernel panic - not syncing") else { return nil }
        let words = line[start.upperBound...].drop { $0 == ":" || $0 == " " }
        if words.contains("Unable to mount root fs") {
            return Failure(
                .kernelPanic, "kernel panic: the root file system was not found (\(words.prefix(120)))",
                remedy: Remedies.panicRoot)
        }
        if words.contains("No working init found") || words.contains("Attempted to kill init")
            || words.contains("Requested init")
        {
            return Failure(
                .kernelPanic, "kernel panic: the first program could not run (\(words.prefix(120)))",
                remedy: Remedies.panicInit)
        }
        return Failure(.kernelPanic, "kernel panic: \(words.prefix(160))", remedy: Remedies.panic)
    }

    private static func shellFailure(_ line: String, _ isPrompt: Bool, _ level: Level?) -> Failure? {
        let initramfs = [
            "Dropping to a shell!", "rdsosreport.txt", "Entering emergency mode. Exit the shell to continue",
            "You are now being dropped into an emergency shell", "initramfs emergency recovery shell launched",
            "Dropping to debug shell", "Mounting root failed",
        ]
        if line.hasPrefix("(initramfs)") || initramfs.contains(where: { line.contains($0) })
            || isPrompt && (line.hasPrefix("dracut:/#") || line.hasPrefix("[rootfs "))
        {
            return Failure(
                .initramfsShell, "the initramfs did not find the root file system and gave up",
                remedy: Remedies.initramfs, settle: 4)
        }
        if line.contains("You are in rescue mode") {
            return Failure(
                .emergencyShell, "the system came up in rescue mode", remedy: Remedies.rescue, settle: 4)
        }
        if isPrompt || line.hasSuffix(":") || line.hasSuffix("…"),
            ["enter passphrase for", "unlock disk", "Enter passphrase for", "Passphrase for", "enter your passphrase"]
                .contains(where: { line.contains($0) })
        {
            return Failure(
                .hang, "it waits for the passphrase of an encrypted disk", remedy: Remedies.passphrase, settle: 15,
                isFinal: false)
        }
        let emergency = [
            "You are in emergency mode", "Give root password for maintenance", "Press Enter for maintenance",
            "Press enter for maintenance", "Cannot open access to console, the root account is locked",
            "Give root password to login", "An error occurred during the file system check",
        ]
        if emergency.contains(where: { line.contains($0) }) {
            return Failure(
                .emergencyShell, "the system stopped in emergency mode", remedy: Remedies.emergency, settle: 4)
        }
        return nil
    }
}
