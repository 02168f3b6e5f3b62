internal import CArchive
internal import Glibc

/// Tar archives in memory, through libarchive: pax headers, long names and extended attributes included.
public enum Tar {
    /// The S_IFMT part of a mode; the C macros reach Swift from two modules at once.
    private enum FileType {
        static let file: UInt32 = 0o100000
        static let directory: UInt32 = 0o040000
        static let symlink: UInt32 = 0o120000
    }

    public enum Kind: Equatable, Sendable {
        case file([UInt8])
        case directory
        case symlink(target: String)
        case hardLink(target: String)
        case special
    }

    public struct Entry: Equatable, Sendable {
        /// As the archive has it, "./" and leading slashes taken off; "" is the folder itself.
        public var path: String
        public var kind: Kind
        public var permissions: UInt16
        public var owner: UInt32
        public var group: UInt32
        public var attributes: [String: [UInt8]]

        public init(
            path: String, kind: Kind, permissions: UInt16, owner: UInt32 = 0, group: UInt32 = 0,
            attributes: [String: [UInt8]] = [:]
        ) {
            self.path = path
            self.kind = kind
            self.permissions = permissions
            self.owner = owner
            self.group = group
            self.attributes = attributes
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public var reason: String
        public var description: String { "could not handle a tar archive: \(reason)" }

        init(_ archive: OpaquePointer?) {
            reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
        }

        init(reason: String) { self.reason = reason }
    }

    /// - Parameter limit: in bytes over all files; an archive that holds more is refused.
    public static func read(_ bytes: [UInt8], limit: Int) throws -> [Entry] {
        // libarchive keeps pointers into `source` until it is freed, inside this closure.
        try inUTF8 { try readAll(bytes, limit: limit) }
    }

    /// libarchive takes names in the thread's locale, and a process starts in one that knows no letters but ASCII's.
    static func inUTF8<Result>(_ body: () throws -> Result) rethrows -> Result {
        let locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
        let old = uselocale(locale)
        defer {
            uselocale(old)
            freelocale(locale)
        }
        return try body()
    }

    private static func readAll(_ bytes: [UInt8], limit: Int) throws -> [Entry] {
        try bytes.withUnsafeBytes { source in
            let archive = archive_read_new()
            defer { archive_read_free(archive) }
            archive_read_support_format_tar(archive)
            archive_read_support_format_empty(archive)
            guard archive_read_open_memory(archive, source.baseAddress, source.count) == ARCHIVE_OK else {
                throw Failure(archive)
            }
            var entries: [Entry] = []
            var total = 0
            while true {
                var header: OpaquePointer?
                let status = archive_read_next_header(archive, &header)
                if status == ARCHIVE_EOF { return entries }
                guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let header else { throw Failure(archive) }
                // A name that isn't UTF-8 can't be addressed as a GuestPath, so nobody asks for it.
                guard let name = archive_entry_pathname(header) else { continue }
                let kind = try content(of: header, in: archive, total: &total, limit: limit)
                entries.append(
                    Entry(
                        path: normal(String(cString: name)), kind: kind,
                        permissions: UInt16(archive_entry_perm(header) & 0o7777),
                        owner: UInt32(clamping: archive_entry_uid(header)),
                        group: UInt32(clamping: archive_entry_gid(header)), attributes: attributes(of: header)))
            }
        }
    }

    private static func content(
        of header: OpaquePointer, in archive: OpaquePointer?, total: inout Int, limit: Int
    ) throws -> Kind {
        if let target = archive_entry_hardlink(header) { return .hardLink(target: normal(String(cString: target))) }
        switch archive_entry_filetype(header) {
        case FileType.file:
            let size = Int(archive_entry_size(header))
            guard size >= 0, size <= limit - total else { throw Failure(reason: "it holds more than \(limit) bytes") }
            total += size
            var bytes = [UInt8](repeating: 0, count: size)
            var done = 0
            while done < size {
                let read = bytes.withUnsafeMutableBytes {
                    archive_read_data(archive, $0.baseAddress?.advanced(by: done), size - done)
                }
                // A sparse file's last hole isn't delivered; it is zeros, as the array is.
                if read == 0 { break }
                guard read > 0 else { throw Failure(archive) }
                done += read
            }
            return .file(bytes)
        case FileType.directory: return .directory
        case FileType.symlink:
            return .symlink(target: archive_entry_symlink(header).map { String(cString: $0) } ?? "")
        default: return .special
        }
    }

    private static func attributes(of header: OpaquePointer) -> [String: [UInt8]] {
        var attributes: [String: [UInt8]] = [:]
        archive_entry_xattr_reset(header)
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while archive_entry_xattr_next(header, &name, &value, &size) == ARCHIVE_OK {
            guard let name, let value else { continue }
            attributes[String(cString: name)] = Array(UnsafeRawBufferPointer(start: value, count: size))
        }
        return attributes
    }

    private static func normal(_ path: String) -> String {
        path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// A pax archive of the entries, in their order.
    public static func write(_ entries: [Entry]) throws -> [UInt8] {
        try inUTF8 { try writeAll(entries) }
    }

    private static func writeAll(_ entries: [Entry]) throws -> [UInt8] {
        let content = entries.reduce(0) { sum, entry in
            if case .file(let bytes) = entry.kind { sum + bytes.count } else { sum }
        }
        // Headers take 512 bytes, with pax attributes up to 3 blocks and the attributes themselves.
        let attributes = entries.flatMap(\.attributes).reduce(0) { $0 + 2 * $1.value.count + 2 * $1.key.utf8.count }
        var buffer = [UInt8](repeating: 0, count: content + 2 * attributes + 8192 * (entries.count + 4))
        let capacity = buffer.count
        var used = 0
        try buffer.withUnsafeMutableBytes { target in
            let archive = archive_write_new()
            defer { archive_write_free(archive) }
            archive_write_set_format_pax_restricted(archive)
            guard archive_write_open_memory(archive, target.baseAddress, capacity, &used) == ARCHIVE_OK else {
                throw Failure(archive)
            }
            for entry in entries { try write(entry, to: archive) }
            guard archive_write_close(archive) == ARCHIVE_OK else { throw Failure(archive) }
        }
        return Array(buffer[..<used])
    }

    private static func write(_ entry: Entry, to archive: OpaquePointer?) throws {
        let header = archive_entry_new()
        defer { archive_entry_free(header) }
        archive_entry_set_pathname(header, entry.path)
        archive_entry_set_perm(header, mode_t(entry.permissions))
        archive_entry_set_uid(header, Int64(entry.owner))
        archive_entry_set_gid(header, Int64(entry.group))
        archive_entry_set_mtime(header, time(nil), 0)
        for (name, value) in entry.attributes.sorted(by: { $0.key < $1.key }) {
            archive_entry_xattr_add_entry(header, name, value, value.count)
        }
        var content: [UInt8] = []
        switch entry.kind {
        case .file(let bytes):
            content = bytes
            archive_entry_set_filetype(header, FileType.file)
            archive_entry_set_size(header, Int64(bytes.count))
        case .directory: archive_entry_set_filetype(header, FileType.directory)
        case .symlink(let target):
            archive_entry_set_filetype(header, FileType.symlink)
            archive_entry_set_symlink(header, target)
        case .hardLink, .special: throw Failure(reason: "'\(entry.path)' is of a kind that isn't written")
        }
        guard archive_write_header(archive, header) == ARCHIVE_OK else { throw Failure(archive) }
        var done = 0
        while done < content.count {
            let written = content.withUnsafeBytes {
                archive_write_data(archive, $0.baseAddress?.advanced(by: done), content.count - done)
            }
            guard written > 0 else { throw Failure(archive) }
            done += written
        }
    }
}
