extension LinuxFamily {
    public static let all: [LinuxFamily] = [debian, ubuntu, rhel, fedora, amazon, suse, arch, alpine]

    static let debian = LinuxFamily(
        name: "debian", ids: ["debian", "raspbian", "kali"], kernelPackage: "Debian: linux-image-amd64",
        systems: [
            System(name: "Debian", versions: "13", evidence: .boot("UEFI, ext4, two disks")),
            System(
                name: "Debian", versions: "12",
                evidence: .boot(
                    "UEFI, BIOS; ext4, XFS, btrfs, snapper, LVM, md, LUKS; GRUB, BLS, systemd-boot, extlinux; dracut; "
                        + "ifupdown, netplan, networkd, NetworkManager, a bond")),
            System(name: "Debian", versions: "11", evidence: .boot("UEFI, ext4, device names")),
            System(name: "Debian", versions: "9, 10", evidence: .expected),
            System(name: "Debian", versions: "8", evidence: .fixture(["debian-8"])),
            System(name: "Debian", versions: "7", evidence: .fixture(["debian-7-vmware-tarball-tools"])),
        ])

    static let ubuntu = LinuxFamily(
        name: "ubuntu", ids: ["ubuntu"], kernelPackage: "Ubuntu: linux-image-generic",
        systems: [
            System(name: "Ubuntu", versions: "24.04", evidence: .fixture(["ubuntu-24.04-netplan-lvm"])),
            System(name: "Ubuntu", versions: "22.04", evidence: .fixture(["ubuntu-22.04-luks-lvm"])),
            System(name: "Ubuntu", versions: "20.04", evidence: .fixture(["ubuntu-20.04"])),
            System(name: "Ubuntu", versions: "14.04", evidence: .fixture(["ubuntu-14.04"])),
            System(name: "Ubuntu", versions: "16.04, 18.04", evidence: .expected),
        ])

    static let rhel = LinuxFamily(
        name: "rhel",
        ids: ["rhel", "centos", "rocky", "almalinux", "ol", "scientific", "cloudlinux", "eurolinux", "virtuozzo"],
        kernelPackage: "RHEL: kernel",
        systems: [
            System(name: "RHEL", versions: "9", evidence: .fixture(["rhel-9-bls-uefi", "rhel-9-lvm-devicesfile"])),
            System(name: "RHEL", versions: "8", evidence: .fixture(["rhel-8-bls-kernelopts-uefi"])),
            System(name: "Alma", versions: "9", evidence: .fixture(["alma-9-keep-two-cards"])),
            System(name: "Rocky", versions: "9", evidence: .fixture(["rocky-9-networkmanager"])),
            System(name: "Rocky", versions: "8", evidence: .fixture(["rocky-8", "rocky-8-ifcfg-networkmanager"])),
            System(
                name: "RHEL", versions: "7",
                evidence: .fixture(["rhel-7", "rhel-7-linuxefi-uefi", "rhel-7-ifcfg-bond-vlan"])),
            System(
                name: "CentOS", versions: "7", evidence: .fixture(["centos-7-hyperv", "centos-7-bios-gpt-to-uefi"])),
            System(name: "CentOS", versions: "6", evidence: .fixture(["centos-6", "centos-6-grub-legacy"])),
            System(name: "CentOS", versions: "5.3–5.11", evidence: .fixture(["centos-5"])),
            System(name: "Oracle Linux, two kernels", versions: "9", evidence: .fixture(["oracle-9-uek"])),
            System(name: "RHEL, CentOS, Rocky, Alma, Oracle Linux", versions: "6–10 else", evidence: .expected),
        ])

    static let fedora = LinuxFamily(
        name: "fedora", ids: ["fedora"], kernelPackage: "Fedora: kernel-core",
        systems: [
            System(name: "Fedora", versions: "41", evidence: .fixture(["fedora-41"])),
            System(name: "Fedora", versions: "40", evidence: .fixture(["fedora-40-bls-btrfs-uefi"])),
            System(name: "Fedora", versions: "others", evidence: .expected),
        ])

    static let amazon = LinuxFamily(
        name: "amazon", ids: ["amzn"], kernelPackage: "Amazon Linux: kernel",
        systems: [
            System(name: "Amazon Linux", versions: "2023", evidence: .fixture(["amazon-2023"])),
            System(name: "Amazon Linux", versions: "2", evidence: .fixture(["amazon-2"])),
        ])

    static let suse = LinuxFamily(
        name: "suse", ids: ["sles", "sled", "sles_sap", "suse", "opensuse", "sle_hpc"],
        kernelPackage: "SUSE: kernel-default",
        systems: [
            System(name: "SLES", versions: "15", evidence: .fixture(["sles-15-btrfs-snapper", "sles-15-ifcfg-dhcp6"])),
            System(name: "SLES", versions: "12", evidence: .fixture(["sles-12", "sles-12-ifcfg-bond-bridge"])),
            System(name: "SLES", versions: "11", evidence: .fixture(["sles-11"])),
            System(
                name: "openSUSE Leap", versions: "15",
                evidence: .fixture(["opensuse-leap-15", "opensuse-leap-15-wicked-xml"])),
            System(name: "openSUSE Tumbleweed", versions: "2024", evidence: .fixture(["tumbleweed"])),
        ])

    static let arch = LinuxFamily(
        name: "arch", ids: ["arch", "archarm", "manjaro", "endeavouros"], kernelPackage: "Arch: linux",
        systems: [System(name: "Arch", versions: "2024", evidence: .fixture(["arch", "arch-systemd-boot-uefi"]))])

    static let alpine = LinuxFamily(
        name: "alpine", ids: ["alpine"], kernelPackage: "Alpine: linux-lts",
        systems: [
            System(name: "Alpine", versions: "3.20", evidence: .fixture(["alpine-3", "alpine-3-openrc-interfaces"])),
            System(name: "Alpine", versions: "3.x else", evidence: .expected),
        ])
}
