internal import CBzip2
internal import CLZ4
internal import CLZMA
internal import CZlib
internal import CZstd

/// The compressions that Linux takes an initramfs in (its RD_* options, less lzo).
public enum Compression: String, Sendable, CaseIterable {
    case gzip
    case bzip2
    case xz
    /// What was there before xz: `xz --format=lzma`.
    case lzma
    /// The framing of `lz4 -l`, which is the one that the kernel reads.
    case lz4
    case zstd

    /// By the magic number of the first bytes; nil for everything else.
    public init?(magicOf bytes: ArraySlice<UInt8>) {
        switch Array(bytes.prefix(6)) {
        case let start where start.starts(with: [0x1F, 0x8B]): self = .gzip
        case let start where start.starts(with: Array("BZh".utf8)): self = .bzip2
        case [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]: self = .xz
        // The usual properties, and a dictionary of 64 KiB or more: what the kernel looks for (lib/decompress.c).
        case let start where start.starts(with: [0x5D, 0x00, 0x00]): self = .lzma
        case let start where start.starts(with: [0x02, 0x21, 0x4C, 0x18]): self = .lz4
        case let start where start.starts(with: [0x28, 0xB5, 0x2F, 0xFD]): self = .zstd
        default: return nil
        }
    }

    /// One compressed stream's content, and how many bytes of the input it took.
    public struct Decoded {
        public var bytes: [UInt8]
        public var consumed: Int
    }

    /// Takes a decoder's output in pieces of up to 8 MiB, each only there during the call.
    public typealias Taker = (UnsafeRawBufferPointer) throws -> Void

    /// Decodes the one stream that the input starts with; what follows it is left alone.
    /// - Parameter limit: in bytes; a stream that holds more is refused rather than read.
    public func decode(_ input: ArraySlice<UInt8>, limit: Int) throws -> Decoded {
        var bytes: [UInt8] = []
        let consumed = try decode(input, limit: limit) { bytes.append(contentsOf: $0) }
        return Decoded(bytes: bytes, consumed: consumed)
    }

    /// The same piece by piece, so that a large content is never in memory as a whole.
    /// - Returns: how many bytes of the input the stream took.
    public func decode(_ input: ArraySlice<UInt8>, limit: Int, into taker: Taker) throws -> Int {
        try withoutActuallyEscaping(taker) { taker in
            var sink = Sink(compression: self, limit: limit, taker: taker)
            return switch self {
            case .gzip: try Self.inflate(input, &sink)
            case .bzip2: try Self.bunzip2(input, &sink)
            case .xz, .lzma: try Self.unxz(input, &sink)
            case .lz4: try Self.unlz4(input, &sink)
            case .zstd: try Self.unzstd(input, &sink)
            }
        }
    }

    /// One whole stream. Only gzip and zstd are written: every kernel that reads one of the others reads gzip too.
    public func encode(_ input: [UInt8]) throws -> [UInt8] {
        switch self {
        case .zstd: try Self.zstd(input)
        default: try Self.gzip(input)
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public var compression: Compression
        public var reason: String
        public var description: String { "could not decode \(compression.rawValue) data: \(reason)" }
    }

    private static let chunk = 1 << 18

    /// Passes on what a decoder produces, up to a limit.
    private struct Sink {
        let compression: Compression
        let limit: Int
        let taker: Taker
        private(set) var count = 0

        init(compression: Compression, limit: Int, taker: @escaping Taker) {
            self.compression = compression
            self.limit = limit
            self.taker = taker
        }

        mutating func take(_ produced: UnsafeRawBufferPointer) throws {
            guard produced.count <= limit - count else {
                throw Failure(compression: compression, reason: "it holds more than \(limit) bytes")
            }
            count += produced.count
            if !produced.isEmpty { try taker(produced) }
        }

        var damaged: Failure { Failure(compression: compression, reason: "it is damaged or cut short") }
        var withoutMemory: Failure { Failure(compression: compression, reason: "no memory") }
    }

    // Each of the following hands the library pointers into arrays that outlive the call, with their true lengths.

    private static func inflate(_ input: ArraySlice<UInt8>, _ sink: inout Sink) throws -> Int {
        var stream = z_stream()
        // 15 bits of window, 16 for the gzip header.
        guard
            inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw sink.withoutMemory }
        defer { inflateEnd(&stream) }
        var buffer = [UInt8](repeating: 0, count: chunk)
        var status = Z_OK
        try input.withUnsafeBufferPointer { source in
            stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
            stream.avail_in = UInt32(clamping: source.count)
            while status == Z_OK {
                let made = buffer.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    return target.count - Int(stream.avail_out)
                }
                try buffer.withUnsafeBytes { try sink.take(UnsafeRawBufferPointer(rebasing: $0[..<made])) }
                if status == Z_OK, made == 0, stream.avail_in == 0 { break }
            }
        }
        guard status == Z_STREAM_END else { throw sink.damaged }
        return Int(stream.total_in)
    }

    private static func bunzip2(_ input: ArraySlice<UInt8>, _ sink: inout Sink) throws -> Int {
        var stream = bz_stream()
        guard BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK else {
            throw sink.withoutMemory
        }
        defer { BZ2_bzDecompressEnd(&stream) }
        var buffer = [CChar](repeating: 0, count: chunk)
        var status = BZ_OK
        var left = 0
        try input.withUnsafeBytes { source in
            stream.next_in = UnsafeMutablePointer(
                mutating: source.baseAddress?.assumingMemoryBound(to: CChar.self))
            stream.avail_in = UInt32(clamping: source.count)
            while status == BZ_OK {
                let made = buffer.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    status = BZ2_bzDecompress(&stream)
                    return target.count - Int(stream.avail_out)
                }
                try buffer.withUnsafeBytes { try sink.take(UnsafeRawBufferPointer(rebasing: $0[..<made])) }
                if status == BZ_OK, made == 0, stream.avail_in == 0 { break }
            }
            left = Int(stream.avail_in)
        }
        guard status == BZ_STREAM_END else { throw sink.damaged }
        return input.count - left
    }

    private static func unxz(_ input: ArraySlice<UInt8>, _ sink: inout Sink) throws -> Int {
        // LZMA_STREAM_INIT is all zeros.
        var stream = lzma_stream()
        // 128 MiB: twice what `xz -9` asks for.
        let isOpen =
            sink.compression == .xz
            ? lzma_stream_decoder(&stream, 128 << 20, 0) : lzma_alone_decoder(&stream, 128 << 20)
        guard isOpen == LZMA_OK else {
            throw sink.withoutMemory
        }
        defer { lzma_end(&stream) }
        var buffer = [UInt8](repeating: 0, count: chunk)
        var status = LZMA_OK
        try input.withUnsafeBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = source.count
            while status == LZMA_OK {
                let made = buffer.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = target.count
                    status = lzma_code(&stream, LZMA_RUN)
                    return target.count - stream.avail_out
                }
                try buffer.withUnsafeBytes { try sink.take(UnsafeRawBufferPointer(rebasing: $0[..<made])) }
                if status == LZMA_OK, made == 0, stream.avail_in == 0 { break }
            }
        }
        guard status == LZMA_STREAM_END else { throw sink.damaged }
        return Int(stream.total_in)
    }

    private static func unzstd(_ input: ArraySlice<UInt8>, _ sink: inout Sink) throws -> Int {
        guard let context = ZSTD_createDCtx() else { throw sink.withoutMemory }
        defer { ZSTD_freeDCtx(context) }
        var buffer = [UInt8](repeating: 0, count: chunk)
        var consumed = 0
        var status = 1
        try input.withUnsafeBytes { source in
            var from = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
            while status != 0 {
                let before = from.pos
                let made = buffer.withUnsafeMutableBytes { target in
                    var to = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    status = ZSTD_decompressStream(context, &to, &from)
                    return to.pos
                }
                guard ZSTD_isError(status) == 0, made > 0 || from.pos > before || status == 0 else {
                    throw sink.damaged
                }
                try buffer.withUnsafeBytes { try sink.take(UnsafeRawBufferPointer(rebasing: $0[..<made])) }
            }
            consumed = from.pos
        }
        return consumed
    }

    /// Blocks of 8 MiB, each with its length in front, the last one shorter; streams follow each other with the magic
    /// number again. It ends at something that can't be a length: the kernel's lib/decompress_unlz4.c reads it so.
    private static func unlz4(_ input: ArraySlice<UInt8>, _ sink: inout Sink) throws -> Int {
        let blockSize = 8 << 20
        var buffer = [CChar](repeating: 0, count: blockSize)
        var at = input.startIndex + 4
        var isAfterShortBlock = false
        var streams = 1
        while at + 4 <= input.endIndex {
            let length = (0..<4).reduce(0) { $0 | Int(input[at + $1]) << (8 * $1) }
            if length == 0x184C_2102 {
                streams += 1
                // One more than anybody concatenates; each costs more time than its few bytes.
                guard streams <= 256 else { throw sink.damaged }
                at += 4
                isAfterShortBlock = false
                continue
            }
            // Zeros, or another stream: this one is complete.
            guard length > 0, length <= LZ4_compressBound(Int32(blockSize)), !isAfterShortBlock,
                Compression(magicOf: input[at...]) == nil
            else { break }
            guard at + 4 + length <= input.endIndex else {
                throw Failure(compression: .lz4, reason: "it is cut short")
            }
            let made = input[(at + 4)..<(at + 4 + length)].withUnsafeBytes { source in
                buffer.withUnsafeMutableBufferPointer { target in
                    LZ4_decompress_safe(
                        source.baseAddress?.assumingMemoryBound(to: CChar.self), target.baseAddress,
                        Int32(length), Int32(blockSize))
                }
            }
            guard made >= 0 else {
                if sink.count == 0 { throw sink.damaged }
                break
            }
            try buffer.withUnsafeBytes { try sink.take(UnsafeRawBufferPointer(rebasing: $0[..<Int(made)])) }
            isAfterShortBlock = Int(made) < blockSize
            at += 4 + length
        }
        // Nothing compressed is the magic number alone.
        guard sink.count > 0 || at == input.endIndex else {
            throw Failure(compression: .lz4, reason: "it is cut short")
        }
        return at - input.startIndex
    }

    private static func zstd(_ input: [UInt8]) throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: ZSTD_compressBound(input.count))
        let made = ZSTD_compress(&output, output.count, input, input.count, 3)
        guard ZSTD_isError(made) == 0 else { throw Failure(compression: .zstd, reason: "the encoder failed") }
        return Array(output[..<made])
    }

    private static func gzip(_ input: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw Failure(compression: .gzip, reason: "no memory") }
        defer { deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(input.count))))
        let status = input.withUnsafeBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { throw Failure(compression: .gzip, reason: "the encoder failed") }
        return Array(output[..<Int(stream.total_out)])
    }
}
