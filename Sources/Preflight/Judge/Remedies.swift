/// What to do about a failure; general ones, made more exact by what else is known.
enum Remedies {
    static let noBootDevice =
        "is it the right disk, and the right firmware? try --firmware uefi or bios; for BIOS on a "
        + "UEFI disk: rehost convert --firmware bios"
    static let noFallback =
        #"the disk has an EFI system partition, and no \EFI\BOOT\BOOTX64.EFI that starts: name the loader that the "#
        + #"source's variables named, as in --boot-entry '\EFI\debian\grubx64.efi', or put one there with "#
        + "rehost convert --firmware keep"
    static let grubRescue =
        "GRUB's prefix is not on this machine's disks: name all disks of the machine with --disk, the "
        + "boot disk first, or convert with rehost, which puts GRUB in anew"
    static let grubPrompt =
        "is grub.cfg where GRUB looks for it? run the guest's update-grub or grub2-mkconfig, or name "
        + "the missing disk with --disk"
    static let bootLoader =
        "look at the files that it names: kernel, initramfs and configuration under /boot; name all "
        + "disks of the machine with --disk"
    static let panicRoot =
        "the kernel has no driver for the disk, or no initramfs: convert with rehost, which grafts the "
        + "virtio drivers; does it boot with --disk-bus sata?"
    static let panicInit =
        "the root file system lacks /sbin/init or its libraries: is it the right root? see --root of "
        + "rehost convert"
    static let panic = "the lines above the panic say more; see the serial log in the report"
    static let initramfs =
        "drivers for the disk are missing in the initramfs, or the root's name is wrong: convert with "
        + "rehost, or try --disk-bus sata; name all disks with --disk"
    static let emergency =
        "a file system of fstab was not found, or its check failed: mend /etc/fstab (nofail, UUID=), or "
        + "name the missing disk with --disk"
    static let rescue =
        "the boot asks for it: remove systemd.unit=rescue.target or 'single' from the kernel's parameters"
    static let rebootLoop =
        "the pictures and the log before each reset say more; add panic=0 to the kernel's parameters "
        + "to keep its last words"
    static let hang = "see the last screen and lines; a console on the serial port (console=ttyS0) would tell more"
    static let unseen =
        "let a witness be laid (no --no-witness), install qemu-guest-agent, or give it a console on the "
        + "serial port: then what it does can be seen"
    static let menu = "the boot loader's menu waits for a key: give it a timeout (GRUB_TIMEOUT)"
    static let passphrase =
        "nobody is there to type it: a key in the initramfs, a TPM or a network-bound key opens it, or "
        + "test a copy that isn't encrypted"
    static let job = "mend or mask the unit that it waits for; TimeoutStartSec bounds it"
    static let powersOff = "look for what switched it off in the lines above"
    static let blueScreen =
        "INACCESSIBLE_BOOT_DEVICE means that Windows has no driver for the disk: inject viostor, or "
        + "try --disk-bus sata"
    static let recovery = "Windows could not start and offers repair: the error code on the screen names the cause"
}
