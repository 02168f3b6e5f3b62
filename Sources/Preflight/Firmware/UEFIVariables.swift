/// The variable store of EDK2's firmware for virtual machines (OVMF): a raw file of a flash chip.
///
/// A firmware volume header (PI 1.7, volume 3, 3.2.1) is followed by the store: its own header, then variables one
/// after the other at multiples of 4 bytes, each a header with time stamp ("authenticated"), its name and its data; the
/// rest is erased flash, 0xFF. Layouts: EDK2's MdePkg/Include/Pi/PiFirmwareVolume.h and
/// MdeModulePkg/Include/Guid/VariableFormat.h.
struct UEFIVariables: Sendable {
    struct Failure: Error, Equatable, CustomStringConvertible {
        var message: String
        var hint: String

        var description: String { "\(message)\nhint: \(hint)" }
    }

    /// One that is valid.
    struct Variable: Sendable, Equatable {
        var name: String
        var vendor: [UInt8]
        var data: [UInt8]
        /// Of its header, from the file's start.
        fileprivate var offset: Int
    }

    /// EFI_GLOBAL_VARIABLE, 8BE4DF61-93CA-11D2-AA0D-00E098032B8C (UEFI 2.10, 3.3).
    static let global: [UInt8] = [
        0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11, 0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C,
    ]
    /// gEfiSystemNvDataFvGuid, FFF12B8D-7696-4C8B-A985-2747075B4F50.
    private static let volume: [UInt8] = [
        0x8D, 0x2B, 0xF1, 0xFF, 0x96, 0x76, 0x8B, 0x4C, 0xA9, 0x85, 0x27, 0x47, 0x07, 0x5B, 0x4F, 0x50,
    ]
    /// gEfiAuthenticatedVariableGuid, AAF32C78-947B-439A-A180-2E144EC37792.
    private static let store: [UInt8] = [
        0x78, 0x2C, 0xF3, 0xAA, 0x7B, 0x94, 0x9A, 0x43, 0xA1, 0x80, 0x2E, 0x14, 0x4E, 0xC3, 0x77, 0x92,
    ]
    private static let storeHeaderSize = 28
    /// AUTHENTICATED_VARIABLE_HEADER, without padding.
    private static let headerSize = 60
    private static let startID = 0x55AA
    /// VAR_ADDED.
    private static let added: UInt8 = 0x3F
    /// VAR_IN_DELETED_TRANSITION and VAR_DELETED: flash can only clear bits.
    private static let deleted: UInt8 = 0xFE & 0xFD
    /// Non-volatile, boot services, run time (UEFI 2.10, 8.2).
    private static let attributes = 7

    /// The whole file.
    private(set) var bytes: [UInt8]
    /// Where the first variable may be, and where the store ends.
    private let area: Range<Int>

    /// Throws ``Failure`` for anything but a whole and healthy store of this format.
    init(store bytes: [UInt8]) throws {
        self.bytes = bytes
        area = try Self.check(bytes)
        _ = try walk()
    }

    /// A copy whose firmware starts `loader` first: "\EFI\debian\grubx64.efi".
    ///
    /// The firmware looks for it on all its file systems, removable media first; with a `partition`, only there.
    func adding(
        loader: String, partition: UEFIBootEntry.Partition? = nil, description: String = "rehost"
    ) throws -> UEFIVariables {
        let entry = try UEFIBootEntry(loader: loader, partition: partition, description: description)
        var copy = self
        let (variables, _) = try walk()
        let taken = Set(variables.filter { $0.vendor == Self.global }.map(\.name))
        // More than a store has room for.
        guard let number = (0..<0x1000).first(where: { !taken.contains(Self.bootName($0)) }) else {
            throw Self.broken("all boot entries are taken")
        }
        let order = variables.last { $0.vendor == Self.global && $0.name == "BootOrder" }
        if let order { copy.bytes[order.offset + 2] &= Self.deleted }
        try copy.append(Self.bootName(number), entry.bytes)
        try copy.append("BootOrder", Self.little(number, 2) + (order?.data ?? []))
        return copy
    }

    /// In the store's order.
    var variables: [Variable] { (try? walk().0) ?? [] }

    private static func bootName(_ number: Int) -> String {
        "Boot" + PacketBytes.hex(number, width: 4).uppercased()
    }

    private static func check(_ bytes: [UInt8]) throws -> Range<Int> {
        // Zeros, GUID, length, signature, attributes, the header's length, its checksum.
        guard bytes.count >= 0x48, Array(bytes[40..<44]) == Array("_FVH".utf8) else {
            throw broken("it has no firmware volume")
        }
        guard Array(bytes[16..<32]) == volume else { throw broken("its firmware volume holds no variables") }
        let header = number(bytes, 48, 2)
        // The header is made of 16-bit numbers whose sum is 0, so its length is even.
        guard header >= 0x48, header % 2 == 0, header <= bytes.count - storeHeaderSize else {
            throw broken("its header's length can't be")
        }
        let words = stride(from: 0, to: header, by: 2).map { UInt16(number(bytes, $0, 2)) }
        guard words.reduce(UInt16(0), &+) == 0 else { throw broken("its header's checksum is wrong") }
        guard number(bytes, 32, 8) <= bytes.count else { throw broken("it is cut off") }
        guard Array(bytes[header..<header + 16]) == store else { throw broken("its variables have no time stamps") }
        // Formatted and healthy.
        guard bytes[header + 20] == 0x5A, bytes[header + 21] == 0xFE else { throw broken("it is not healthy") }
        let size = number(bytes, header + 16, 4)
        guard size >= storeHeaderSize, size <= number(bytes, 32, 8) - header else { throw broken("it is cut off") }
        return header + storeHeaderSize..<header + size
    }

    /// The valid variables, and where the next one goes.
    private func walk() throws -> ([Variable], end: Int) {
        var found: [Variable] = []
        var position = Self.aligned(area.lowerBound)
        while position <= area.upperBound - Self.headerSize, Self.number(bytes, position, 2) == Self.startID {
            let name = Self.size(bytes, position + 36)
            let data = Self.size(bytes, position + 40)
            let content = position + Self.headerSize
            guard name <= area.upperBound - content, data <= area.upperBound - content - name else {
                throw Self.broken("a variable reaches past its end")
            }
            if bytes[position + 2] == Self.added {
                let units = stride(from: content, to: content + name - name % 2, by: 2).map {
                    UInt16(Self.number(bytes, $0, 2))
                }
                found.append(
                    Variable(
                        name: String(decoding: units.prefix { $0 != 0 }, as: UTF16.self),
                        vendor: Array(bytes[position + 44..<content]),
                        data: Array(bytes[content + name..<content + name + data]), offset: position))
            }
            position = Self.aligned(content + name + data)
        }
        return (found, position)
    }

    private mutating func append(_ name: String, _ data: [UInt8]) throws {
        var units = name.utf16.flatMap { Self.little(Int($0), 2) }
        units += [0, 0]
        // Start, state, reserved; attributes; no monotonic count, time stamp and key, as it is in no way signed; sizes.
        var variable = Self.little(Self.startID, 2)
        variable += [Self.added, 0]
        variable += Self.little(Self.attributes, 4)
        variable += [UInt8](repeating: 0, count: 28)
        variable += Self.little(units.count, 4)
        variable += Self.little(data.count, 4)
        variable += Self.global + units + data
        let (_, end) = try walk()
        guard end <= area.upperBound, variable.count <= area.upperBound - end else {
            throw Self.broken("it has no room for '\(name)'")
        }
        guard bytes[end..<end + variable.count].allSatisfy({ $0 == 0xFF }) else {
            throw Self.broken("the space after its variables isn't erased")
        }
        bytes.replaceSubrange(end..<end + variable.count, with: variable)
    }

    private static func broken(_ reason: String) -> Failure {
        Failure(
            message: "could not add a boot entry to the UEFI variable store: \(reason)",
            hint: "use a fresh store of OVMF's, such as /usr/share/OVMF/OVMF_VARS_4M.fd")
    }

    private static func aligned(_ offset: Int) -> Int { (offset + 3) & ~3 }

    /// A size that was never written is 0, as EDK2 takes it.
    private static func size(_ bytes: [UInt8], _ offset: Int) -> Int {
        let size = number(bytes, offset, 4)
        return size == 0xFFFF_FFFF ? 0 : size
    }

    /// Little-endian; what doesn't fit an Int becomes the largest. The caller knows the bytes to be there.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ width: Int) -> Int {
        var number: UInt64 = 0
        for byte in bytes[offset..<offset + width].reversed() { number = number << 8 | UInt64(byte) }
        return Int(clamping: number)
    }

    static func little(_ number: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
