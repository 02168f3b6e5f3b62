import Guest

/// Puts the guest's own boot loader where firmware without boot entries looks for one: \EFI\BOOT\BOOTX64.EFI. In a cloud
/// the entries that the installer wrote into the firmware's variables are gone.
struct UEFIFallback {
    let system: UEFISystemPartition
    /// \EFI\BOOT, as it is spelled.
    private let folder: GuestPath
    private let loaders: [UEFILoader]

    init(system: UEFISystemPartition, guest: Inspection, in draft: Draft) throws {
        self.system = system
        folder = try system.path("EFI", "BOOT", in: draft)
        loaders = try UEFILoader.all(on: system, in: draft, guest: guest)
    }

    /// - Returns: whether firmware finds a boot loader now, or a blocker says why not.
    func put(into draft: inout Draft) throws -> Bool {
        if let there = try UEFISystemPartition.child("BOOTX64.EFI", of: folder, in: draft) {
            try complete(there, in: &draft)
            return true
        }
        for loader in loaders {
            guard let program = try program(loader.program, in: draft) else { continue }
            let target = folder.appending("BOOTX64.EFI")
            try draft.write(target, program, permissions: UEFISystemPartition.permissions)
            try copyCompanions(of: loader, into: &draft)
            say(loader, target, &draft)
            return true
        }
        return try isFor32Bit(&draft)
    }

    private func say(_ loader: UEFILoader, _ target: GuestPath, _ draft: inout Draft) {
        let what = "'\(system.name(of: target))' is a copy of '\(system.name(of: loader.program))'"
        guard loader.kind != .kernel else {
            draft.warn(
                "\(what), which is a kernel; firmware without boot entries, as a cloud's is, starts that one, whatever"
                    + " kernels are installed later",
                hint: "'bootctl install' in the guest puts a boot manager there, which finds the newest")
            return
        }
        // systemd's 'bootctl update' renews both.
        let hint =
            loader.kind == .manager
            ? nil
            : "when the guest gets a new GRUB, its tools may leave this copy as it is; there, 'grub-install --removable'"
                + " renews it"
        draft.note("\(what): firmware without boot entries, as a cloud's is, starts that", hint: hint)
    }

    /// nil for what isn't a program for 64-bit UEFI.
    private func program(_ path: GuestPath, in draft: Draft) throws -> [UInt8]? {
        guard let size = try draft.status(path)?.size, size <= Self.programLimit, let bytes = try draft.read(path),
            UEFIProgram.isForX64(bytes)
        else { return nil }
        return bytes
    }

    /// In bytes: a kernel with an initramfs in it is the largest that there is.
    private static let programLimit: UInt64 = 512 << 20

    private func copyCompanions(of loader: UEFILoader, into draft: inout Draft) throws {
        for companion in loader.companions {
            guard let size = try draft.status(companion)?.size, size <= Self.loaderLimit,
                let bytes = try draft.read(companion), let below = companion.relative(to: loader.folder)
            else { continue }
            let target = folder.appending(below)
            if try draft.exists(target) { continue }
            try draft.write(target, bytes, permissions: UEFISystemPartition.permissions)
        }
        let stages = loader.kind == .shim ? loader.companions : [loader.program]
        guard
            let stage = stages.first(where: { UEFILoader.secondStages.contains($0.name.lowercased()) }),
            let configuration = try UEFISystemPartition.child("grub.cfg", of: loader.folder, in: draft),
            try UEFISystemPartition.child("grub.cfg", of: folder, in: draft) == nil,
            try draft.status(stage)?.size ?? 0 <= Self.loaderLimit, let grub = try draft.read(stage),
            let text = try draft.read(configuration)
        else { return }
        // Debian's and Red Hat's GRUB know their folder by name; SUSE's looks beside itself, where a few lines lead on.
        let isKnown = UEFIProgram.contains(grub, Array("/EFI/\(loader.folder.name)".utf8))
        guard !isKnown, text.count <= Self.stubLimit else { return }
        try draft.write(folder.appending("grub.cfg"), text, permissions: UEFISystemPartition.permissions)
    }

    /// In bytes. A stub has three lines; a menu, which changes with each kernel, is no use as a copy.
    private static let stubLimit = 2048

    // MARK: What is there already

    /// A shim alone starts nothing. Whatever else is there is somebody's choice, and stays.
    private func complete(_ there: GuestPath, in draft: inout Draft) throws {
        guard let size = try draft.status(there)?.size, size <= Self.loaderLimit, let bytes = try draft.read(there)
        else { return }
        let names = Set(try draft.list(folder).map { $0.lowercased() })
        guard UEFIProgram.isShim(bytes) else {
            try noteAnother(there, bytes, in: &draft)
            return
        }
        // Its fallback makes boot entries of what BOOTX64.CSV in the distribution's folder says, and starts the first.
        guard names.isDisjoint(with: UEFILoader.secondStages + ["fbx64.efi", "fallback.efi"]) else { return }
        guard let loader = loaders.first(where: { $0.kind == .shim }) else {
            draft.warn(
                "'\(system.name(of: there))' is a shim, and neither GRUB nor the shim's fallback is beside it;"
                    + " the guest may not start where the firmware has no boot entries")
            return
        }
        try copyCompanions(of: loader, into: &draft)
        draft.note("the shim '\(system.name(of: there))' gets what it starts from '\(system.name(of: loader.folder))'")
    }

    /// In bytes; GRUB with everything in it has 4 MiB.
    private static let loaderLimit: UInt64 = 16 << 20

    private func noteAnother(_ there: GuestPath, _ bytes: [UInt8], in draft: inout Draft) throws {
        // Of another version, it is still the same boot loader.
        let known = ["grub", "LoaderInfo: systemd-boot"].map { Array($0.utf8) }
        guard let loader = loaders.first, !known.contains(where: { UEFIProgram.contains(bytes, $0) }) else { return }
        let size = try draft.status(loader.program)?.size
        if try size == UInt64(bytes.count) && draft.read(loader.program) == bytes { return }
        draft.note(
            "'\(system.name(of: there))' isn't the boot loader of '\(system.name(of: loader.folder))'; it stays, and a"
                + " cloud's firmware starts it",
            hint: "remove it in the source where the other is meant")
    }

    // MARK: 32-bit firmware

    private func isFor32Bit(_ draft: inout Draft) throws -> Bool {
        var folders = [folder]
        let top = try system.path("EFI", in: draft)
        for name in try draft.list(top).prefix(64) { folders.append(top.appending(name)) }
        let programs: Set = ["bootia32.efi", "grubia32.efi", "shimia32.efi", "systemd-bootia32.efi"]
        for folder in folders {
            guard let name = try draft.list(folder).first(where: { programs.contains($0.lowercased()) }) else {
                continue
            }
            draft.block(
                "the guest's boot loader '\(system.name(of: folder.appending(name)))' is for 32-bit UEFI firmware,"
                    + " which clouds don't have",
                hint: "use --firmware bios")
            return true
        }
        return false
    }
}
