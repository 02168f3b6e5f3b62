internal import CArchive
internal import Glibc

/// An ISO 9660 image, read as it lies on disk: nothing is mounted. Joliet and Rock Ridge names are understood.
public struct DiscImage: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    /// More than any disc of drivers has.
    private static let nameLimit = 200_000
    private static let blockSize = 64 << 10

    private let descriptor: Int32
    /// Every regular file, with slashes, without a leading one.
    public let files: [String]

    /// - Parameter descriptor: of an open file that can be read from any place; it stays the caller's, who keeps it open.
    public init(descriptor: Int32) throws {
        self.descriptor = descriptor
        var files: [String] = []
        try Self.walk(descriptor) { name, _, _ in
            files.append(name)
            guard files.count <= Self.nameLimit else { throw Failure(description: "it holds too many files") }
            return true
        }
        self.files = files
    }

    /// The contents of files by name; a name that isn't there is left out.
    /// - Parameter limit: in bytes, for one file.
    public func read(_ names: Set<String>, limit: Int) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        if names.isEmpty { return contents }
        try Self.walk(descriptor) { name, size, archive in
            guard names.contains(name) else { return true }
            guard size >= 0, size <= limit else {
                throw Failure(description: "'\(name)' is larger than \(limit) bytes")
            }
            var bytes = [UInt8](repeating: 0, count: Int(size))
            var done = 0
            while done < bytes.count {
                // Into the array that is there, no further than its end.
                let count = bytes.withUnsafeMutableBytes {
                    archive_read_data(archive, $0.baseAddress?.advanced(by: done), $0.count - done)
                }
                guard count > 0 else { throw Failure(description: "'\(name)' ends early") }
                done += count
            }
            contents[name] = bytes
            return contents.count < names.count
        }
        return contents
    }

    /// - Parameter body: gets each file's name, its size in bytes and the archive; it ends the walk with false.
    private static func walk(
        _ descriptor: Int32, _ body: (String, Int64, OpaquePointer) throws -> Bool
    ) throws {
        try Tar.inUTF8 { try walkEntries(descriptor, body) }
    }

    private static func walkEntries(
        _ descriptor: Int32, _ body: (String, Int64, OpaquePointer) throws -> Bool
    ) throws {
        guard let archive = archive_read_new() else { throw Failure(description: "there is no memory for it") }
        defer { archive_read_free(archive) }
        archive_read_support_format_iso9660(archive)
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw Failure(description: "it can't be read from its start") }
        guard archive_read_open_fd(archive, descriptor, blockSize) == ARCHIVE_OK else { throw failure(archive) }
        var header: OpaquePointer?
        while true {
            switch archive_read_next_header(archive, &header) {
            case ARCHIVE_EOF: return
            case ARCHIVE_OK, ARCHIVE_WARN: break
            default: throw failure(archive)
            }
            // AE_IFREG, and a name that the C library's locale has nothing to say about.
            guard let header, archive_entry_filetype(header) & 0o170000 == 0o100000,
                let name = archive_entry_pathname_utf8(header) ?? archive_entry_pathname(header)
            else { continue }
            if try !body(String(cString: name), archive_entry_size(header), archive) { return }
        }
    }

    private static func failure(_ archive: OpaquePointer) -> Failure {
        Failure(description: archive_error_string(archive).map { String(cString: $0) } ?? "it is no ISO 9660 image")
    }
}
