internal import Guest
internal import Injectors

/// Which boot loader starts the guest, by what is on its disks.
enum BootLoaders {
    /// Where an EFI system partition, or systemd's extended boot partition, is mounted.
    private static let bootPartitions: [GuestPath] = ["/boot", "/boot/efi", "/efi"]
    private static let legacy: [GuestPath] = ["/boot/grub/menu.lst", "/boot/grub/grub.conf", "/etc/grub.conf"]
    private static let syslinux: [GuestPath] = [
        "/boot/extlinux/extlinux.conf", "/boot/extlinux.conf", "/boot/syslinux/syslinux.cfg", "/boot/syslinux.cfg",
        "/extlinux.conf", "/boot/extlinux/syslinux.cfg",
    ]
    /// Folders of EFI/ that aren't a distribution's.
    private static let shared: Set<String> = ["boot", "systemd", "linux", "microsoft", "tools"]

    static func find(_ files: any GuestFiles, firmware: Firmware) throws -> BootLoader {
        let isUEFI = firmware == .uefi || firmware == .both
        let entries = try loaderEntries(files)
        let unified = isUEFI ? try unifiedKernels(files) : []
        if isUEFI, try startsSystemdBoot(files) {
            if !entries.isEmpty { return .loaderEntries(entries) }
            if !unified.isEmpty { return .unifiedKernels(unified) }
        }
        // Red Hat's UEFI systems up to version 8 have their grub.cfg on the EFI system partition only; what lies in
        // /boot/grub2 beside it was made by mistake. Later ones have a stub there that leads to /boot/grub2.
        let vendor = isUEFI ? try vendorGRUB(files).map { BootLoader.grub2(configuration: $0, prefix: $0.parent) } : nil
        if firmware == .uefi, let vendor { return vendor }
        for prefix in ["/boot/grub", "/boot/grub2"] as [GuestPath] {
            let configuration = prefix.appending("grub.cfg")
            if try isFilled(configuration, files) { return .grub2(configuration: configuration, prefix: prefix) }
        }
        if let vendor { return vendor }
        if let configuration = try legacy.first(where: { try isFilled($0, files) }) {
            return .grubLegacy(configuration: configuration)
        }
        if let configuration = try syslinux.first(where: { try isFilled($0, files) }) {
            return .syslinux(configuration: configuration)
        }
        if !entries.isEmpty { return .loaderEntries(entries) }
        return unified.isEmpty ? .unknown : .unifiedKernels(unified)
    }

    private static func isFilled(_ path: GuestPath, _ files: any GuestFiles) throws -> Bool {
        guard let status = try files.status(path) else { return false }
        return status.kind == .file && status.size > 0
    }

    private static func loaderEntries(_ files: any GuestFiles) throws -> [GuestPath] {
        for partition in bootPartitions {
            let entries = try files.files(in: partition.appending("loader/entries"), suffix: ".conf")
            if !entries.isEmpty { return entries }
        }
        return []
    }

    private static func unifiedKernels(_ files: any GuestFiles) throws -> [GuestPath] {
        for partition in bootPartitions {
            let folder = try child("EFI", of: partition, files).flatMap { try child("Linux", of: $0, files) }
            let images = try folder.map { try files.files(in: $0, suffix: ".efi") } ?? []
            if !images.isEmpty { return images }
        }
        return []
    }

    /// FAT doesn't tell capital letters from small ones: "EFI/BOOT" and "efi/boot" are both met.
    private static func child(_ name: String, of folder: GuestPath, _ files: any GuestFiles) throws -> GuestPath? {
        try files.list(folder).first { $0.lowercased() == name.lowercased() }.map { folder.appending($0) }
    }

    /// A grub.cfg of a distribution's folder on the EFI system partition that is a whole one, not just a stub that leads
    /// elsewhere.
    private static func vendorGRUB(_ files: any GuestFiles) throws -> GuestPath? {
        for partition in bootPartitions {
            guard let folder = try child("EFI", of: partition, files) else { continue }
            for vendor in try files.list(folder) where !shared.contains(vendor.lowercased()) {
                let path = folder.appending(vendor).appending("grub.cfg")
                guard try isFilled(path, files), let text = try files.text(path) else { continue }
                let commands = Set(
                    text.split(whereSeparator: \.isNewline).compactMap {
                        $0.split(whereSeparator: \.isWhitespace).first.map(String.init)
                    })
                if !commands.isDisjoint(with: ["menuentry", "blscfg", "submenu"]) { return path }
            }
        }
        return nil
    }

    /// Whether the removable path, which every firmware falls back to, is systemd-boot; it says so in a section of its
    /// own. A GRUB that the firmware's variables prefer can't be seen from the disk: where one is there, it counts.
    private static func startsSystemdBoot(_ files: any GuestFiles) throws -> Bool {
        for partition in bootPartitions {
            guard let efi = try child("EFI", of: partition, files),
                try child("systemd", of: efi, files) != nil || child("Linux", of: efi, files) != nil
            else { continue }
            let boot = try child("BOOT", of: efi, files)
            guard let loader = try boot.flatMap({ try child("BOOTX64.EFI", of: $0, files) }),
                let status = try files.status(loader), status.size <= 16 << 20, let bytes = try files.read(loader)
            else {
                // Nothing to fall back to: what is set up is what starts.
                return try !hasGRUB(below: efi, files)
            }
            guard let image = PEImage(bytes) else { return try !hasGRUB(below: efi, files) }
            if image.isUnifiedKernel { return true }
            let name = image.section(".sdmagic") ?? image.section(".sbat")
            return name.map { bytes[$0].firstRange(of: Array("systemd-boot".utf8)) != nil } ?? false
        }
        return false
    }

    private static func hasGRUB(below efi: GuestPath, _ files: any GuestFiles) throws -> Bool {
        try files.list(efi).contains { vendor in
            try files.list(efi.appending(vendor)).contains { $0.lowercased() == "grubx64.efi" }
        }
    }
}
