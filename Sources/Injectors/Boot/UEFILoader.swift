import Guest

/// A boot loader in a folder of its own on the EFI system partition, which a boot entry in the firmware's variables
/// names, and what has to go along when it is started from another folder.
struct UEFILoader {
    enum Kind {
        /// It starts the GRUB that is beside it.
        case shim
        case grub
        case manager
        /// With its initramfs and command line in one program.
        case kernel
    }

    var kind: Kind
    var folder: GuestPath
    /// The file that firmware starts.
    var program: GuestPath
    /// Files that the program looks for in its own folder.
    var companions: [GuestPath] = []

    /// Those of distributions with their boot loader's own folder, then boot managers, then kernels that are programs.
    /// - Returns: the best first.
    static func all(on system: UEFISystemPartition, in files: some GuestFiles, guest: Inspection) throws -> [UEFILoader]
    {
        let top = try system.path("EFI", in: files)
        var folders: [GuestPath] = []
        for name in try files.list(top) where !foreign.contains(name.lowercased()) {
            let folder = top.appending(name)
            if try files.isDirectory(folder) { folders.append(folder) }
            // Distributions have one folder each.
            if folders.count == folderLimit { break }
        }
        let own = ownNames(guest.osRelease)
        folders.sort { rank($0.name, own) < rank($1.name, own) }
        let grubs = try folders.compactMap { try grub(in: $0, files) }
        let managers = try folders.compactMap { try manager(in: $0, files) }
        // Which of the two the guest is started by is told by what it has a configuration for.
        let isByEntries = if case .loaderEntries = guest.bootLoader { true } else { false }
        return (isByEntries ? managers + grubs : grubs + managers) + (try unifiedKernels(on: system, files))
    }

    private static let folderLimit = 64
    /// \EFI\BOOT is where all this is for; Windows has its own way to it.
    private static let foreign: Set<String> = ["boot", "microsoft", "linux", "tools"]

    /// How a distribution calls its folder: by its ID, but for these.
    private static func ownNames(_ release: OSRelease) -> [String] {
        let own = ["rhel": "redhat", "ol": "redhat", "sles": "sles", "opensuse-leap": "opensuse"][release.id]
        return ([own ?? release.id, release.id] + release.like.map { $0 == "rhel" ? "redhat" : $0 }).map {
            $0.lowercased()
        }
    }

    private static func rank(_ name: String, _ own: [String]) -> (Int, String) {
        (own.firstIndex(of: name.lowercased()) ?? own.count, name)
    }

    // MARK: Kinds

    /// What shim starts, by its builders' choice: Debian's, Ubuntu's and Red Hat's; SUSE's.
    static let secondStages = ["grubx64.efi", "grub.efi"]
    private static let keyManagers = ["mmx64.efi", "MokManager.efi"]

    private static func grub(in folder: GuestPath, _ files: some GuestFiles) throws -> UEFILoader? {
        let names = try files.list(folder)
        func found(_ name: String) -> GuestPath? {
            names.first { $0.lowercased() == name.lowercased() }.map { folder.appending($0) }
        }
        let stages = secondStages.compactMap(found)
        guard let stage = stages.first else { return nil }
        // RHEL 7 has shimx64-redhat.efi and the like beside it.
        let shim =
            found("shimx64.efi") ?? found("shim.efi")
            ?? names.first { $0.lowercased().hasPrefix("shimx64-") && $0.lowercased().hasSuffix(".efi") }
            .map { folder.appending($0) }
        guard let shim else { return UEFILoader(kind: .grub, folder: folder, program: stage) }
        return UEFILoader(
            kind: .shim, folder: folder, program: shim, companions: stages + keyManagers.compactMap(found))
    }

    private static func manager(in folder: GuestPath, _ files: some GuestFiles) throws -> UEFILoader? {
        if let program = try UEFISystemPartition.child("systemd-bootx64.efi", of: folder, in: files) {
            // It reads \loader from the top of its partition, wherever it lies itself.
            return UEFILoader(kind: .manager, folder: folder, program: program)
        }
        guard let program = try UEFISystemPartition.child("refind_x64.efi", of: folder, in: files) else { return nil }
        // rEFInd looks beside itself for its configuration and for its drivers of file systems.
        var companions = try ["refind.conf", "refind_linux.conf"].compactMap {
            try UEFISystemPartition.child($0, of: folder, in: files)
        }
        if let drivers = try UEFISystemPartition.child("drivers_x64", of: folder, in: files) {
            companions += try files.files(in: drivers, suffix: ".efi").prefix(folderLimit)
        }
        return UEFILoader(kind: .manager, folder: folder, program: program, companions: companions)
    }

    /// The newest first.
    private static func unifiedKernels(
        on system: UEFISystemPartition, _ files: some GuestFiles
    ) throws -> [UEFILoader] {
        let folder = try system.path("EFI", "Linux", in: files)
        let names = try files.list(folder).filter { $0.lowercased().hasSuffix(".efi") }
        return names.sorted { numbers($0).lexicographicallyPrecedes(numbers($1)) }.reversed().map {
            UEFILoader(kind: .kernel, folder: folder, program: folder.appending($0))
        }
    }

    /// The numbers in a name, which are its version: "arch-6.10.2.efi" is later than "arch-6.9.7.efi".
    private static func numbers(_ name: String) -> [UInt64] {
        name.split { !$0.isASCII || !$0.isNumber }.map { UInt64($0) ?? .max }
    }
}
