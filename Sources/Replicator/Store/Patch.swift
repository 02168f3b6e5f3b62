/// Blocks of a region that were written since its chunk was stored: scattered writes cost what was written, not 4 MiB each.
///
/// As bytes: how many blocks, their numbers in the region, 4 bytes each, and their content in that order.
struct Patch: Equatable {
    /// In bytes, as QEMU tracks writes; a region's last block may be shorter.
    static let blockSize = 64 << 10
    /// Patches that a region may have; then it is stored whole again.
    static let limit = 2

    /// How many blocks a region of a length has.
    static func count(_ length: Int) -> Int { (length + blockSize - 1) / blockSize }

    /// Whether so many blocks of a region are few enough to be worth it: three quarters at most. A long run of writes ends in
    /// the middle of a region on both sides.
    static func isWorth(_ blocks: Int, of length: Int) -> Bool { blocks * 4 <= count(length) * 3 }

    /// Ascending.
    var blocks: [Int]
    var content: [UInt8]

    init(blocks: [Int], content: [UInt8]) {
        self.blocks = blocks
        self.content = content
    }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * (blocks.count + 1) + content.count)
        for number in [blocks.count] + blocks {
            bytes += (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        }
        return bytes + content
    }

    /// - Returns: nil where the bytes are no patch for a region of this length.
    init?(_ bytes: [UInt8], length: Int) {
        func number(_ index: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[4 * index + $1]) << (8 * $1) } }
        guard bytes.count >= 4 else { return nil }
        let count = number(0)
        guard count <= Self.count(length), bytes.count >= 4 * (count + 1) else { return nil }
        blocks = (0..<count).map { number($0 + 1) }
        content = Array(bytes[(4 * (count + 1))...])
        guard blocks.allSatisfy({ $0 < Self.count(length) }), zip(blocks, blocks.dropFirst()).allSatisfy({ $0 < $1 }),
            content.count == blocks.reduce(0, { $0 + Self.length(of: $1, in: length) })
        else { return nil }
    }

    /// Neighbouring blocks as one stretch each, in bytes of the region.
    static func stretches(_ blocks: [Int], of length: Int) -> [Range<Int>] {
        var stretches: [Range<Int>] = []
        for block in blocks {
            let start = block * blockSize
            let end = min(length, start + blockSize)
            if let last = stretches.last, last.upperBound == start {
                stretches[stretches.count - 1] = last.lowerBound..<end
            } else {
                stretches.append(start..<end)
            }
        }
        return stretches
    }

    static func length(of block: Int, in length: Int) -> Int { min(blockSize, length - block * blockSize) }

    /// - Precondition: the region has the length that the patch was made for.
    func apply(to region: inout [UInt8]) {
        var at = 0
        for block in blocks {
            let length = Self.length(of: block, in: region.count)
            let start = block * Self.blockSize
            region.replaceSubrange(start..<start + length, with: content[at..<at + length])
            at += length
        }
    }
}

extension Repository {
    /// What a region holds.
    /// - Parameter length: in bytes, of the region.
    /// - Throws: ``StoreError``, where it is not what was put, too.
    func region(_ entry: Manifest.Region, length: Int) async throws -> [UInt8] {
        func damaged(_ id: ChunkID) -> StoreError {
            StoreError(
                .damaged, "the chunk '\(id)' of the store '\(store.name)' doesn't belong where it is",
                hint: "capture the machine again")
        }
        guard let base = entry.chunks.first else { return [UInt8](repeating: 0, count: length) }
        var content = try await chunk(base)
        guard content.count == length else { throw damaged(base) }
        for id in entry.chunks.dropFirst() {
            guard let patch = Patch(try await chunk(id), length: length) else { throw damaged(id) }
            patch.apply(to: &content)
        }
        return content
    }
}
