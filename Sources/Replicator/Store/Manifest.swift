internal import Archives
internal import Foundation

/// All of one disk at one moment: every region by what it holds. Complete, so that any recovery point can go alone.
public struct Manifest: Equatable, Sendable {
    public enum Region: Hashable, Sendable {
        case zero
        case chunk(ChunkID)
        /// A chunk with these blocks laid over it, in their order: ``Patch`` in an object of a chunk's form.
        case patched(ChunkID, [ChunkID])

        var chunks: [ChunkID] {
            switch self {
            case .zero: []
            case .chunk(let id): [id]
            case .patched(let base, let patches): [base] + patches
            }
        }
    }

    /// In bytes, as a guest sees the disk.
    public var size: UInt64
    /// In bytes; the last region may be shorter.
    public var regionSize: Int
    public var regions: [Region]

    public init(size: UInt64, regionSize: Int, regions: [Region]) {
        self.size = size
        self.regionSize = regionSize
        self.regions = regions
    }

    /// How many regions a disk of a size has.
    static func count(size: UInt64, regionSize: Int) -> Int {
        Int((size + UInt64(regionSize) - 1) / UInt64(regionSize))
    }

    /// In bytes.
    func length(of region: Int) -> Int {
        Int(min(UInt64(regionSize), size - UInt64(region) * UInt64(regionSize)))
    }

    public var chunks: Set<ChunkID> {
        var chunks: Set<ChunkID> = []
        for region in regions { chunks.formUnion(region.chunks) }
        return chunks
    }

    // MARK: As an object

    private static let magic = Array("RHM1".utf8)
    private static let compressionLevel: Int32 = 3
    /// Regions of 4 MiB of a disk of 1 PiB.
    private static let countLimit = 1 << 28

    /// In a frame: "RHM1", the flags, and 3 bytes of nothing; then, encrypted where the store is, the disk's size, the
    /// region's, and the length of what follows uncompressed, 8 bytes each; then zstd of a byte for each region, the number
    /// of its objects: none where it is zeros, 1 for a chunk, more for a chunk and its patches; and of the objects' ids.
    /// - Parameter name: the object's own, which an encrypted one belongs to.
    func encoded(as name: String, cipher: Cipher) throws -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(regions.count * 33)
        for region in regions { body.append(UInt8(region.chunks.count)) }
        for region in regions { for id in region.chunks { body += id.bytes } }
        let packed = body.withUnsafeBytes { ZstdEncoder(level: Self.compressionLevel).encode($0, ifBelow: .max) } ?? []
        var payload = Self.number(size) + Self.number(UInt64(regionSize)) + Self.number(UInt64(body.count)) + packed
        var flags: UInt8 = 0
        if let keys = cipher.keys {
            flags = 1
            payload = try Cipher.seal(payload, key: keys.content, context: Array(name.utf8))
        }
        return Frame.around(payload, head: Self.magic + [flags, 0, 0, 0])
    }

    /// - Throws: ``StoreError`` where the object isn't the manifest that was put.
    init(_ object: [UInt8], as name: String, cipher: Cipher, store: String) throws {
        func damaged(_ how: String) -> StoreError {
            StoreError(
                .damaged, "the store '\(store)' has a damaged manifest '\(name)': \(how)",
                hint: "that recovery point is lost; 'rehost points' lists the others")
        }
        guard Frame.isWhole(object, magic: Self.magic) else { throw damaged("its checksum is another one") }
        var payload = Array(object[Frame.size...])
        guard (object[4] == 1) == (cipher.keys != nil) else {
            throw damaged("it is encrypted in another way than the store")
        }
        if let keys = cipher.keys {
            do {
                payload = try Cipher.open(payload, key: keys.content, context: Array(name.utf8))
            } catch { throw damaged("it can't be decrypted by the store's key") }
        }
        guard payload.count >= 24 else { throw damaged("it is too short") }
        size = Self.number(payload, 0)
        let length = Self.number(payload, 16)
        guard let regionSize = Int(exactly: Self.number(payload, 8)), (4096...(16 << 20) - 1).contains(regionSize),
            size < 1 << 60, length < UInt64(Self.countLimit) * UInt64(1 + 32 * (1 + Patch.limit)),
            Self.count(size: size, regionSize: regionSize) <= min(Self.countLimit, Int(length)),
            let body = ZstdEncoder.decode(Array(payload[24...]), size: Int(length))
        else { throw damaged("its numbers make no sense") }
        self.regionSize = regionSize
        let count = Self.count(size: size, regionSize: regionSize)
        var regions: [Region] = []
        regions.reserveCapacity(count)
        var next = count
        for index in 0..<count {
            let objects = Int(body[index])
            guard objects <= 1 + Patch.limit, next + 32 * objects <= body.count else { throw damaged("it lacks ids") }
            let ids = (0..<objects).map { ChunkID(bytes: Array(body[next + 32 * $0..<next + 32 * $0 + 32])) }
            next += 32 * objects
            switch ids.count {
            case 0: regions.append(.zero)
            case 1: regions.append(.chunk(ids[0]))
            default: regions.append(.patched(ids[0], Array(ids.dropFirst())))
            }
        }
        guard next == body.count else { throw damaged("it has more ids than regions") }
        self.regions = regions
    }

    private static func number(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func number(_ bytes: [UInt8], _ at: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << (8 * UInt64($1)) }
    }
}
