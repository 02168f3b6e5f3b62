public import Guest

extension GPT {
    /// A table as sgdisk makes it: 128 entries, the copy at the disk's end.
    public init(
        diskSectors: UInt64, id: GUID = GUID("0f0e0d0c-0b0a-0908-0706-050403020100"), firstUsable: UInt64 = 34,
        _ entries: [Entry]
    ) {
        self = .blank
        diskID = id
        capacity = 128
        firstUsableSector = firstUsable
        lastUsableSector = diskSectors - 34
        alternateSector = diskSectors - 1
        self.entries = entries
    }

    /// The smallest table that can be parsed; there is no other way to make one.
    private static var blank: GPT {
        var sectors = [UInt8](repeating: 0, count: 34 * 512)
        var header = Array("EFI PART".utf8) + [0, 0, 1, 0, 92, 0, 0, 0] + [UInt8](repeating: 0, count: 76)
        for (place, value) in [(32, 1000), (40, 34), (48, 966)] as [(Int, UInt64)] {
            header.replaceSubrange(place..<place + 8, with: LittleEndian.bytes(value))
        }
        header.replaceSubrange(72..<80, with: LittleEndian.bytes(UInt64(2)))
        header.replaceSubrange(80..<84, with: LittleEndian.bytes(UInt32(128)))
        header.replaceSubrange(84..<88, with: LittleEndian.bytes(UInt32(128)))
        header.replaceSubrange(88..<92, with: LittleEndian.bytes(CRC32.checksum([UInt8](repeating: 0, count: 16384))))
        header.replaceSubrange(16..<20, with: LittleEndian.bytes(CRC32.checksum(header)))
        sectors.replaceSubrange(512..<604, with: header)
        guard let table = try? GPT(sectors: sectors) else { fatalError("the empty table isn't read") }
        return table
    }

    public static let linuxData = GUID("0fc63daf-8483-4772-8e79-3d69d8477de4")

    /// The first 34 sectors of a disk with this table, with a protective MBR.
    public var firstSectors: [UInt8] {
        var boot = [UInt8](repeating: 0, count: 512)
        boot.replaceSubrange(0x1B8..<0x1BC, with: [0xDE, 0xC0, 0xAD, 0x0B])
        boot.replaceSubrange(446..<462, with: [0, 0, 2, 0, 0xEE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
        boot[510] = 0x55
        boot[511] = 0xAA
        return boot + edits(disk: 0)[0].bytes
    }
}
