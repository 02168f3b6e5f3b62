internal import Guest

/// The sections of an EFI program (PE/COFF), as far as telling one from the other needs them.
public struct PEImage: Equatable, Sendable {
    public struct Section: Equatable, Sendable {
        public var name: String
        /// Where it is in the file, in bytes, inside of what is there.
        public var range: Range<Int>
    }

    public private(set) var sections: [Section] = []
    /// Whether it carries signatures: its table of certificates isn't empty.
    public private(set) var isSigned = false

    /// More than any boot program has; the format allows 96.
    private static let sectionLimit = 96

    /// nil for anything else.
    public init?(_ bytes: [UInt8]) {
        let file = LittleEndian(bytes)
        guard file.u16(0) == 0x5A4D else { return nil }
        let header = Int(file.u32(0x3C))
        guard header >= 0x40, header <= 1 << 20, file.u32(header) == 0x0000_4550 else { return nil }
        let count = Int(file.u16(header + 6))
        let optional = Int(file.u16(header + 20))
        guard count <= Self.sectionLimit else { return nil }
        // Data directory 4 is the certificates': behind 112 bytes of a PE32+ header, 96 of a PE32's.
        let directories = header + 24 + (file.u16(header + 24) == 0x020B ? 112 : 96)
        isSigned = optional >= 136 && file.u32(directories + 4 * 8 + 4) > 0
        for index in 0..<count {
            let at = header + 24 + optional + index * 40
            guard at + 40 <= bytes.count else { break }
            let name = bytes[at..<at + 8].prefix { $0 != 0 }
            let virtual = Int(file.u32(at + 8))
            let raw = Int(file.u32(at + 16))
            let start = Int(file.u32(at + 20))
            // The rest of the raw size is padding.
            let length = virtual == 0 ? raw : min(virtual, raw)
            guard start <= bytes.count, length <= bytes.count - start else { continue }
            sections.append(Section(name: String(decoding: name, as: UTF8.self), range: start..<start + length))
        }
    }

    public func section(_ name: String) -> Range<Int>? { sections.first { $0.name == name }?.range }

    /// Kernel and parameters in one program (systemd-stub).
    public var isUnifiedKernel: Bool { section(".linux") != nil }
}
