internal import Guest

/// The files that a Windows is started with by BIOS. Every Windows brings them along, for its own installer.
struct BootFiles {
    let windows: WindowsInstallation

    /// Attributes of NTFS that the files have where Windows itself lays them.
    private enum Attributes {
        /// Read-only, hidden, system, archive.
        static let bootManager: UInt32 = 0x27
        static let next: UInt32 = 0x0004_0026
        /// A folder, hidden and system.
        static let folder: UInt32 = 0x1000_0006
    }

    struct Failure: Error {
        var message: String
        var hint: String
    }

    /// GRUB loads it to 0x20000, and what follows the conventional memory is not checked.
    private static let bootManagerLimit: UInt64 = 500 << 10
    /// In bytes, of all together; Windows 10 has 20 MiB.
    private static let limit: UInt64 = 128 << 20
    private static let keepFirmware = "use --firmware keep, which starts it as the source does"

    /// - Throws: ``Failure`` where the guest lacks what it needs.
    func lay(into draft: inout Draft) throws {
        let source = windows.root.appending("Boot/PCAT")
        let manager = source.appending("bootmgr")
        let loader = windows.root.appending("System32/winload.exe")
        guard try draft.kept(manager) != nil else {
            throw Failure(
                message: "the Windows has no boot files for BIOS: '\(manager)' isn't there", hint: Self.keepFirmware)
        }
        guard try draft.kept(loader) != nil else {
            throw Failure(
                message: "the Windows has no loader for BIOS: '\(loader)' isn't there", hint: Self.keepFirmware)
        }
        guard let bytes = try bytes(of: manager, draft) else {
            throw Failure(
                message: "'\(manager)' can't be read: Windows has compressed it (CompactOS)",
                hint: "run 'compact /compactOS:never' in the source, and capture it again; or \(Self.keepFirmware)")
        }
        guard !bytes.isEmpty, bytes.count <= Self.bootManagerLimit else {
            throw Failure(
                message: "'\(manager)' has \(bytes.count) bytes, which is no boot manager of Windows",
                hint: Self.keepFirmware)
        }
        try draft.write("/bootmgr", bytes)
        try draft.attributes("/bootmgr", Attributes.bootManager)
        if let bytes = try self.bytes(of: source.appending("bootnxt"), draft) {
            try draft.write("/BOOTNXT", bytes)
            try draft.attributes("/BOOTNXT", Attributes.next)
        }
        try draft.makeDirectory("/Boot")
        try draft.attributes("/Boot", Attributes.folder)
        var unreadable: [String] = []
        var left = Self.limit
        try copyFolder(source, to: "/Boot", except: ["bootmgr", "bootnxt"], &unreadable, &left, &draft)
        try copyFolder(windows.root.appending("Boot/Fonts"), to: "/Boot/Fonts", &unreadable, &left, &draft)
        try copyFolder(windows.root.appending("Boot/Resources"), to: "/Boot/Resources", &unreadable, &left, &draft)
        if !unreadable.isEmpty {
            draft.warn(
                "\(unreadable.count) boot files can't be read, as Windows has compressed them (CompactOS), among them"
                    + " '\(unreadable[0])'; the boot menu may lack fonts or languages",
                hint: "run 'compact /compactOS:never' in the source, and capture it again")
        }
    }

    private func copyFolder(
        _ folder: GuestPath, to target: GuestPath, except: Set<String> = [], _ unreadable: inout [String],
        _ left: inout UInt64, _ draft: inout Draft
    ) throws {
        for name in try draft.list(folder).sorted() where !except.contains(name.lowercased()) {
            let path = folder.appending(name)
            if try draft.isDirectory(path) {
                // Languages, one level deep.
                for file in try draft.list(path).sorted() {
                    try copy(
                        path.appending(file), to: target.appending(name).appending(file), &unreadable, &left, &draft)
                }
            } else {
                try copy(path, to: target.appending(name), &unreadable, &left, &draft)
            }
        }
    }

    private func copy(
        _ file: GuestPath, to target: GuestPath, _ unreadable: inout [String], _ left: inout UInt64,
        _ draft: inout Draft
    ) throws {
        if let bytes = try bytes(of: file, draft, limit: left) {
            left -= UInt64(bytes.count)
            try draft.write(target, bytes)
        } else if try !draft.isDirectory(file) {
            unreadable.append(file.description)
        }
    }

    /// nil for what isn't there or isn't readable: a file that Windows compressed appears as a symlink to nowhere.
    private func bytes(of path: GuestPath, _ draft: Draft, limit: UInt64 = limit) throws -> [UInt8]? {
        guard let entry = try draft.kept(path), entry.kind == .file, entry.size <= limit else { return nil }
        return try draft.read(path)
    }
}
