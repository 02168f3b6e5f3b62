internal import Foundation
public import Guest
internal import XML

/// What names a machine: an OVA, an OVF or its folder, a VMX file, a libvirt domain's XML, or the domain itself. A file
/// counts by what it holds; its name only tells what was meant where it holds nothing of the kind.
public enum DescriptionSource {
    /// The most disks, and the most network cards, of a machine; VMware has at most 256 disks, nobody as many cards.
    static let deviceLimit = 512

    /// - Returns: nil where the source is something else: a disk.
    /// - Throws: ``DescriptionFailure``; ``Guest/Refusal`` where the machine can't be converted as it stands.
    public static func read(_ source: String) throws -> DescribedMachine? {
        guard let described = try describe(source) else { return nil }
        let counts = (described.machine.disks.count, described.machine.networkCards.count)
        guard counts.0 <= deviceLimit, counts.1 <= deviceLimit else {
            throw DescriptionFailure(
                "'\(source)' describes \(counts.0) disks and \(counts.1) network cards",
                hint: "no machine has more than \(deviceLimit); don't trust it")
        }
        return described
    }

    /// A domain, running or not.
    public static func machine(at address: LibvirtAddress) throws -> MachineDescription {
        try LibvirtSource.read(address, running: .described).machine
    }

    private static func describe(_ source: String) throws -> DescribedMachine? {
        if source.hasPrefix(LibvirtAddress.prefix) { return try LibvirtSource.read(try LibvirtAddress(source)) }
        if HostFile.isFolder(source) { return try ApplianceReader.read(folder: source) }
        guard HostFile.size(source) != nil else { return nil }
        let path = HostFile.absolute(source)
        let ending = URL(fileURLWithPath: path).pathExtension.lowercased()
        let start = try HostFile.read(path, count: 1 << 16)
        switch kind(start, ending: ending) {
        case .archive: return try ApplianceReader.read(archive: path)
        case .xml: return try readXML(path)
        case .vmx: return try VMXReader.read(try document(path), path: path)
        case .compressed:
            throw DescriptionFailure(
                "'\(source)' is a compressed archive, in which no disk can be read in place",
                hint: "decompress it first: gzip -d, xz -d or zstd -d")
        case .none:
            if ["ova", "ovf", "vmx"].contains(ending) {
                throw DescriptionFailure(
                    "'\(source)' doesn't hold what its name says: it is neither a tar archive, nor XML, nor VMware's"
                        + " settings", hint: "copy it anew; a file that is cut or empty looks like this")
            }
            return nil
        }
    }

    enum Kind {
        case archive
        case compressed
        case xml
        case vmx
    }

    /// - Parameters:
    ///   - start: 64 KiB, or the whole file where it is smaller.
    ///   - ending: lower case.
    static func kind(_ start: [UInt8], ending: String) -> Kind? {
        if TarIndex.isTar(start) { return .archive }
        let magics: [[UInt8]] = [[0x1F, 0x8B], [0xFD, 0x37, 0x7A, 0x58, 0x5A], [0x28, 0xB5, 0x2F, 0xFD]]
        if magics.contains(where: { start.starts(with: $0) }), ["ova", "gz", "tgz", "xz", "zst"].contains(ending) {
            return .compressed
        }
        // UTF-16, as some Windows tools write it.
        if [[0xFF, 0xFE], [0xFE, 0xFF]].contains(where: { start.starts(with: $0 as [UInt8]) }) {
            return ["ovf", "xml"].contains(ending) ? .xml : nil
        }
        let text = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
        guard !text.contains(0) else { return nil }
        let visible = text.drop { $0 == 32 || (9...13).contains($0) }
        if visible.first == UInt8(ascii: "<") { return .xml }
        return VMXReader.isVMX(VMXFile(start)) ? .vmx : nil
    }

    private static func document(_ path: String) throws -> [UInt8] {
        try HostFile.document(FilePart(file: path), name: path)
    }

    private static func readXML(_ path: String) throws -> DescribedMachine {
        let bytes = try document(path)
        let root: XMLElement
        do {
            root = try XMLDocument(parsing: bytes, limit: HostFile.documentLimit).root
        } catch {
            throw DescriptionFailure(
                "could not read '\(path)': \(error)", hint: "export the machine anew, or name its disk file")
        }
        if root.name == "domain" {
            return try DomainReader(name: path, folder: HostFile.folder(of: path)) { _, _ in nil }.read(bytes)
        }
        if OVFEnvelope.isEnvelope(root) { return try ApplianceReader.read(document: path) }
        throw DescriptionFailure(
            "'\(path)' is XML, but neither an OVF nor a libvirt domain: its root is '\(root.name)'",
            hint: "name the machine's .ovf, its domain's XML, or its disk file")
    }
}
