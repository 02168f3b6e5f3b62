internal import CZlib
internal import Foundation

/// A disk image that isn't a file as it is, written out as one: in pieces, or compressed. Zeros become holes.
public struct Unpacking {
    public struct Piece: Sendable {
        public var file: String
        /// In bytes, as `size`; nil is up to the end.
        public var offset: UInt64
        public var size: UInt64?

        public init(file: String, offset: UInt64, size: UInt64?) {
            self.file = file
            self.offset = offset
            self.size = size
        }
    }

    private let path: String
    private let output: FileHandle
    private var written: UInt64 = 0

    /// - Parameters:
    ///   - isCompressed: by gzip, the pieces as a whole.
    ///   - progress: gets the number of bytes that were read.
    public static func write(
        _ pieces: [Piece], isCompressed: Bool, to path: String, progress: (UInt64) -> Void
    ) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let output = FileHandle(forWritingAtPath: path)
        else { throw DiskImage.Failure("could not write '\(path)'", hint: "is there room, and the right to write?") }
        defer { try? output.close() }
        var unpacking = Unpacking(path: path, output: output)
        var before: UInt64 = 0
        let inflation = isCompressed ? try Inflation() : nil
        for piece in pieces {
            var last: UInt64 = 0
            try FileStretch.read(piece.file, offset: piece.offset, size: piece.size) { bytes, done in
                if let inflation {
                    try inflation.inflate(bytes) { try unpacking.append($0) }
                } else {
                    try unpacking.append(bytes)
                }
                last = done
                progress(before + done)
            }
            before += last
        }
        if let inflation, !inflation.isComplete {
            throw DiskImage.Failure(
                "'\(pieces.first?.file ?? path)' holds a compressed disk that is cut", hint: "copy it anew")
        }
        try output.truncate(atOffset: unpacking.written)
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws {
        var start = 0
        while start < bytes.count {
            let end = min(start + 1 << 16, bytes.count)
            let block = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            if block.contains(where: { $0 != 0 }) {
                do {
                    try output.seek(toOffset: written)
                    try output.write(contentsOf: Data(block))
                } catch {
                    throw DiskImage.Failure(
                        "could not write out a disk to '\(path)', after \(written >> 20) MiB: \(error.localizedDescription)",
                        hint: "is there room for the whole disk?")
                }
            }
            written += UInt64(block.count)
            start = end
        }
    }
}

/// zlib's inflate over a stream of gzip members.
private final class Inflation {
    private var stream = z_stream()
    private(set) var isComplete = false
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)

    init() throws {
        // 15 bits of window, and 16 for gzip's header and checksum (zlib.h).
        guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw DiskImage.Failure("could not start to decompress", hint: "is there memory?")
        }
    }

    deinit { inflateEnd(&stream) }

    func inflate(_ bytes: UnsafeRawBufferPointer, output: (UnsafeRawBufferPointer) throws -> Void) throws {
        // zlib doesn't write to its input, though its type allows it.
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        stream.next_in = UnsafeMutablePointer(mutating: start)
        stream.avail_in = UInt32(bytes.count)
        while stream.avail_in > 0 {
            if isComplete {
                inflateReset(&stream)
                isComplete = false
            }
            let (status, count) = buffer.withUnsafeMutableBufferPointer { target in
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                return (status, target.count - Int(stream.avail_out))
            }
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR && count > 0 else {
                throw DiskImage.Failure(
                    "a compressed disk is damaged: \(stream.msg.map { String(cString: $0) } ?? "no gzip")",
                    hint: "copy it anew; or is it not compressed, though the OVF says so?")
            }
            try buffer.withUnsafeBytes { try output(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            isComplete = status == Z_STREAM_END
        }
    }
}
