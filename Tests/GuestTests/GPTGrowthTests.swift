import Guest
import GuestTesting
import Testing

struct GPTGrowthTests {
    private let table = GPT(
        diskSectors: 40960,
        [
            GPT.Entry(
                number: 1, type: GPT.efiSystem, id: GUID("11111111-2222-3333-4444-555555555555"), firstSector: 2048,
                lastSector: 4095, name: "EFI System")
        ])

    @Test func theCopyMovesToTheNewEnd() throws {
        let edits = GPT.edits(growing: table.firstSectors, disk: 2, toSectors: 43008)
        #expect(edits.allSatisfy { $0.disk == 2 })
        #expect(edits.map(\.firstSector) == [1, 43008 - 33])
        let grown = try GPT(sectors: Array(table.firstSectors[..<512]) + edits[0].bytes)
        #expect(grown.alternateSector == 43007 && grown.lastUsableSector == 43008 - 34)
        #expect(grown.entries == table.entries && grown.diskID == table.diskID)
        // Once is enough.
        #expect(
            GPT.edits(growing: Array(table.firstSectors[..<512]) + edits[0].bytes, disk: 2, toSectors: 43008).isEmpty)
    }

    @Test func theProtectivePartitionCoversTheDisk() throws {
        var start = table.firstSectors
        start.replaceSubrange(446 + 12..<446 + 16, with: LittleEndian.bytes(UInt32(40959)))
        start[0] = 0xEB
        let edits = GPT.edits(growing: start, disk: 0, toSectors: 43008)
        #expect(edits.map(\.firstSector) == [0, 1, 43008 - 33])
        var expected = Array(start[..<512])
        expected.replaceSubrange(446 + 12..<446 + 16, with: LittleEndian.bytes(UInt32(43007)))
        #expect(edits[0].bytes == expected)
        // As much as 32 bits can say.
        #expect(
            GPT.edits(growing: start, disk: 0, toSectors: 1 << 40)[0].bytes[446 + 12..<446 + 16]
                .allSatisfy { $0 == 0xFF })
    }

    @Test func otherDisksStayAsTheyAre() {
        #expect(GPT.edits(growing: [], disk: 0, toSectors: 100).isEmpty)
        #expect(GPT.edits(growing: [UInt8](repeating: 0, count: 34 * 512), disk: 0, toSectors: 100).isEmpty)
        #expect(GPT.edits(growing: table.firstSectors, disk: 0, toSectors: 40960).isEmpty)
        #expect(GPT.edits(growing: table.firstSectors, disk: 0, toSectors: 100).isEmpty)
        #expect(GPT.edits(growing: table.firstSectors, disk: 0, toSectors: .max).isEmpty)
        var damaged = table.firstSectors
        damaged[1024] ^= 1
        #expect(GPT.edits(growing: damaged, disk: 0, toSectors: 43008).isEmpty)
    }
}
