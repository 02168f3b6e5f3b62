public import Guest
internal import Injectors

/// Tells what an opened guest is, from its files.
public struct Inspector {
    /// Large parts of /etc that nothing here reads.
    private static let skippedInEtc = [
        "ssl", "ca-certificates", "alternatives", "apparmor.d", "selinux", "java", "fonts", "udev/hwdb.bin", "pki",
        "vim", "xml", "sgml", "emacs",
    ]

    /// - Throws: ``Refusal`` where the guest isn't of a kind that can be converted.
    public static func inspect(_ machine: any GuestMachine, opened: OpenedGuest) throws -> Inspection {
        try prefetch(machine)
        let firmware = firmware(opened)
        let loader = try BootLoaders.find(machine, firmware: firmware)
        let release = OSReleaseFile.parse(
            try machine.text("/etc/os-release") ?? machine.text("/usr/lib/os-release") ?? "")
        return Inspection(
            osRelease: release, architecture: try architecture(machine),
            hostName: try machine.text("/etc/hostname")?.split(whereSeparator: \.isNewline).first.map(String.init),
            firmware: firmware, disks: opened.disks, fileSystems: opened.fileSystems, mounts: opened.mounts,
            kernels: try BootKernels.merged(kernels(machine), loadedBy: loader, machine, mounts: opened.mounts),
            bootLoader: loader,
            networkFormats: try DHCPNetwork.formatsInUse(machine), tools: try VMwareTools.installed(machine))
    }

    /// Two archives hold nearly everything that inspection and planning read.
    private static func prefetch(_ machine: any GuestMachine) throws {
        try machine.prefetch("/etc", excluding: skippedInEtc)
        let boot = try machine.resolve("/boot")
        let large = try machine.list(boot).filter { name in
            try (machine.entry(at: boot.appending(name))?.size ?? 0) > 1 << 20
        }
        let folders = ["efi", "lost+found", "grub/x86_64-efi", "grub/fonts", "grub/locale", "grub2/fonts"]
        try machine.prefetch(boot, excluding: large + folders)
    }

    /// By the dynamic loader, whose name the ABI fixes.
    private static func architecture(_ files: any GuestFiles) throws -> String {
        let loaders: [(GuestPath, String)] = [
            ("/lib64/ld-linux-x86-64.so.2", "x86_64"), ("/lib/ld-musl-x86_64.so.1", "x86_64"),
            ("/lib/ld-linux-aarch64.so.1", "aarch64"), ("/lib64/ld64.so.2", "ppc64le"), ("/lib/ld64.so.1", "s390x"),
            ("/lib/ld-linux.so.2", "i686"),
        ]
        return try loaders.first { try files.exists($0.0) }?.1 ?? "unknown"
    }

    private static func firmware(_ opened: OpenedGuest) -> Firmware {
        let hasESP = opened.disks.contains { $0.hasEFISystemPartition }
        let hasCode = opened.disks.contains { $0.hasBootCode }
        return hasESP ? (hasCode ? .both : .uefi) : (hasCode ? .bios : .none)
    }

    // MARK: Kernels

    /// Every kernel with modules, and its image and initramfs by the names that distributions give them.
    private static func kernels(_ files: any GuestFiles) throws -> [Kernel] {
        let folder = try files.resolve("/lib/modules")
        let boot = try files.resolve("/boot")
        let names = Set(try files.list(boot))
        var kernels: [Kernel] = []
        for version in try files.list(folder) {
            let modules = folder.appending(version)
            guard try files.exists(modules.appending("modules.dep")) else { continue }
            let images = ["vmlinuz-\(version)", "kernel-\(version)", "bzImage-\(version)"]
            let archives = [
                "initrd.img-\(version)", "initramfs-\(version).img", "initrd-\(version)", "initrd-\(version).img",
                "initramfs-\(version)",
            ]
            // Modules that a removed kernel left behind are no kernel.
            guard let image = images.first(where: names.contains) else { continue }
            kernels.append(
                Kernel(
                    version: version, image: boot.appending(image),
                    initramfs: archives.first(where: names.contains).map { boot.appending($0) }, modules: modules))
        }
        return kernels
    }
}
