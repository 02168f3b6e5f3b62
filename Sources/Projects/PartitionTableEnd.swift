internal import Foundation
internal import Guest

/// The end of a partition table on a disk that has got more room behind its last sector.
enum PartitionTableEnd {
    /// A GPT keeps a copy of itself in the disk's last sectors; firmware and tools complain where it isn't.
    /// - Parameters:
    ///   - path: of a file whose bytes are the disk's: raw, or a fixed VHD, whose footer lies behind them.
    ///   - size: the disk's, in bytes.
    static func move(in path: String, size: UInt64) throws {
        let sector = UInt64(SectorEdit.sectorSize)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? file.close() }
        // The largest table that is read has 1024 entries.
        let start = [UInt8](try file.read(upToCount: (2 + 256) * SectorEdit.sectorSize) ?? Data())
        for edit in GPT.edits(growing: start, disk: 0, toSectors: size / sector) {
            try file.seek(toOffset: edit.firstSector * sector)
            try file.write(contentsOf: Data(edit.bytes))
        }
    }
}
