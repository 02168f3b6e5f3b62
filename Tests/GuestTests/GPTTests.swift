import Foundation
import Guest
import GuestTesting
import Testing

struct GPTTests {
    // MARK: GUID and CRC

    @Test func guidTextRoundTrips() throws {
        #expect(GPT.efiSystem.description == "c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
        #expect(GPT.biosBoot.bytes.elementsEqual("Hah!IdontNeedEFI".utf8))
        #expect(GUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B") == GPT.efiSystem)
        #expect(GUID("c12a7328f81f11d2ba4b00a0c93ec93b") == GPT.efiSystem)
        #expect(GUID(bytes: [UInt8](repeating: 0, count: 16)).isZero)
        let data = try JSONEncoder().encode([GPT.biosBoot])
        #expect(String(decoding: data, as: UTF8.self) == #"["21686148-6449-6e6f-744e-656564454649"]"#)
        #expect(try JSONDecoder().decode([GUID].self, from: data) == [GPT.biosBoot])
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([GUID].self, from: Data(#"["1-2"]"#.utf8)) }
    }

    @Test func crcMatchesThePublishedCheckValue() {
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(CRC32.checksum([]) == 0)
    }

    @Test func littleEndian() {
        let bytes = LittleEndian([1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(bytes.u16(0) == 0x0201 && bytes.u32(1) == 0x0504_0302 && bytes.u64(1) == 0x0908_0706_0504_0302)
        #expect(bytes.u32(7) == 0x0908 && bytes.u64(100) == 0)
        #expect(LittleEndian.bytes(UInt32(0x0102_0304)) == [4, 3, 2, 1])
        #expect(Hex.text([0, 15, 255]) == "000fff")
    }

    // MARK: Tables

    /// The header and the first entry of a table that sgdisk 1.0 made on a disk of 20 MiB: `sgdisk -n 1:2048:4095
    /// -t 1:ef00 -c 1:EFI -u 1:11111111-2222-3333-4444-555555555555 -U 0f0e0d0c-0b0a-0908-0706-050403020100`.
    @Test func aRecordedTableIsReadAndWrittenAlike() throws {
        let header = Self.bytes(
            "4546492050415254000001005c0000008901edab000000000100000000000000ff9f000000000000220000000000"
                + "0000de9f0000000000000c0d0e0f0a0b08090706050403020100020000000000000080000000800000002e20c07a")
        let entry = Self.bytes(
            "28732ac11ff8d211ba4b00a0c93ec93b111111112222333344445555555555550008000000000000ff0f00000000"
                + "00000000000000000000450046004900000000000000000000000000000000000000000000000000000000000000"
                + "000000000000000000000000000000000000000000000000000000000000000000000000")
        var sectors = [UInt8](repeating: 0, count: 34 * 512)
        sectors.replaceSubrange(512..<512 + header.count, with: header)
        sectors.replaceSubrange(1024..<1024 + entry.count, with: entry)
        let read = try GPT(sectors: sectors)
        #expect(read.diskID == GUID("0f0e0d0c-0b0a-0908-0706-050403020100"))
        #expect(read.entries.map(\.name) == ["EFI"])
        #expect(read.entries.map(\.type) == [GPT.efiSystem])
        #expect(read.entries.map(\.firstSector) == [2048] && read.entries.map(\.lastSector) == [4095])
        #expect(read.capacity == 128 && read.alternateSector == 40959)
        #expect(read.edits(disk: 0)[0].bytes == Array(sectors[512...]))
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0..<$0 + 2]), radix: 16) }
    }

    private let table = GPT(
        diskSectors: 40960,
        [
            GPT.Entry(
                number: 1, type: GPT.efiSystem, id: GUID("11111111-2222-3333-4444-555555555555"), firstSector: 2048,
                lastSector: 4095, attributes: 1, name: "EFI System"),
            GPT.Entry(
                number: 3, type: GPT.linuxData, id: GUID("66666666-7777-8888-9999-aaaaaaaaaaaa"), firstSector: 8192,
                lastSector: 16383, name: "Wurzel-żółć-日本"),
        ])

    @Test func roundTrip() throws {
        #expect(try GPT(sectors: table.firstSectors) == table)
        #expect(table.entries[0].sectorCount == 2048)
        #expect(table.reservedSectors == 34)
        #expect(table.freeNumber == 2)
        #expect(table.gaps == [34...2047, 4096...8191, 16384...40926])
    }

    @Test func theCopyAtTheEnd() throws {
        let edits = table.edits(disk: 3)
        #expect(edits.map(\.disk) == [3, 3])
        #expect(edits.map(\.firstSector) == [1, 40960 - 33])
        #expect(edits.map(\.sectorCount) == [33, 33])
        #expect(edits[0].bytes[512...] == edits[1].bytes[..<(32 * 512)])
        let copy = LittleEndian(Array(edits[1].bytes[(32 * 512)...]))
        #expect(copy.u64(24) == 40959 && copy.u64(32) == 1 && copy.u64(72) == 40927)
    }

    @Test func longNamesAreCutAtTheirField() throws {
        var table = table
        table.entries[0].name = String(repeating: "x", count: 50)
        #expect(try GPT(sectors: table.firstSectors).entries[0].name.count == 36)
    }

    @Test func aFullTableHasNoFreeNumber() {
        var table = table
        table.capacity = 3
        #expect(table.freeNumber == 2)
        table.entries[1].number = 2
        #expect(table.freeNumber == 3)
        table.capacity = 2
        #expect(table.freeNumber == nil)
    }

    @Test func overlapsMakeNoGap() {
        var table = table
        table.entries[1].firstSector = 3000
        table.entries.append(
            GPT.Entry(
                number: 4, type: GPT.linuxData, id: GPT.linuxData, firstSector: 3500, lastSector: 3600, name: "inside"))
        #expect(table.gaps == [34...2047, 16384...40926])
    }

    // MARK: What can't be trusted

    private func damaged(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var sectors = table.firstSectors
        change(&sectors)
        return sectors
    }

    /// The same, with a header checksum that is right again.
    private func forged(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
        damaged { sectors in
            change(&sectors)
            sectors.replaceSubrange(528..<532, with: [0, 0, 0, 0])
            sectors.replaceSubrange(528..<532, with: LittleEndian.bytes(CRC32.checksum(Array(sectors[512..<604]))))
        }
    }

    @Test func noTable() {
        for sectors: [UInt8] in [[], [UInt8](repeating: 0, count: 512), [UInt8](repeating: 0, count: 34 * 512)] {
            #expect(throws: GPT.ParseError.notGPT) { try GPT(sectors: sectors) }
        }
    }

    @Test func damageIsRefused() {
        let cases: [[UInt8]] = [
            damaged { $0[512 + 40] ^= 1 }, damaged { $0[1024 + 5] ^= 1 }, damaged { $0[512 + 16] ^= 1 },
            damaged { $0.removeLast(512) }, forged { $0[512 + 12] = 91 }, forged { $0[512 + 72] = 3 },
            forged { $0[512 + 84] = 64 }, forged { $0[512 + 80] = 0 },
            // 2^32 - 1, 1025 and 129 partitions: more than there is room for.
            forged { $0.replaceSubrange(592..<596, with: [255, 255, 255, 255]) },
            forged { $0.replaceSubrange(592..<596, with: [1, 4, 0, 0]) }, forged { $0[592] = 129 },
        ]
        for sectors in cases {
            do {
                _ = try GPT(sectors: sectors)
                Issue.record("a damaged table was read")
            } catch GPT.ParseError.damaged(let reason) {
                #expect(!reason.isEmpty)
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    @Test func aPartitionThatEndsBeforeItStartsIsRefused() {
        for (first, last) in [(UInt64(10), UInt64(9)), (.max, .max), (1, .max)] {
            var hostile = table
            hostile.entries[0].firstSector = first
            hostile.entries[0].lastSector = last
            let sectors = hostile.firstSectors
            #expect(throws: GPT.ParseError.self) { try GPT(sectors: sectors) }
        }
    }

    @Test func anyBitOfTheHeaderCounts() {
        for byte in 0..<92 {
            let sectors = damaged { $0[512 + byte] ^= 0x10 }
            #expect(throws: GPT.ParseError.self, "byte \(byte)") { try GPT(sectors: sectors) }
        }
    }

    @Test func noiseDoesNoHarm() {
        var random = Seeded(7)
        for _ in 0..<40 {
            var sectors = forged { sectors in
                for _ in 0..<8 {
                    sectors[Int.random(in: 512..<604, using: &random)] = .random(in: 0...255, using: &random)
                }
            }
            _ = try? GPT(sectors: sectors)
            sectors = damaged { $0[Int.random(in: 1024..<2048, using: &random)] = .random(in: 0...255, using: &random) }
            _ = try? GPT(sectors: sectors)
        }
    }

    /// Whoever made the disk can put any number into fields that a checksum makes look right.
    @Test func hostileBoundsDoNotTrapWhenGapsAreAsked() async {
        await #expect(processExitsWith: .success) {
            for last: UInt64 in [0, 1 << 63, .max - 1, .max] {
                var table = GPT(diskSectors: 40960, [])
                table.lastUsableSector = last
                _ = table.gaps.map { UInt64($0.count) }
            }
        }
    }

    @Test func aHostilePlaceOfTheCopyDoesNotTrap() async {
        await #expect(processExitsWith: .success) {
            for place: UInt64 in [0, 5, .max] {
                var table = GPT(diskSectors: 40960, [])
                table.alternateSector = place
                _ = table.edits(disk: 0)
            }
        }
    }

    // MARK: Against sgdisk and sfdisk

    static let sgdisk = HostTool("sgdisk")
    static let sfdisk = HostTool("sfdisk")

    @Test(.enabled(if: sgdisk.isInstalled, "sgdisk is not installed"))
    func aTableBySgdiskIsReadAndWrittenAlike() throws {
        let scratch = try ScratchFolder()
        try scratch.write("disk", [UInt8](repeating: 0, count: 40960 * 512))
        try Self.sgdisk.output([
            "-n", "1:2048:4095", "-t", "1:ef00", "-c", "1:EFI System", "-u", "1:11111111-2222-3333-4444-555555555555",
            "-A", "1:set:0", "-n", "3:8192:16383", "-c", "3:Wurzel-żółć-日本", "-u",
            "3:66666666-7777-8888-9999-aaaaaaaaaaaa", "-U", "0f0e0d0c-0b0a-0908-0706-050403020100",
            scratch.file("disk"),
        ])
        let disk = try scratch.read("disk")
        let read = try GPT(sectors: Array(disk[..<(40 * 512)]))
        var wanted = table
        wanted.entries[1].type = GPT.linuxData
        #expect(read == wanted)
        for edit in read.edits(disk: 0) {
            let from = Int(edit.firstSector) * 512
            #expect(Array(disk[from..<from + edit.bytes.count]) == edit.bytes, "\(edit.what)")
        }
    }

    @Test(.enabled(if: sfdisk.isInstalled && sgdisk.isInstalled, "sfdisk or sgdisk is not installed"))
    func aWrittenTableIsGoodForOthers() throws {
        let scratch = try ScratchFolder()
        var disk = [UInt8](repeating: 0, count: 40960 * 512)
        disk.replaceSubrange(0..<512, with: table.firstSectors[..<512])
        for edit in table.edits(disk: 0) {
            let from = Int(edit.firstSector) * 512
            disk.replaceSubrange(from..<from + edit.bytes.count, with: edit.bytes)
        }
        try scratch.write("disk", disk)
        let verdict = try Self.sgdisk.run(["-v", scratch.file("disk")])
        #expect(verdict.status == 0 && verdict.text.contains("No problems found"), "\(verdict.text)")
        let other = try Self.sfdisk.run(["--verify", scratch.file("disk")])
        #expect(other.status == 0 && other.text.contains("No errors detected"), "\(other.text)")
    }
}
