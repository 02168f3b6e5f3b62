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
        if machine.caseSensitivity == .insensitive { return try inspectWindows(machine, opened) }
        try prefetch(machine)
        let release = try OSReleaseFile.read(machine)
        let firmware = firmware(opened)
        let loader = try BootLoaders.find(machine, firmware: firmware)
        let kernels = try InstalledKernels.find(in: machine)
        return Inspection(
            osRelease: release, architecture: try architecture(machine),
            hostName: try? machine.text("/etc/hostname")?.split(whereSeparator: \.isNewline).first.map(String.init),
            firmware: firmware, disks: opened.disks, fileSystems: opened.fileSystems, mounts: opened.mounts,
            kernels: try BootKernels.merged(kernels, loadedBy: loader, machine, mounts: opened.mounts),
            bootLoader: loader, networkFormats: try DHCPNetwork.formatsInUse(machine),
            network: try DHCPNetwork.interfaces(machine), tools: try HypervisorTool.installed(machine),
            family: LinuxFamily.of(release).name)
    }

    private static func inspectWindows(_ machine: any GuestMachine, _ opened: OpenedGuest) throws -> Inspection {
        let found = try WindowsInspection(machine)
        let version = found.installation.version
        var inspection = Inspection(
            osRelease: OSRelease(
                id: "windows", version: "\(version.major).\(version.minor).\(version.build)", prettyName: version.name),
            architecture: version.architecture.kernelName, hostName: found.hostName,
            firmware: firmwareOfWindows(opened),
            disks: opened.disks, fileSystems: opened.fileSystems, mounts: opened.mounts, kernels: [],
            bootLoader: .unknown, networkFormats: ["windows"],
            network: try WindowsNetwork.interfaces(found.installation, machine),
            tools: try WindowsTools.installed(found.installation, machine), family: "windows")
        inspection.windows = found.installation
        return inspection
    }

    /// Two archives hold nearly everything that inspection and planning read.
    private static func prefetch(_ machine: any GuestMachine) throws {
        try machine.prefetch("/etc", excluding: skippedInEtc)
        let boot = try machine.resolve("/boot")
        let large = try machine.list(boot).filter { name in
            try (machine.entry(at: boot.appending(name))?.size ?? 0) > 1 << 20
        }
        let images = try kernelInstallImages(below: boot, machine)
        let folders = ["efi", "EFI", "lost+found", "grub/x86_64-efi", "grub/fonts", "grub/locale", "grub2/fonts"]
        try machine.prefetch(boot, excluding: large + images + folders)
    }

    /// What systemd's kernel-install keeps in "<machine id>/<version>" is as large as everything else together.
    private static func kernelInstallImages(below boot: GuestPath, _ files: any GuestFiles) throws -> [String] {
        var images: [String] = []
        for id in try files.list(boot) where id.utf8.count == 32 && id.allSatisfy(\.isHexDigit) {
            for version in try files.list(boot.appending(id)).prefix(16) {
                let folder = boot.appending("\(id)/\(version)")
                images += try files.list(folder).filter {
                    try (files.entry(at: folder.appending($0))?.size ?? 0) > 1 << 20
                }
                .map { "\(id)/\(version)/\($0)" }
            }
        }
        return images
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

    /// By the disk that Windows is on: it writes boot code onto data disks, too, that loads nothing.
    private static func firmwareOfWindows(_ opened: OpenedGuest) -> Firmware {
        let device = opened.mounts.first { $0.path.isRoot }?.device ?? ""
        guard let name = FileSystem(device: device, type: "").partition?.disk,
            let disk = opened.disks.first(where: { $0.device == name })
        else { return firmware(opened) }
        var own = opened
        own.disks = [disk]
        // An EFI system partition, or a boot loader, on another disk.
        return firmware(own) == .none ? firmware(opened) : firmware(own)
    }

    private static func firmware(_ opened: OpenedGuest) -> Firmware {
        let hasESP = opened.disks.contains { $0.hasEFISystemPartition }
        let hasCode = opened.disks.contains { $0.hasBootCode }
        return hasESP ? (hasCode ? .both : .uefi) : (hasCode ? .bios : .none)
    }
}
