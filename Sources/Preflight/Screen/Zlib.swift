internal import CZlib

/// The three things that pictures and fonts need of zlib.
enum Zlib {
    /// A zlib stream, as PNG wants it; nil only when there is no memory.
    static func deflate(_ bytes: [UInt8]) -> [UInt8]? {
        var length = compressBound(UInt(bytes.count))
        var target = [UInt8](repeating: 0, count: Int(length))
        // 6 is zlib's own default: about as small as 9 for pictures of text, at a third of the time.
        guard compress2(&target, &length, bytes, UInt(bytes.count), 6) == Z_OK else { return nil }
        return Array(target.prefix(Int(length)))
    }

    /// The content of a gzip file of one member; nil when it is damaged, cut short or longer than `limit` bytes.
    static func gunzip(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        var stream = z_stream()
        // 15 bits of window, 16 for the gzip header.
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        var status = Z_OK
        let content = [UInt8](unsafeUninitializedCapacity: limit) { target, initialised in
            bytes.withUnsafeBufferPointer { source in
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(clamping: source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(clamping: target.count)
                status = inflate(&stream, Z_FINISH)
            }
            initialised = Int(stream.total_out)
        }
        return status == Z_STREAM_END ? content : nil
    }

    static func crc(_ bytes: some Collection<UInt8>) -> UInt32 {
        let array = Array(bytes)
        return UInt32(truncatingIfNeeded: crc32(0, array, UInt32(clamping: array.count)))
    }
}
