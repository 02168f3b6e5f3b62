import Guest

/// A new FAT32 file system with files in its folder \EFI\BOOT, as the sectors that have to be written for it. The same
/// arguments give the same bytes; there are no times in it.
///
/// Offsets and limits: "FAT: General Overview of On-Disk Format", version 1.03, which the UEFI specification refers to.
struct FATVolume {
    /// Below 65,525 clusters a driver takes it for a FAT16; of one sector each, they and their tables take 33 MiB.
    static let smallest: UInt64 = 36 * 2048

    /// Sectors in front of it on the disk.
    let firstSector: UInt64
    let sectorCount: UInt32
    let serial: UInt32

    private static let sectorSize = SectorEdit.sectorSize
    /// Boot record, its copy, and room as mkfs.fat leaves it.
    private static let reserved = 32
    private let sectorsPerCluster: Int
    /// Of one of the two allocation tables.
    private let tableSectors: Int
    private let clusters: Int

    /// nil where the size is none for a FAT32.
    init?(firstSector: UInt64, sectorCount: UInt64, serial: UInt32) {
        guard let count = UInt32(exactly: sectorCount), sectorCount >= Self.smallest else { return nil }
        self.firstSector = firstSector
        self.sectorCount = count
        self.serial = serial
        // Microsoft's own choice: half a KiB up to 260 MiB, then 4 KiB; 32 KiB keep the tables of the largest small.
        sectorsPerCluster = count < 260 * 2048 ? 1 : count < 16 << 21 ? 8 : 64
        let most = (Int(count) - Self.reserved) / sectorsPerCluster
        tableSectors = ((most + 2) * 4 + Self.sectorSize - 1) / Self.sectorSize
        clusters = (Int(count) - Self.reserved - 2 * tableSectors) / sectorsPerCluster
    }

    /// As blkid and fstab name it: "1A2B-3C4D".
    var uuid: String {
        let bytes = LittleEndian.bytes(serial)
        return "\(Hex.text([bytes[3], bytes[2]]))-\(Hex.text([bytes[1], bytes[0]]))".uppercased()
    }

    /// Ranges of sectors from the volume's own first one on: what has content, and what has to be zero.
    /// - Parameter files: by names of the form 8.3.
    /// - Returns: nil where they don't fit.
    func sectors(with files: [(name: String, bytes: [UInt8])]) -> [(offset: UInt64, bytes: [UInt8], what: String)]? {
        let clusterSize = sectorsPerCluster * Self.sectorSize
        // Cluster 2 is the root, 3 is \EFI, 4 is \EFI\BOOT; each file is in one piece.
        var table: [UInt32] = [0x0FFF_FFF8, 0x0FFF_FFFF, Self.last, Self.last, Self.last]
        var data: [UInt8] = []
        var folder = [Self.entry(".", isFolder: true, 4, 0), Self.entry("..", isFolder: true, 3, 0)]
        for file in files {
            let count = (file.bytes.count + clusterSize - 1) / clusterSize
            let first = table.count
            guard let entry = Self.entry(file.name, isFolder: false, count == 0 ? 0 : first, file.bytes.count) else {
                return nil
            }
            folder.append(entry)
            for cluster in first..<first + count {
                table.append(cluster == first + count - 1 ? Self.last : UInt32(cluster + 1))
            }
            data += file.bytes + [UInt8](repeating: 0, count: count * clusterSize - file.bytes.count)
        }
        // The root is cluster 0 in its children's "..".
        let root = [Self.label, Self.entry("EFI", isFolder: true, 3, 0)]
        let system = [
            Self.entry(".", isFolder: true, 3, 0), Self.entry("..", isFolder: true, 0, 0),
            Self.entry("BOOT", isFolder: true, 4, 0),
        ]
        guard table.count <= clusters, folder.count * 32 <= clusterSize else { return nil }
        let folders = [root, system, folder].flatMap { entries in
            let bytes = entries.compactMap { $0 }.flatMap { $0 }
            return bytes + [UInt8](repeating: 0, count: clusterSize - bytes.count)
        }
        var used = table.flatMap { LittleEndian.bytes($0) }
        used += [UInt8](repeating: 0, count: (Self.sectorSize - used.count % Self.sectorSize) % Self.sectorSize)
        let unused = [UInt8](repeating: 0, count: tableSectors * Self.sectorSize - used.count)
        let names = files.map { "EFI/BOOT/\($0.name)" }.joined(separator: ", ")
        var ranges = [(offset: UInt64(0), bytes: bootRecords(usedClusters: table.count - 2), what: "boot record")]
        for copy in 0..<2 {
            let start = UInt64(Self.reserved + copy * tableSectors)
            ranges.append((start, used, "allocation table"))
            ranges.append((start + UInt64(used.count / Self.sectorSize), unused, "allocation table, its empty part"))
        }
        ranges.append((UInt64(Self.reserved + 2 * tableSectors), folders + data, names))
        return ranges.filter { !$0.bytes.isEmpty }
    }

    // MARK: Its parts

    private static let last: UInt32 = 0x0FFF_FFFF

    /// The reserved sectors: boot record, free space, and the copies of both from sector 6 on.
    private func bootRecords(usedClusters: Int) -> [UInt8] {
        var boot: [UInt8] = [0xEB, 0x58, 0x90] + Array("rehost  ".utf8)
        boot += LittleEndian.bytes(UInt16(Self.sectorSize)) + [UInt8(sectorsPerCluster)]
        boot += LittleEndian.bytes(UInt16(Self.reserved)) + [2, 0, 0, 0, 0, 0xF8, 0, 0]
        // 63 sectors a track, 255 heads: nobody reads these.
        boot += [63, 0, 255, 0] + LittleEndian.bytes(UInt32(exactly: firstSector) ?? 0)
        boot += LittleEndian.bytes(sectorCount) + LittleEndian.bytes(UInt32(tableSectors))
        boot += [0, 0, 0, 0] + LittleEndian.bytes(UInt32(2)) + [1, 0, 6, 0] + [UInt8](repeating: 0, count: 12)
        boot += [0x80, 0, 0x29] + LittleEndian.bytes(serial) + Array("EFI        ".utf8) + Array("FAT32   ".utf8)
        // Where a BIOS would start it: wait for ever.
        boot += [0xF4, 0xEB, 0xFD]
        boot += [UInt8](repeating: 0, count: 510 - boot.count) + [0x55, 0xAA]
        var space = Array("RRaA".utf8) + [UInt8](repeating: 0, count: 480) + Array("rrAa".utf8)
        space += LittleEndian.bytes(UInt32(clusters - usedClusters)) + LittleEndian.bytes(UInt32(usedClusters + 2))
        space += [UInt8](repeating: 0, count: 12) + [0, 0, 0x55, 0xAA]
        let third = [UInt8](repeating: 0, count: 510) + [0x55, 0xAA]
        let group = boot + space + third
        let gap = [UInt8](repeating: 0, count: 3 * Self.sectorSize)
        let records = group + gap + group
        return records + [UInt8](repeating: 0, count: Self.reserved * Self.sectorSize - records.count)
    }

    private static let label: [UInt8]? =
        Array("EFI        ".utf8) + [0x08] + [UInt8](repeating: 0, count: 10) + [0, 0, 0x21, 0, 0, 0, 0, 0, 0, 0]

    /// An entry of a folder; nil for a name that isn't of the form 8.3.
    private static func entry(_ name: String, isFolder: Bool, _ cluster: Int, _ size: Int) -> [UInt8]? {
        let isDots = name == "." || name == ".."
        let parts = isDots ? [Substring(name)] : name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, (1...8).contains(parts[0].utf8.count), parts.count == 1 || parts[1].utf8.count <= 3,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), let size = UInt32(exactly: size)
        else { return nil }
        // Names are stored in capitals; two flags (Windows NT's) say that a part is shown in small letters.
        var flags: UInt8 = 0
        var stored: [UInt8] = []
        for (part, length, flag) in [(parts[0], 8, UInt8(0x08)), (parts.count > 1 ? parts[1] : "", 3, UInt8(0x10))] {
            if part != part.uppercased() { flags |= flag }
            let capitals = Array(part.uppercased().utf8)
            stored += capitals + [UInt8](repeating: 0x20, count: length - capitals.count)
        }
        let low = UInt16(truncatingIfNeeded: cluster)
        let high = UInt16(truncatingIfNeeded: cluster >> 16)
        // 0x0021 is the first of January 1980, where FAT's time begins.
        return stored + [isFolder ? 0x10 : 0x20, flags, 0, 0, 0, 0x21, 0, 0x21, 0] + LittleEndian.bytes(high)
            + [0, 0, 0x21, 0] + LittleEndian.bytes(low) + LittleEndian.bytes(size)
    }
}
