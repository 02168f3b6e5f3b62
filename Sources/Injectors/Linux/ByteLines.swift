import Guest

/// A text file of a guest as lines of bytes: what isn't edited goes back as it was, whatever its encoding.
struct ByteLines {
    var lines: [[UInt8]]

    init(_ bytes: [UInt8]) {
        lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    }

    var bytes: [UInt8] { Array(lines.joined(separator: [0x0A])) }

    func text(_ index: Int) -> String { String(decoding: lines[index], as: UTF8.self) }
}

extension Draft {
    /// A configuration file that is about to be edited; nil where there is none, or where it is far larger than such a
    /// file ever is: then it stays as it is, with a warning.
    mutating func editableBytes(_ path: GuestPath, limit: UInt64 = 4 << 20) throws -> [UInt8]? {
        guard let status = try status(path), status.kind == .file else { return nil }
        guard status.size <= limit else {
            warn("'\(path)' has \(status.size) bytes, more than such a file ever has; it stays as it is")
            return nil
        }
        return try read(path)
    }
}
