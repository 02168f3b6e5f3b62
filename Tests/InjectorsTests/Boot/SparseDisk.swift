import Guest
import GuestTesting

/// A disk of any size, of which what is written is kept.
final class SparseDisk: GuestSectors {
    private let count: UInt64
    private var written: [UInt64: [UInt8]] = [:]

    init(sectors: UInt64) { count = sectors }

    func write(_ first: UInt64, _ bytes: [UInt8]) {
        for index in 0..<bytes.count / 512 {
            written[first + UInt64(index)] = Array(bytes[index * 512..<(index + 1) * 512])
        }
    }

    func sectors(disk: Int, first: UInt64, count wanted: Int) throws -> [UInt8] {
        guard disk == 0, first <= count, UInt64(wanted) <= count - first else {
            throw GuestPathError(path: .root, reason: "disk \(disk) is shorter")
        }
        return (0..<wanted).flatMap { written[first + UInt64($0)] ?? [UInt8](repeating: 0, count: 512) }
    }

    /// A file of this host with the same content, for other programs.
    func save(to file: String) throws {
        try HostTool("truncate").output(["-s", "\(count * 512)", file])
        let guest = DirectoryGuest(root: "/nonexistent", diskFiles: [file])
        let items = written.map { sector, bytes in
            Plan.Item(
                injector: "test",
                change: .disk(SectorEdit(disk: 0, firstSector: sector, bytes: bytes, what: "saved")), before: .nothing)
        }
        try guest.apply(Plan(items: items)) { _ in }
    }
}
