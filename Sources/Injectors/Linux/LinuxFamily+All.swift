extension LinuxFamily {
    public static let all: [LinuxFamily] = [debian, ubuntu, rhel, fedora, amazon, suse, arch, alpine]

    static let debian = LinuxFamily(
        name: "debian", ids: ["debian", "raspbian", "kali"], kernelPackage: "Debian: linux-image-amd64",
        systems: [
            System(
                name: "Debian", versions: "12",
                evidence: .boot("UEFI and BIOS; ext4, XFS, btrfs, LVM; ifupdown, netplan, networkd, NetworkManager")),
            System(name: "Debian", versions: "11, 13", evidence: .boot("UEFI, ext4, ifupdown")),
            System(name: "Debian", versions: "8–10", evidence: .fixture(["debian-8"])),
            System(name: "Debian", versions: "7", evidence: .fixture(["debian-7-vmware-tarball-tools"])),
        ])

    static let ubuntu = LinuxFamily(
        name: "ubuntu", ids: ["ubuntu"], kernelPackage: "Ubuntu: linux-image-generic",
        systems: [
            System(name: "Ubuntu", versions: "22.04, 24.04", evidence: .fixture(["ubuntu-24.04-netplan-lvm"])),
            System(name: "Ubuntu", versions: "18.04, 20.04", evidence: .fixture(["ubuntu-20.04"])),
            System(name: "Ubuntu", versions: "14.04, 16.04", evidence: .fixture(["ubuntu-14.04"])),
        ])

    static let rhel = LinuxFamily(
        name: "rhel",
        ids: ["rhel", "centos", "rocky", "almalinux", "ol", "scientific", "cloudlinux", "eurolinux", "virtuozzo"],
        kernelPackage: "RHEL: kernel",
        systems: [
            System(
                name: "RHEL, CentOS Stream, Rocky, Alma", versions: "8–10",
                evidence: .fixture(["rocky-9-networkmanager", "rocky-8"])),
            System(name: "RHEL, CentOS", versions: "7", evidence: .fixture(["rhel-7"])),
            System(name: "RHEL, CentOS", versions: "6", evidence: .fixture(["centos-6"])),
            System(name: "RHEL, CentOS", versions: "5.3–5.11", evidence: .fixture(["centos-5"])),
            System(name: "Oracle Linux", versions: "7–10", evidence: .fixture(["oracle-9-uek"])),
        ])

    static let fedora = LinuxFamily(
        name: "fedora", ids: ["fedora"], kernelPackage: "Fedora: kernel-core",
        systems: [System(name: "Fedora", versions: "current", evidence: .fixture(["fedora-41"]))])

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
            System(name: "SLES", versions: "12–15", evidence: .fixture(["sles-12"])),
            System(name: "SLES", versions: "11", evidence: .fixture(["sles-11"])),
            System(name: "openSUSE Leap", versions: "15", evidence: .fixture(["opensuse-leap-15"])),
            System(name: "openSUSE Tumbleweed", versions: "current", evidence: .fixture(["tumbleweed"])),
        ])

    static let arch = LinuxFamily(
        name: "arch", ids: ["arch", "archarm", "manjaro", "endeavouros"], kernelPackage: "Arch: linux",
        systems: [System(name: "Arch", versions: "rolling", evidence: .fixture(["arch"]))])

    static let alpine = LinuxFamily(
        name: "alpine", ids: ["alpine"], kernelPackage: "Alpine: linux-lts",
        systems: [System(name: "Alpine", versions: "3.x", evidence: .fixture(["alpine-3"]))])
}
