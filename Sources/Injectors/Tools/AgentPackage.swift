internal import Archives
internal import Guest

/// A package of the QEMU guest agent, as its maker built it.
public struct AgentPackage: Equatable, Sendable {
    public enum Format: String, Sendable {
        case rpm
        case deb
        /// For Windows.
        case msi
    }

    public let format: Format
    public let name: String
    /// In the format's own words: "x86_64", "amd64", "noarch", "all".
    public let architecture: String
    /// Names of packages of which one each has to be there; empty for RPM, which checks that itself and changes nothing
    /// where one is missing.
    let dependencies: [[String]]
    let files: [GuestPath]
    let bytes: [UInt8]

    public struct Unreadable: Error, CustomStringConvertible {
        public var description: String
    }

    /// In bytes; the agent's own packages have less than 1 MiB.
    private static let sizeLimit = 64 << 20

    /// - Throws: ``Unreadable`` for whatever isn't such a package.
    public init(_ bytes: [UInt8]) throws {
        guard bytes.count <= Self.sizeLimit else { throw Unreadable(description: "it is larger than 64 MiB") }
        self.bytes = bytes
        if bytes.starts(with: [0xED, 0xAB, 0xEE, 0xDB]) {
            let header = try RPMHeader(package: bytes)
            format = .rpm
            name = header.string(.name)
            architecture = header.string(.architecture)
            dependencies = []
            let folders = header.strings(.folderNames)
            files = zip(header.strings(.baseNames), header.numbers(.folderIndexes)).compactMap { name, index in
                folders.indices.contains(index) ? GuestPath(folders[index]).appending(name) : nil
            }
        } else if bytes.starts(with: "!<arch>\n".utf8) {
            let members = Self.members(bytes)
            let control = try Self.archive("control.tar", in: members)
            let text = control.first { $0.path == "control" }.flatMap { entry -> String? in
                if case .file(let bytes) = entry.kind { GuestText.decode(bytes) } else { nil }
            }
            let fields = DebianControl.fields(text ?? "")
            format = .deb
            name = fields["package"] ?? ""
            architecture = fields["architecture"] ?? ""
            dependencies = ["depends", "pre-depends"].flatMap { DebianControl.alternatives(fields[$0] ?? "") }
            files = try Self.archive("data.tar", in: members).compactMap { entry in
                if case .file = entry.kind { GuestPath(entry.path) } else { nil }
            }
        } else if bytes.starts(with: [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) {
            // A compound file. What it is for is in its summary, "QEMU guest agent" and "x64;1033", and in its names.
            format = .msi
            name =
                Self.contains("qemu-ga", bytes) || Self.contains("QEMU guest agent", bytes) ? "qemu-ga" : "another one"
            architecture = Self.contains("x64;", bytes) ? "x86_64" : "i686"
            dependencies = []
            files = []
        } else {
            throw Unreadable(description: "it is neither an RPM, nor a Debian package, nor an MSI of Windows")
        }
        guard name.contains("qemu-guest-agent") || name.contains("qemu-ga") else {
            throw Unreadable(description: "it is the package '\(name)'")
        }
    }

    private static func contains(_ text: String, _ bytes: [UInt8]) -> Bool {
        bytes.firstRange(of: Array(text.utf8)) != nil
    }

    /// Whether it is built for a guest, in the words of `uname -m`.
    func suits(_ machine: String) -> Bool {
        switch machine {
        case "x86_64": ["x86_64", "amd64", "noarch", "all"].contains(architecture)
        case "i686": ["i386", "i486", "i586", "i686", "noarch", "all"].contains(architecture)
        default: architecture == machine || ["noarch", "all"].contains(architecture)
        }
    }

    // MARK: ar(5)

    private static func members(_ bytes: [UInt8]) -> [(name: String, content: ArraySlice<UInt8>)] {
        var members: [(String, ArraySlice<UInt8>)] = []
        var at = 8
        while at + 60 <= bytes.count, members.count < 16 {
            func field(_ range: Range<Int>) -> String {
                String(decoding: bytes[(at + range.lowerBound)..<(at + range.upperBound)], as: UTF8.self)
                    .filter { $0 != " " }
            }
            guard let size = Int(field(48..<58)), size >= 0, size <= bytes.count - at - 60 else { break }
            var name = field(0..<16)
            if name.hasSuffix("/") { name.removeLast() }
            members.append((name, bytes[(at + 60)..<(at + 60 + size)]))
            at += 60 + size + size % 2
        }
        return members
    }

    private static func archive(
        _ name: String, in members: [(name: String, content: ArraySlice<UInt8>)]
    ) throws -> [Tar.Entry] {
        guard let member = members.first(where: { $0.name.hasPrefix(name) }) else {
            throw Unreadable(description: "it has no \(name)")
        }
        do {
            let plain =
                try Compression(magicOf: member.content)?.decode(member.content, limit: sizeLimit).bytes
                ?? Array(member.content)
            return try Tar.read(plain, limit: sizeLimit)
        } catch { throw Unreadable(description: "its \(name) can't be read: \(error)") }
    }
}

/// deb-control(5).
enum DebianControl {
    /// The fields of one stanza, by their names in lower case.
    static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        var last = ""
        for line in text.split(whereSeparator: \.isNewline) {
            if line.first == " " || line.first == "\t" {
                fields[last]? += line
                continue
            }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            last = parts[0].lowercased()
            fields[last] = String(parts[1].drop { $0 == " " })
        }
        return fields
    }

    /// "a (>= 1), b | c:any" → [["a"], ["b", "c"]]
    static func alternatives(_ list: String) -> [[String]] {
        list.split(separator: ",").map { part in
            part.split(separator: "|").compactMap { choice in
                choice.split { " (:\t".contains($0) }.first.map(String.init)
            }
        }.filter { !$0.isEmpty }
    }

    /// The names of installed packages, and what they provide.
    static func installed(_ status: String) -> Set<String> {
        var names: Set<String> = []
        for stanza in status.split(separator: "\n\n") {
            let fields = fields(String(stanza))
            guard let name = fields["package"], fields["status"]?.hasSuffix(" installed") == true else { continue }
            names.insert(name)
            names.formUnion(alternatives(fields["provides"] ?? "").flatMap { $0 })
        }
        return names
    }
}

/// The main header of an RPM package: an index of tags, and the store that it points into (rpm's file format, version 3
/// and 4). All numbers are big-endian.
struct RPMHeader {
    enum Tag: UInt32 {
        case name = 1000
        case architecture = 1022
        case folderIndexes = 1116
        case baseNames = 1117
        case folderNames = 1118
    }

    private var index: [UInt32: (offset: Int, count: Int)] = [:]
    private let store: ArraySlice<UInt8>

    /// In bytes, before the signature.
    private static let leadLength = 96
    private static let magic: [UInt8] = [0x8E, 0xAD, 0xE8]

    init(package bytes: [UInt8]) throws {
        func header(_ at: Int) throws -> (entries: Int, length: Int) {
            guard at + 16 <= bytes.count, bytes[at...].starts(with: Self.magic) else {
                throw AgentPackage.Unreadable(description: "its header is damaged")
            }
            let entries = Int(Self.number(bytes[...], at + 8))
            let length = Int(Self.number(bytes[...], at + 12))
            guard entries <= 1 << 16, length <= 1 << 26, at + 16 + 16 * entries + length <= bytes.count else {
                throw AgentPackage.Unreadable(description: "its header is cut off")
            }
            return (entries, length)
        }
        let signature = try header(Self.leadLength)
        // The signature is filled up to a multiple of eight.
        let main = (Self.leadLength + 16 + 16 * signature.entries + signature.length + 7) / 8 * 8
        let (entries, length) = try header(main)
        for entry in 0..<entries {
            let at = main + 16 + 16 * entry
            index[Self.number(bytes[...], at)] = (
                Int(Self.number(bytes[...], at + 8)), Int(Self.number(bytes[...], at + 12))
            )
        }
        let start = main + 16 + 16 * entries
        store = bytes[start..<start + length]
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt32 {
        guard at >= bytes.startIndex, at + 4 <= bytes.endIndex else { return 0 }
        return bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    func string(_ tag: Tag) -> String { strings(tag).first ?? "" }

    /// Texts that end in a zero, one behind the other.
    func strings(_ tag: Tag) -> [String] {
        guard let (offset, count) = index[tag.rawValue], offset <= store.count else { return [] }
        return store[(store.startIndex + offset)...].split(
            separator: 0, maxSplits: min(count, 1 << 16), omittingEmptySubsequences: false
        ).prefix(min(count, 1 << 16)).map { String(decoding: $0, as: UTF8.self) }
    }

    func numbers(_ tag: Tag) -> [Int] {
        guard let (offset, count) = index[tag.rawValue], offset <= store.count else { return [] }
        return (0..<min(count, 1 << 16)).map { Int(Self.number(store, store.startIndex + offset + 4 * $0)) }
    }
}
