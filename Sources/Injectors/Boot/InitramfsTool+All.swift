internal import Guest

extension InitramfsTool {
    /// Debian, Ubuntu.
    static let initramfsTools = InitramfsTool(
        name: "initramfs-tools", programs: ["/usr/sbin/mkinitramfs"],
        signs: ["scripts/functions", "conf/initramfs.conf", "conf/arch.conf"],
        rebuild: { ["/usr/sbin/update-initramfs", "-u", "-k", $0.kernel.version] },
        dropIns: [DropIn(path: "/etc/initramfs-tools/modules", style: .lines)],
        copies: [("/etc/initramfs-tools/conf.d", "conf/conf.d"), ("/etc/lvm", "etc/lvm"), ("/etc/mdadm", "etc/mdadm")])

    /// RHEL since 6, Fedora, SUSE since 12, Amazon Linux, and whoever installs it.
    static let dracut = InitramfsTool(
        name: "dracut", programs: ["/usr/bin/dracut", "/usr/sbin/dracut", "/sbin/dracut"],
        signs: ["usr/lib/dracut/", "lib/dracut/", "dracut-lib.sh", "dracut-state.sh"],
        rebuild: {
            [
                "\($0.program)", "--force", "--add-drivers", $0.modules.joined(separator: " "), "\($0.initramfs)",
                $0.kernel.version,
            ]
        },
        dropIns: [
            DropIn(
                path: "/etc/dracut.conf.d/rehost-virtio.conf", style: .text(dracutDrivers), mention: "dracut.conf.d"),
            // Early ones read this file alone.
            DropIn(path: "/etc/dracut.conf", style: .text(dracutDrivers)),
        ],
        copies: [
            ("/etc/lvm", "etc/lvm"), ("/etc/fstab", "etc/fstab.sys"), ("/etc/mdadm.conf", "etc/mdadm.conf"),
        ])

    private static let dracutDrivers: @Sendable ([String]) -> String = { modules in
        "# Written by rehost: this machine's disks are virtio devices.\n"
            + "add_drivers+=\" \(modules.joined(separator: " ")) \"\n"
    }

    /// Arch.
    static let mkinitcpio = InitramfsTool(
        name: "mkinitcpio", programs: ["/usr/bin/mkinitcpio", "/sbin/mkinitcpio"],
        signs: ["buildconfig", "init_functions"],
        // What autodetect would find is the machine that the rebuild runs in.
        rebuild: {
            ["\($0.program)", "-S", "autodetect", "-k", $0.kernel.version, "-g", "\($0.initramfs)"]
        },
        // Its folder of drop-ins came with version 37; every version reads this file.
        dropIns: [DropIn(path: "/etc/mkinitcpio.conf", style: .words(variable: "MODULES", .parentheses))],
        copies: [("/etc/lvm", "etc/lvm"), ("/etc/mdadm.conf", "etc/mdadm.conf")])

    /// Alpine.
    static let mkinitfs = InitramfsTool(
        name: "mkinitfs", programs: ["/sbin/mkinitfs", "/usr/sbin/mkinitfs"], signs: ["nlplug-findfs"],
        rebuild: { ["\($0.program)", "-o", "\($0.initramfs)", $0.kernel.version] },
        dropIns: [
            DropIn(
                path: "/etc/mkinitfs/features.d/rehost-virtio.modules",
                style: .feature(named: "rehost-virtio", configuration: "/etc/mkinitfs/mkinitfs.conf"))
        ])

    /// SLES and openSUSE before 12; later ones have a wrapper of this name around dracut.
    static let suseMkinitrd = InitramfsTool(
        name: "mkinitrd", programs: ["/sbin/mkinitrd"], companion: "/lib/mkinitrd/scripts",
        signs: ["run_all.sh", "config/start.sh"],
        rebuild: {
            [
                // Images are named relative to the folder; -B leaves the boot loader alone.
                "\($0.program)", "-B", "-b", "\($0.initramfs.parent)", "-k", $0.kernel.image.name, "-i",
                $0.initramfs.name, "-m", $0.modules.joined(separator: " "),
            ]
        },
        dropIns: [DropIn(path: "/etc/sysconfig/kernel", style: .words(variable: "INITRD_MODULES", .quotes))])

    /// RHEL and Fedora before dracut; its init is nash, which loads a list.
    static let redHatMkinitrd = InitramfsTool(
        name: "mkinitrd", programs: ["/sbin/mkinitrd"], companion: "/sbin/nash", signs: ["bin/nash"],
        rebuild: {
            ["\($0.program)", "-f"] + $0.modules.map { "--with=\($0)" } + ["\($0.initramfs)", $0.kernel.version]
        },
        dropIns: [DropIn(path: "/etc/modprobe.conf", style: .hostAdapters)])
}
