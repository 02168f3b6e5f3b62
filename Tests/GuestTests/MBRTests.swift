import Guest
import GuestTesting
import Testing

struct MBRTests {
    private func sector(_ change: (inout [UInt8]) -> Void = { _ in }) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 512)
        bytes[510] = 0x55
        bytes[511] = 0xAA
        change(&bytes)
        return bytes
    }

    @Test func entries() throws {
        let mbr = try #require(
            MBR(
                sector: sector { bytes in
                    bytes.replaceSubrange(0x1B8..<0x1BC, with: [0xEF, 0xBE, 0xAD, 0xDE])
                    bytes[446] = 0x80
                    bytes[450] = 0x83
                    bytes.replaceSubrange(454..<458, with: [0x00, 0x08, 0, 0])
                    bytes.replaceSubrange(458..<462, with: [0xFF, 0xFF, 0xFF, 0xFF])
                    bytes[466] = 0x05
                }))
        #expect(mbr.signature == 0xDEAD_BEEF)
        #expect(mbr.entries.map(\.type) == [0x83, 5, 0, 0])
        #expect(mbr.entries[0].isActive && !mbr.entries[1].isActive)
        #expect(mbr.entries[0].firstSector == 2048 && mbr.entries[0].sectorCount == .max)
        #expect(!mbr.isEmpty && !mbr.isProtective)
    }

    @Test func whatIsNoTable() {
        #expect(MBR(sector: []) == nil)
        #expect(MBR(sector: [UInt8](repeating: 0xFF, count: 512)) == nil)
        #expect(MBR(sector: sector { $0[511] = 0 }) == nil)
        // A FAT boot record has code where flags would be.
        #expect(MBR(sector: sector { $0[446] = 0x3F }) == nil)
        #expect(MBR(sector: Array(sector().dropLast())) == nil)
    }

    @Test func anEmptyAndAProtectiveOne() throws {
        #expect(try #require(MBR(sector: sector())).isEmpty)
        #expect(try #require(MBR(sector: sector { $0[450] = 0xEE })).isProtective)
    }

    @Test func gapsAndPlaces() throws {
        func table(_ entries: [(UInt8, UInt32, UInt32)]) throws -> MBR {
            var bytes = sector()
            for (place, entry) in entries.enumerated() {
                bytes = MBR.adding(
                    MBR.Entry(type: entry.0, firstSector: entry.1, sectorCount: entry.2), at: place, to: bytes)
            }
            return try #require(MBR(sector: bytes))
        }
        #expect(try table([]).gaps(diskSectors: 10_000) == [2048...9999])
        // Sorted; nothing before 1 MiB, where boot loaders have their cores; overlaps count once.
        let some = try table([(0x83, 6000, 1000), (0x05, 63, 3000), (0x83, 6500, 100)])
        #expect(some.gaps(diskSectors: 10_000) == [3063...5999, 7000...9999])
        #expect(some.freePlace == 3)
        #expect(try table([(0x83, 2048, 9000)]).gaps(diskSectors: 10_000) == [])
        // Past 2 TiB nothing can be named.
        let large = try table([(0x83, .max, .max)])
        #expect(large.gaps(diskSectors: 1 << 40) == [2048...UInt64(UInt32.max) - 1])
        #expect(try table([(0x83, 2048, 1), (0x83, 2049, 1), (0x83, 2050, 1), (0x83, 2051, 1)]).freePlace == nil)
        #expect(try table([]).gaps(diskSectors: 0) == [])
    }

    @Test func anAddedEntryIsRead() throws {
        let entry = MBR.Entry(type: MBR.efiSystem, firstSector: 0x0102_0304, sectorCount: 131_072)
        let bytes = MBR.adding(entry, at: 2, to: sector { $0[3] = 7 })
        #expect(try #require(MBR(sector: bytes)).entries[2] == entry)
        #expect(bytes[3] == 7 && bytes[446..<478].allSatisfy { $0 == 0 } && bytes[510] == 0x55)
    }
}
