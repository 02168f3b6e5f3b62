import Guest

/// The guest's EFI system partition where it is mounted: a FAT, on which names compare without case.
struct UEFISystemPartition {
    let mount: Mount

    /// nil where none is mounted. Of several, the first that the guest mounts itself.
    init?(of guest: Inspection) {
        let devices = Set(guest.disks.flatMap(\.systemPartitions))
        guard let mount = guest.mounts.first(where: { devices.contains($0.device) && $0.type == "vfat" }) else {
            return nil
        }
        self.mount = mount
    }

    /// A path below it; parts that are there already as they are spelled there.
    func path(_ names: String..., in files: some GuestFiles) throws -> GuestPath {
        try names.reduce(mount.path) { folder, name in
            try Self.child(name, of: folder, in: files) ?? folder.appending(name)
        }
    }

    /// nil where there is nothing of that name.
    static func child(_ name: String, of folder: GuestPath, in files: some GuestFiles) throws -> GuestPath? {
        try files.list(folder).first { $0.lowercased() == name.lowercased() }.map { folder.appending($0) }
    }

    /// "\EFI\debian\shimx64.efi", as firmware names it.
    func name(of path: GuestPath) -> String {
        "\\" + (path.relative(to: mount.path) ?? path.description).replacing("/", with: "\\")
    }

    /// FAT has no permissions: each file has those of the mount, and a change to others is an error there.
    static let permissions: UInt16 = 0o755
}

/// A program for UEFI, by its bytes.
enum UEFIProgram {
    /// The PE header's machine (PE format, "Machine Types").
    static let x64: UInt16 = 0x8664

    static func isForX64(_ bytes: [UInt8]) -> Bool {
        let number = LittleEndian(bytes)
        guard number.u16(0) == 0x5A4D else { return false }
        let header = Int(number.u32(0x3C))
        return number.u32(header) == 0x0000_4550 && number.u16(header + 4) == x64
    }

    /// shim starts another program beside it, after a look for its own fallback.
    static func isShim(_ bytes: [UInt8]) -> Bool {
        ["\\fbx64.efi", "\\fallback.efi"].contains { name in
            contains(bytes, name.utf16.flatMap { LittleEndian.bytes($0) })
        }
    }

    static func contains(_ bytes: [UInt8], _ pattern: [UInt8]) -> Bool {
        guard let first = pattern.first, bytes.count >= pattern.count else { return false }
        return bytes.withUnsafeBufferPointer { all in
            var at = 0
            // Where most bytes are skipped by the first comparison, this is quick without an optimiser, too.
            while at <= all.count - pattern.count {
                if all[at] == first, all[at..<at + pattern.count].elementsEqual(pattern) { return true }
                at += 1
            }
            return false
        }
    }
}
