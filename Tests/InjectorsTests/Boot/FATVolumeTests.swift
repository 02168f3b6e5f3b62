import Foundation
import Guest
import GuestTesting
import Testing

@testable import Injectors

struct FATVolumeTests {
    private static let files: [(name: String, bytes: [UInt8])] = [
        ("BOOTX64.EFI", (0..<70_001).map { UInt8(truncatingIfNeeded: $0 &* 7) }), ("grub.cfg", Array("set x\n".utf8)),
        ("empty", []),
    ]

    /// A file of this host that is the volume.
    private func image(_ volume: FATVolume, in scratch: ScratchFolder) throws -> String {
        let path = scratch.file("volume")
        try HostTool("truncate").output(["-s", "\(UInt64(volume.sectorCount) * 512)", path])
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        let ranges = try #require(volume.sectors(with: Self.files))
        for range in ranges {
            #expect(range.bytes.count % 512 == 0)
            try handle.seek(toOffset: range.offset * 512)
            try handle.write(contentsOf: Data(range.bytes))
        }
        try handle.close()
        return path
    }

    /// The smallest, the usual, and the first of each larger kind of cluster.
    private static let sizes: [UInt64] = [FATVolume.smallest, 131_072, 532_479, 532_480, 33_554_432]

    @Test(
        .enabled(if: HostTool("fsck.fat").isInstalled && HostTool("mcopy").isInstalled, "needs dosfstools and mtools"),
        arguments: sizes)
    func othersFindItGood(sectors: UInt64) throws {
        let scratch = try ScratchFolder()
        let volume = try #require(FATVolume(firstSector: 2048, sectorCount: sectors, serial: 0x1A2B_3C4D))
        let path = try image(volume, in: scratch)
        let verdict = try HostTool("fsck.fat").run(["-n", "-v", path])
        #expect(verdict.status == 0, "\(verdict.text)")
        #expect(verdict.text.contains("32 bit entries"))
        for file in Self.files {
            let bytes = try HostTool("mcopy").output([
                "-n", "-i", path, "::/EFI/BOOT/\(file.name)", scratch.file("out"),
            ])
            #expect(bytes.isEmpty)
            #expect(try scratch.read("out") == file.bytes)
            try FileManager.default.removeItem(atPath: scratch.file("out"))
        }
        let list = try HostTool("mdir").run(["-b", "-i", path, "::/EFI/BOOT"])
        #expect(list.text.contains("BOOTX64.EFI") && list.text.contains("grub.cfg"), "\(list.text)")
    }

    @Test(.enabled(if: HostTool("blkid").isInstalled, "needs blkid")) func itsNameIsWhatBlkidSays() throws {
        let scratch = try ScratchFolder()
        let volume = try #require(FATVolume(firstSector: 0, sectorCount: 131_072, serial: 0x0A2B_3C4D))
        #expect(volume.uuid == "0A2B-3C4D")
        let said = try HostTool("blkid").run(["-p", "-o", "export", try image(volume, in: scratch)])
        #expect(said.text.contains("UUID=0A2B-3C4D") && said.text.contains("TYPE=vfat"), "\(said.text)")
    }

    @Test func theSameArgumentsGiveTheSameBytes() throws {
        let volume = try #require(FATVolume(firstSector: 2048, sectorCount: 131_072, serial: 1))
        let (one, two) = (volume.sectors(with: Self.files), volume.sectors(with: Self.files))
        #expect(one?.map(\.bytes) == two?.map(\.bytes))
    }

    @Test func littleIsWritten() throws {
        let volume = try #require(FATVolume(firstSector: 2048, sectorCount: 131_072, serial: 1))
        let ranges = try #require(volume.sectors(with: Self.files))
        let written = ranges.filter { $0.bytes.contains { $0 != 0 } }.reduce(0) { $0 + $1.bytes.count }
        #expect(written < 100 << 10)
        // From the start on, without an overlap.
        for (one, next) in zip(ranges, ranges.dropFirst()) {
            #expect(one.offset + UInt64(one.bytes.count / 512) == next.offset)
        }
    }

    @Test func whatDoesNotFit() throws {
        #expect(FATVolume(firstSector: 0, sectorCount: FATVolume.smallest - 1, serial: 1) == nil)
        #expect(FATVolume(firstSector: 0, sectorCount: 8_589_934_592, serial: 1) == nil)
        let volume = try #require(FATVolume(firstSector: 0, sectorCount: FATVolume.smallest, serial: 1))
        #expect(volume.sectors(with: [("a", [UInt8](repeating: 1, count: 37 << 20))]) == nil)
        for name in ["", "too.many.dots", "ninechars.x", "a.long", "a b"] {
            #expect(volume.sectors(with: [(name, [1])]) == nil, "\(name)")
        }
        #expect(volume.sectors(with: (0..<20).map { ("\($0)", [1]) }) == nil)
    }
}
