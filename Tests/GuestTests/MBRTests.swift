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
}
