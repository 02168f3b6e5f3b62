internal import Archives
internal import Foundation

/// A chunk's name: what it holds, hashed.
public struct ChunkID: Hashable, Sendable, CustomStringConvertible {
    /// 32.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        precondition(bytes.count == 32, "an id has 32 bytes")
        self.bytes = bytes
    }

    init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var digits = hex.utf8.makeIterator()
        func digit(_ code: UInt8) -> UInt8? {
            switch code {
            case 48...57: code - 48
            case 97...102: code - 87
            default: nil
            }
        }
        while let high = digits.next(), let low = digits.next() {
            guard let high = digit(high), let low = digit(low) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    private static let digits = Array("0123456789abcdef".utf8)

    public var description: String {
        String(decoding: bytes.flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// "chunks/ab/abcd…"
    var object: String {
        let hex = description
        return "chunks/\(hex.prefix(2))/\(hex)"
    }

    init?(object: String) {
        guard let name = object.split(separator: "/").last, object.hasPrefix("chunks/") else { return nil }
        self.init(hex: name)
    }
}

/// An object's frame: 8 bytes of what it is, the SHA-256 of these and of what follows, and that. Whoever checks a store needs
/// no key for it.
enum Frame {
    static let size = 40

    /// - Parameter head: 8 bytes.
    static func around(_ payload: [UInt8], head: [UInt8]) -> [UInt8] {
        var object = [UInt8]()
        object.reserveCapacity(size + payload.count)
        object += head
        object += head.withUnsafeBytes { head in payload.withUnsafeBytes { Cipher.sha256([head, $0]) } }
        object += payload
        return object
    }

    static func isWhole(_ object: [UInt8], magic: [UInt8]) -> Bool {
        guard object.count >= size, object.starts(with: magic) else { return false }
        let digest = object.withUnsafeBytes {
            Cipher.sha256([.init(rebasing: $0[..<8]), .init(rebasing: $0[size...])])
        }
        return digest == Array(object[8..<size])
    }
}

/// A region's content as an object: "RHC1", the flags, and the content's length in 3 bytes; then the content, compressed where
/// that makes it smaller, encrypted where the store is.
enum Chunk {
    private static let magic = Array("RHC1".utf8)
    private static let compressed: UInt8 = 1
    private static let encrypted: UInt8 = 2

    /// - Parameter scratch: zstd's memory, which is used again for the next one.
    static func encode(
        _ content: UnsafeRawBufferPointer, _ id: ChunkID, cipher: Cipher, scratch: ZstdEncoder
    ) throws -> [UInt8] {
        let packed = scratch.encode(content, ifBelow: content.count - content.count / 16)
        var flags = packed == nil ? 0 : compressed
        var payload = packed ?? Array(content)
        if let keys = cipher.keys {
            flags |= encrypted
            payload = try Cipher.seal(payload, key: keys.content, context: id.bytes + [flags])
        }
        let size = UInt32(content.count)
        let header = magic + [flags] + (0..<3).map { UInt8(truncatingIfNeeded: size >> (8 * UInt32($0))) }
        return Frame.around(payload, head: header)
    }

    /// Whether an object is what was put; no key is needed.
    static func isWhole(_ object: [UInt8]) -> Bool {
        Frame.isWhole(object, magic: magic)
    }

    /// - Throws: ``StoreError`` where the object isn't what was put under this id.
    static func decode(_ object: [UInt8], _ id: ChunkID, cipher: Cipher, store: String) throws -> [UInt8] {
        func damaged(_ how: String) -> StoreError {
            StoreError(
                .damaged, "the store '\(store)' has a damaged chunk '\(id)': \(how)",
                hint: "'rehost verify --deep' lists the points that it is part of; capture those machines again")
        }
        guard isWhole(object) else { throw damaged("its checksum is another one") }
        let flags = object[4]
        let size = (0..<3).reduce(0) { $0 | Int(object[5 + $1]) << (8 * $1) }
        var payload = Array(object[Frame.size...])
        if flags & encrypted != 0 {
            guard let keys = cipher.keys else { throw damaged("it is encrypted, and the store isn't") }
            do {
                payload = try Cipher.open(payload, key: keys.content, context: id.bytes + [flags])
            } catch { throw damaged("it can't be decrypted by the store's key") }
        } else if cipher.keys != nil {
            throw damaged("it isn't encrypted, and the store is")
        }
        if flags & compressed != 0 {
            guard let content = ZstdEncoder.decode(payload, size: size) else {
                throw damaged("it can't be decompressed")
            }
            payload = content
        }
        guard payload.count == size, payload.withUnsafeBytes({ cipher.id(of: $0) }) == id else {
            throw damaged("its content is another one")
        }
        return payload
    }
}
