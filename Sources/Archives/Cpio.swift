/// The "newc" cpio format, the one that Linux unpacks an initramfs from
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
public enum Cpio {
    public struct Entry: Equatable, Sendable {
        /// Without a leading slash.
        public var path: String
        /// File type and permissions, as st_mode.
        public var mode: UInt32
        public var bytes: [UInt8]

        public init(path: String, mode: UInt32, bytes: [UInt8]) {
            self.path = path
            self.mode = mode
            self.bytes = bytes
        }

        public static func file(_ path: String, _ bytes: [UInt8]) -> Entry {
            Entry(path: path, mode: 0o100644, bytes: bytes)
        }

        public static func directory(_ path: String) -> Entry {
            Entry(path: path, mode: 0o040755, bytes: [])
        }
    }

    /// A name in an archive and where its content lies, without a copy of it.
    public struct Listed {
        public var path: String
        public var mode: UInt32
        public var content: Range<Int>
    }

    public struct Failure: Error, CustomStringConvertible {
        public var reason: String
        public var description: String { "could not read a cpio archive: \(reason)" }
    }

    static let headerSize = 110
    static let trailer = "TRAILER!!!"

    public static func hasMagic(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.starts(with: Array("070701".utf8)) || bytes.starts(with: Array("070702".utf8))
    }

    /// What one header says.
    struct Header {
        var mode: UInt32
        /// Of the content, in bytes.
        var size: Int
        /// With the zero behind the name, in bytes: 1 to 4,096.
        var nameSize: Int

        /// - Parameter bytes: ``headerSize`` of them.
        init(_ bytes: ArraySlice<UInt8>) throws {
            guard bytes.count == Cpio.headerSize, Cpio.hasMagic(bytes) else {
                throw Failure(reason: "no header where one should be")
            }
            func field(_ index: Int) throws -> UInt32 {
                let at = bytes.startIndex + 6 + 8 * index
                guard let value = UInt32(String(decoding: bytes[at..<at + 8], as: UTF8.self), radix: 16) else {
                    throw Failure(reason: "a header field is no number")
                }
                return value
            }
            mode = try field(1)
            size = Int(try field(6))
            nameSize = Int(try field(11))
            guard nameSize > 0, nameSize <= 4096 else { throw Failure(reason: "a name is longer than the archive") }
        }
    }

    /// The entries of the one archive that the input starts with, and the index just behind its trailer.
    public static func list(_ input: ArraySlice<UInt8>) throws -> (entries: [Listed], end: Int) {
        var entries: [Listed] = []
        var at = input.startIndex
        while true {
            guard input.endIndex - at >= headerSize else { throw Failure(reason: "no header where one should be") }
            let header = try Header(input[at..<at + headerSize])
            let nameStart = at + headerSize
            let nameEnd = nameStart + header.nameSize
            guard nameEnd <= input.endIndex else { throw Failure(reason: "a name is longer than the archive") }
            let name = String(decoding: input[nameStart..<nameEnd - 1], as: UTF8.self)
            let start = nameEnd + padding(nameEnd - input.startIndex)
            if name == trailer { return (entries, min(start, input.endIndex)) }
            let end = start + header.size
            guard end <= input.endIndex else { throw Failure(reason: "'\(name)' is cut short") }
            entries.append(Listed(path: normal(name), mode: header.mode, content: start..<end))
            at = end + padding(end - input.startIndex)
        }
    }

    static func normal(_ name: String) -> String {
        var name = Substring(name)
        while name.hasPrefix("./") { name = name.dropFirst(2) }
        while name.hasPrefix("/") { name = name.dropFirst() }
        return String(name)
    }

    static func padding(_ length: Int) -> Int { (4 - length % 4) % 4 }

    /// A whole archive, trailer included, padded to 4 bytes. Owners are root, times zero, so that equal content gives
    /// equal bytes.
    public static func archive(_ entries: [Entry]) -> [UInt8] {
        var output: [UInt8] = []
        var inode: UInt32 = 1
        for entry in entries + [Entry(path: trailer, mode: 0, bytes: [])] {
            let isDirectory = entry.mode & 0o170000 == 0o040000
            let name = Array(entry.path.utf8) + [0]
            let fields: [UInt32] = [
                entry.path == trailer ? 0 : inode, entry.mode, 0, 0, isDirectory ? 2 : 1, 0, UInt32(entry.bytes.count),
                0, 0, 0, 0, UInt32(name.count), 0,
            ]
            output += Array("070701".utf8)
            for field in fields {
                let digits = String(field, radix: 16, uppercase: true)
                output += Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
            }
            output += name
            output += [UInt8](repeating: 0, count: padding(output.count))
            output += entry.bytes
            output += [UInt8](repeating: 0, count: padding(output.count))
            inode += 1
        }
        return output
    }
}
