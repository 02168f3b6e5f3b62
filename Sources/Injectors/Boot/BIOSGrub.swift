internal import Guest

/// GRUB for BIOS as this host has it: its modules, and a way to make a core image.
public struct BIOSGrub: Sendable {
    /// What a core image is made of: grub-mkimage's arguments.
    public struct Core: Sendable, Equatable {
        public var modules: [String]
        public var prefix: String
        /// Commands that run before anything is read from the prefix.
        public var earlyConfiguration: String
    }

    /// boot.img, 512 bytes.
    public var bootImage: [UInt8]
    /// The files of the i386-pc folder by name: "normal.mod", "command.lst".
    public var modules: [String: [UInt8]]
    /// Builds a core image for the `i386-pc` format.
    public var makeCore: @Sendable (Core) throws -> [UInt8]

    public init(
        bootImage: [UInt8], modules: [String: [UInt8]], makeCore: @escaping @Sendable (Core) throws -> [UInt8]
    ) {
        self.bootImage = bootImage
        self.modules = modules
        self.makeCore = makeCore
    }

    /// The boot sector: GRUB's boot.img that loads the core's first sector, around the disk's own signature and table.
    /// Offsets: grub-core/boot/i386/pc/boot.S and include/grub/i386/pc/boot.h.
    func bootSector(keeping old: [UInt8], coreAt sector: UInt64) -> [UInt8] {
        var boot = bootImage
        boot.replaceSubrange(0x5C..<0x64, with: LittleEndian.bytes(sector))
        // 0xFF: the drive that the BIOS started from.
        boot[0x64] = 0xFF
        // Trust the BIOS's drive number instead of forcing the first hard disk.
        boot[0x66] = 0x90
        boot[0x67] = 0x90
        boot.replaceSubrange(0x1B8..<0x200, with: old[0x1B8..<0x200])
        boot[0x1FE] = 0x55
        boot[0x1FF] = 0xAA
        return boot
    }

    /// A core image as it lies on disk, whole sectors, its first one pointing at the others.
    static func placed(_ core: [UInt8], at sector: UInt64) -> [UInt8] {
        let size = SectorEdit.sectorSize
        var placed = core + [UInt8](repeating: 0, count: (size - core.count % size) % size)
        let rest = UInt16(placed.count / size - 1)
        // The block list's first entry, in the sector's last 12 bytes: start, length, segment to load at.
        placed.replaceSubrange(0x1F4..<0x1FC, with: LittleEndian.bytes(sector + 1))
        placed.replaceSubrange(0x1FC..<0x1FE, with: LittleEndian.bytes(rest))
        placed.replaceSubrange(0x1FE..<0x200, with: LittleEndian.bytes(UInt16(0x0820)))
        return placed
    }

    /// Whether a boot sector is GRUB's and where its core starts; nil for other code.
    public static func coreSector(of bootSector: [UInt8]) -> UInt64? {
        guard bootSector.count == 512, bootSector[510] == 0x55, bootSector[511] == 0xAA,
            bootSector[0x170..<0x1B8].firstRange(of: Array("GRUB".utf8)) != nil
        else { return nil }
        return LittleEndian(bootSector).u64(0x5C)
    }
}
