import Guest
import GuestTesting
import Testing

/// Partition tables and paths with something wrong in them.
struct MutationTests {
    private static let table = GPT(
        diskSectors: 100_000,
        [
            GPT.Entry(
                number: 1, type: GPT.efiSystem, id: GPT.linuxData, firstSector: 2048, lastSector: 4095, name: "EFI"),
            GPT.Entry(
                number: 2, type: GPT.linuxData, id: GPT.biosBoot, firstSector: 4096, lastSector: 90_000, name: "ü日"),
        ])

    /// With right checksums, as a table that was made to do harm has them.
    private static func mended(_ sectors: [UInt8]) -> [UInt8] {
        guard sectors.count >= 1024 + 16384 else { return sectors }
        var sectors = sectors
        sectors.replaceSubrange(512..<520, with: Array("EFI PART".utf8))
        let count = Int(LittleEndian(Array(sectors[592..<596])).u32(0))
        let end = 1024 + min(count, 1024) * 128
        if end <= sectors.count {
            let sum = CRC32.checksum(Array(sectors[1024..<end]))
            sectors.replaceSubrange(600..<604, with: LittleEndian.bytes(sum))
        }
        sectors.replaceSubrange(528..<532, with: [0, 0, 0, 0])
        let sum = CRC32.checksum(Array(sectors[512..<604]))
        sectors.replaceSubrange(528..<532, with: LittleEndian.bytes(sum))
        return sectors
    }

    @Test(arguments: [true, false]) func gpt(mends: Bool) {
        // Without the sectors that are all zeros: there a change is seldom one.
        let corpus = [Array(Self.table.firstSectors[..<2048])]
        let violations = Mutation.run(mends ? "gpt-mended" : "gpt", corpus: corpus, rounds: 400) { input in
            let padded = input + [UInt8](repeating: 0, count: max(0, 34 * 512 - input.count))
            let table = try GPT(sectors: mends ? Self.mended(padded) : padded)
            for entry in table.entries { #expect(entry.sectorCount > 0) }
            let edits = table.edits(disk: 0)
            #expect(edits.allSatisfy { $0.bytes.count % SectorEdit.sectorSize == 0 })
            for gap in table.gaps { #expect(!gap.isEmpty) }
        }
        #expect(violations == [])
    }

    @Test func mbr() {
        let violations = Mutation.run("mbr", corpus: [Array(Self.table.firstSectors[..<512])], rounds: 300) { input in
            guard let table = MBR(sector: input) else { return }
            #expect(table.entries.count == 4)
        }
        #expect(violations == [])
    }

    /// Links and paths as a hostile guest has them, three lines to an input: the path asked for, two links' targets.
    @Test func links() {
        let texts = ["/a/b\n/etc\n../c", "/etc/x\n/a/../a\n.", "a/\n/b/b/b/b\n../../../a/./b"]
        let violations = Mutation.run(
            "links", texts: texts, tokens: ["/", "..", ".", "a", "b", "/a", "/b"], rounds: 300
        ) { text in
            let parts = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 3 else { return }
            let guest = MemoryGuest(["/etc/x": "x"])
            guest.link("/a", to: parts[1])
            guest.link("/b", to: parts[2])
            let path = try guest.resolve(GuestPath(parts[0]))
            #expect(!path.components.contains("..") && !path.components.contains("."))
        }
        #expect(violations == [])
    }
}
