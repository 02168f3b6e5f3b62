internal import CZstd

/// zstd for many blocks of a known size, one after the other: its memory is kept between them. Used by one task at a time.
public final class ZstdEncoder: @unchecked Sendable {
    private let context: OpaquePointer?
    private var output: [UInt8] = []
    private let level: Int32

    /// - Parameter level: zstd's own; 1 is the quickest of the usual ones.
    public init(level: Int32 = 1) {
        context = ZSTD_createCCtx()
        self.level = level
    }

    deinit { ZSTD_freeCCtx(context) }

    /// - Returns: nil where the result isn't smaller than `limit` bytes.
    public func encode(_ content: UnsafeRawBufferPointer, ifBelow limit: Int) -> [UInt8]? {
        let bound = ZSTD_compressBound(content.count)
        if output.count < bound { output = [UInt8](repeating: 0, count: bound) }
        let made = ZSTD_compressCCtx(context, &output, output.count, content.baseAddress, content.count, level)
        guard ZSTD_isError(made) == 0, made < limit else { return nil }
        return Array(output[..<made])
    }

    /// nil where it isn't a frame of that size.
    public static func decode(_ bytes: [UInt8], size: Int) -> [UInt8]? {
        var made = 0
        let content = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            made = ZSTD_decompress(buffer.baseAddress, size, bytes, bytes.count)
            count = ZSTD_isError(made) == 0 ? made : 0
        }
        return ZSTD_isError(made) == 0 && made == size ? content : nil
    }
}
