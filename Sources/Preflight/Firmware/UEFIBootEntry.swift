/// The data of a variable Boot####: EFI_LOAD_OPTION (UEFI 2.10, 3.1.3).
struct UEFIBootEntry: Sendable {
    /// A partition of a GPT disk. Firmware finds it by the GUID alone.
    struct Partition: Sendable, Equatable {
        /// From 1.
        var number: UInt32
        /// "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", of this one partition, not its type.
        var guid: String
    }

    var bytes: [UInt8]

    /// LOAD_OPTION_ACTIVE.
    private static let active = 1
    /// EDK2 takes file paths of any length; a node's length has 16 bits, and nobody's path is longer than this.
    private static let longestPath = 255

    /// Throws ``UEFIVariables/Failure`` for a path that UCS-2 doesn't hold, that is too long or empty, or a wrong GUID.
    init(loader: String, partition: Partition? = nil, description: String) throws {
        let path = "\\" + loader.replacing("/", with: "\\").drop { $0 == "\\" }
        let file = try Self.text(path, name: loader)
        // MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP (UEFI 2.10, 10.3.5.4).
        var nodes = Self.node(4, 4, file)
        if let partition { nodes = try Self.hardDrive(partition) + nodes }
        // END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE.
        nodes += Self.node(0x7F, 0xFF, [])
        bytes = UEFIVariables.little(Self.active, 4) + UEFIVariables.little(nodes.count, 2)
        bytes += try Self.text(description, name: description) + nodes
    }

    private static func node(_ type: UInt8, _ subtype: UInt8, _ content: [UInt8]) -> [UInt8] {
        [type, subtype] + UEFIVariables.little(content.count + 4, 2) + content
    }

    /// MEDIA_HARDDRIVE_DP (UEFI 2.10, 10.3.5.1) with start and size 0: EDK2 compares the signature and the two types.
    private static func hardDrive(_ partition: Partition) throws -> [UInt8] {
        guard let guid = mixed(partition.guid) else {
            throw failure("'\(partition.guid)' is no GUID", hint: "give the partition's PARTUUID, as blkid shows it")
        }
        // The partition's number, start, size, GUID; GPT; the signature is a GUID.
        var content = UEFIVariables.little(Int(partition.number), 4)
        content += [UInt8](repeating: 0, count: 16)
        content += guid + [2, 2]
        return node(4, 1, content)
    }

    /// A GUID's bytes as UEFI has them: the first three groups little-endian.
    private static func mixed(_ text: String) -> [UInt8]? {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        let numbers = groups.compactMap { group in
            group.allSatisfy(\.isHexDigit) ? Int(group, radix: 16) : nil
        }
        guard numbers.count == 5 else { return nil }
        let widths = [4, 2, 2, 2, 6]
        return zip(numbers, widths).enumerated().flatMap { index, group in
            let bytes = UEFIVariables.little(group.0, group.1)
            return index < 3 ? bytes : bytes.reversed()
        }
    }

    /// UCS-2 with its end.
    private static func text(_ text: String, name: String) throws -> [UInt8] {
        let scalars = text.unicodeScalars
        guard scalars.count > 1, scalars.count <= longestPath, scalars.allSatisfy({ (0x20...0xFFFD) ~= $0.value })
        else {
            throw failure(
                "'\(HarmlessText.name(Array(name.utf8)) ?? "")' is no name that UEFI takes",
                hint: "give a path of at most \(longestPath) characters, such as \\EFI\\debian\\grubx64.efi")
        }
        var bytes = text.utf16.flatMap { UEFIVariables.little(Int($0), 2) }
        bytes += [0, 0]
        return bytes
    }

    private static func failure(_ reason: String, hint: String) -> UEFIVariables.Failure {
        UEFIVariables.Failure(message: "could not make a UEFI boot entry: \(reason)", hint: hint)
    }
}
