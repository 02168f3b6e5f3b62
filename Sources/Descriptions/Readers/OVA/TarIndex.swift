internal import Foundation
internal import Glibc

/// Where each member of a tar archive is, found by its headers alone: ustar's, GNU's and pax's. Nothing is unpacked.
struct TarIndex {
    struct Member: Equatable {
        enum Kind: Equatable {
            case file
            case folder
            /// Links, devices and sparse files: bytes that aren't there as they are.
            case other
        }
        /// Without "./" in front.
        var name: String
        var kind: Kind
        var offset: UInt64
        var size: UInt64
    }

    /// In the archive's order.
    private(set) var members: [Member] = []

    private static let block: UInt64 = 512
    /// An appliance has a handful; chunks of a large disk some hundred.
    private static let memberLimit = 10_000
    /// A name, or a pax header's records.
    private static let extraLimit: UInt64 = 1 << 20

    /// Whether a file starts with a tar header, by its checksum.
    static func isTar(_ start: [UInt8]) -> Bool { Header(start)?.isUsable ?? false }

    init(_ path: String) throws {
        guard let length = HostFile.size(path) else {
            throw DescriptionFailure("could not read '\(path)': it is no file", hint: "check the path")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DescriptionFailure(
                "could not open '\(path)': \(String(cString: strerror(errno)))",
                hint: "check the path, and that this user may read it")
        }
        defer { close(descriptor) }
        var position: UInt64 = 0
        var next = Extra()
        while position < length {
            let bytes = try HostFile.read(descriptor, path, at: position, count: Int(Self.block))
            if bytes.count == Int(Self.block), bytes.allSatisfy({ $0 == 0 }) { return }
            guard let header = Header(bytes), header.isUsable else { throw Self.damaged(path, at: position) }
            let start = position + Self.block
            var size = header.size
            let isExtra = "LKxgX".utf8.contains(header.type)
            if !isExtra, let other = next.size { size = other }
            // Links and folders have no bytes, whatever their header says.
            if "123456".utf8.contains(header.type) { size = 0 }
            guard size <= length, start <= length, size <= length - start else {
                throw DescriptionFailure(
                    "'\(path)' is cut: '\(next.name ?? header.name)' ends at byte \(start &+ size) of \(length)",
                    hint: "copy it anew; it is not complete")
            }
            if isExtra {
                guard size <= Self.extraLimit else { throw Self.damaged(path, at: position) }
                next.add(header.type, try HostFile.read(descriptor, path, at: start, count: Int(size)))
            } else {
                try add(header, next, start, size, path)
                next = Extra()
            }
            position = start + (size + Self.block - 1) / Self.block * Self.block
        }
    }

    /// What is in a folder, by the names that it has in there.
    /// - Parameter base: ends in "/".
    func below(_ base: String) -> TarIndex {
        var index = self
        index.members = members.filter { $0.name.hasPrefix(base) }.map {
            var member = $0
            member.name = String(member.name.dropFirst(base.count))
            return member
        }
        return index
    }

    private mutating func add(_ header: Header, _ extra: Extra, _ start: UInt64, _ size: UInt64, _ path: String) throws
    {
        let name = extra.name ?? header.name
        let parts = name.split(separator: "/").filter { $0 != "." }
        guard !name.hasPrefix("/"), !parts.contains("..") else {
            throw DescriptionFailure(
                "'\(path)' has a member '\(name)', outside of itself",
                hint: "no exporter writes that; don't trust it")
        }
        guard members.count < Self.memberLimit else {
            throw DescriptionFailure(
                "'\(path)' has more than \(Self.memberLimit) members", hint: "is it an appliance? an OVA has a handful")
        }
        let kind: Member.Kind =
            switch header.type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): extra.isSparse ? .other : .file
            case UInt8(ascii: "5"): .folder
            default: .other
            }
        members.append(Member(name: parts.joined(separator: "/"), kind: kind, offset: start, size: size))
    }

    private static func damaged(_ path: String, at position: UInt64) -> DescriptionFailure {
        DescriptionFailure(
            "'\(path)' is damaged: there is no tar header at byte \(position)", hint: "copy it anew, or export it anew")
    }
}

/// What the headers in front of a member say about it.
private struct Extra {
    var name: String?
    var size: UInt64?
    var isSparse = false

    mutating func add(_ type: UInt8, _ bytes: [UInt8]) {
        switch type {
        case UInt8(ascii: "L"): name = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        case UInt8(ascii: "x"), UInt8(ascii: "X"): addRecords(bytes)
        default: break
        }
    }

    /// "17 path=some/name\n": the length counts the record as a whole.
    private mutating func addRecords(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let space = rest.prefix(20).firstIndex(of: UInt8(ascii: " ")),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
            length <= rest.count
        {
            let record = rest[(space + 1)..<(rest.startIndex + length)]
            rest = rest[(rest.startIndex + length)...]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            var text = record[(equals + 1)...]
            if text.last == UInt8(ascii: "\n") { text = text.dropLast() }
            let value = String(decoding: text, as: UTF8.self)
            switch key {
            case "path": name = value
            case "size": size = UInt64(value)
            case _ where key.hasPrefix("GNU.sparse."): isSparse = true
            default: break
            }
        }
    }
}

/// 512 bytes: POSIX.1-1988's ustar, with GNU's numbers in base 256.
private struct Header {
    private let bytes: [UInt8]

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 512 else { return nil }
        self.bytes = Array(bytes[..<512])
    }

    /// The sum of all bytes, the sum's own counted as spaces.
    var isUsable: Bool {
        guard let written = Self.octal(bytes[148..<156]), bytes[0] != 0 else { return false }
        let sum = bytes.enumerated().reduce(0 as UInt64) {
            $0 + UInt64((148..<156).contains($1.offset) ? 32 : $1.element)
        }
        return sum == written
    }

    var type: UInt8 { bytes[156] }

    var name: String {
        let name = Self.text(bytes[0..<100])
        // GNU keeps times where ustar has a prefix.
        let isUstar = Array(bytes[257..<263]) == Array("ustar\0".utf8)
        let prefix = isUstar ? Self.text(bytes[345..<500]) : ""
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    /// In bytes; more than any file has where it is no number.
    var size: UInt64 {
        guard bytes[124] & 0x80 != 0 else { return Self.octal(bytes[124..<136]) ?? .max }
        // Base 256, the first bit taken off; what needs more than eight bytes is no size.
        guard bytes[124] == 0x80, bytes[125..<128].allSatisfy({ $0 == 0 }) else { return .max }
        return bytes[128..<136].reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func octal(_ field: ArraySlice<UInt8>) -> UInt64? {
        let digits = String(decoding: field.prefix { $0 != 0 }, as: UTF8.self).filter { $0 != " " }
        return digits.isEmpty ? 0 : UInt64(digits, radix: 8)
    }
}
