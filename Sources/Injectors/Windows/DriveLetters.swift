internal import Guest

/// Which letters Windows gave to which partitions: the key `MountedDevices`.
struct DriveLetters {
    /// How Windows tells a partition from others.
    enum Place: Equatable {
        /// On a disk with an MBR: its signature, and where the partition starts, in bytes.
        case mbr(signature: UInt32, offset: UInt64)
        /// By the GUID of a GPT's partition, or of a dynamic volume.
        case gpt(GUID)

        init?(_ bytes: [UInt8]) {
            let mark = Array("DMIO:ID:".utf8)
            if bytes.count == 12 {
                let number = LittleEndian(bytes)
                self = .mbr(signature: number.u32(0), offset: number.u64(4))
            } else if bytes.count == 24, bytes.starts(with: mark) {
                self = .gpt(GUID(bytes: Array(bytes[8...])))
            } else {
                return nil
            }
        }

        var bytes: [UInt8] {
            switch self {
            case .mbr(let signature, let offset): LittleEndian.bytes(signature) + LittleEndian.bytes(offset)
            case .gpt(let id): Array("DMIO:ID:".utf8) + id.bytes
            }
        }
    }

    static func key(_ windows: WindowsInstallation) -> RegistryPath { RegistryPath(windows.system, "MountedDevices") }

    private let places: [String: Place]

    init(_ windows: WindowsInstallation, _ registry: any GuestRegistry) throws {
        var places: [String: Place] = [:]
        for value in try registry.values(of: Self.key(windows)) ?? [] {
            let parts = value.name.split(separator: "\\")
            guard parts.count == 2, parts[0].lowercased() == "dosdevices", parts[1].count == 2, parts[1].hasSuffix(":"),
                let place = Place(value.value.bytes)
            else { continue }
            places[parts[1].prefix(1).uppercased()] = place
        }
        self.places = places
    }

    /// "C", "D": those of partitions; CD drives and such are told in other ways.
    var all: [String] { places.keys.sorted() }

    /// Whether the letter's partition is on one of the disks, or may be: volumes of dynamic disks have names of their own,
    /// and logical drives aren't in a disk's own table.
    func mayBe(_ letter: String, on disks: [GuestDisk]) -> Bool {
        guard let place = places[letter] else { return true }
        return disks.contains { disk in
            switch (place, disk.table) {
            case (.gpt(let id), .gpt(let table)):
                table.entries.contains { $0.id == id || MBRLayout.isDynamic($0.type) }
            case (.gpt, .mbr(let table)): table.entries.contains { $0.type == 0x42 }
            case (.mbr(let signature, let offset), .mbr(let table)):
                table.signature == signature
                    && table.entries.contains {
                        [0x05, 0x0F, 0x85].contains($0.type)
                            || UInt64($0.firstSector) * UInt64(SectorEdit.sectorSize) == offset
                    }
            default: false
            }
        }
    }
}
