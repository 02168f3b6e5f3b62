internal import Disks

/// What is to be done with each region of a disk: by what its source says, and by what the point before has.
struct DiskPlan {
    enum Work: Equatable {
        case read
        case zero
        /// As in the point before.
        case same
        /// As in the point before but for these blocks, ascending.
        case patch([Int])
        /// Zeros but for these stretches, in bytes of the region, ascending.
        case fill([Range<Int>])
    }

    private(set) var work: [Work]
    private let disk: SourceDisk
    private let regionSize: Int

    /// - Parameter isKnown: whether a chunk is there, and stays.
    init(_ disk: SourceDisk, after old: Manifest?, regionSize: Int, isKnown: (ChunkID) -> Bool) throws {
        self.disk = disk
        self.regionSize = regionSize
        work = [Work](repeating: .read, count: Manifest.count(size: disk.size, regionSize: regionSize))
        guard !work.isEmpty else { return }
        if let changes = disk.changes, let old {
            take(changes, old, isKnown)
        }
        let content = try disk.open()
        for stretch in stretches() { try leaveOutZeros(content, stretch) }
    }

    func length(of region: Int) -> Int {
        Int(min(UInt64(regionSize), disk.size - UInt64(region) * UInt64(regionSize)))
    }

    /// Where the source's word turns out to be worth nothing.
    mutating func distrust() {
        for index in work.indices where work[index] != .zero { work[index] = .read }
    }

    private mutating func take(_ changes: [NBDConnection.Extent], _ old: Manifest, _ isKnown: (ChunkID) -> Bool) {
        var blocks = [[Int]](repeating: [], count: work.count)
        for change in changes where change.length > 0 {
            // A source may know more of a disk than it has now.
            let first = min(change.offset, disk.size)
            let (sum, overflow) = change.offset.addingReportingOverflow(change.length)
            let end = overflow ? disk.size : min(sum, disk.size)
            var at = first
            while at < end {
                let region = Int(at / UInt64(regionSize))
                let next = min(end, UInt64(region + 1) * UInt64(regionSize))
                let start = UInt64(region) * UInt64(regionSize)
                let touched = Int(at - start) / Patch.blockSize...Int(next - 1 - start) / Patch.blockSize
                // Two stretches may lie in one block.
                blocks[region] += touched.drop { $0 <= blocks[region].last ?? -1 }
                at = next
            }
        }
        for index in work.indices where index < old.regions.count && old.length(of: index) == length(of: index) {
            let entry = old.regions[index]
            // What is damaged, or about to go, is stored anew.
            guard entry.chunks.allSatisfy(isKnown) else { continue }
            if blocks[index].isEmpty {
                work[index] = .same
            } else if entry == .zero {
                work[index] = .fill(Patch.stretches(blocks[index], of: length(of: index)))
            } else if entry.chunks.count <= Patch.limit,
                Patch.isWorth(blocks[index].count, of: length(of: index))
            {
                work[index] = .patch(blocks[index])
            }
        }
    }

    /// Of the disk, in bytes, ascending: where something is to be read.
    private func stretches() -> [Range<UInt64>] {
        var stretches: [Range<UInt64>] = []
        for index in work.indices where work[index] != .same {
            let start = UInt64(index) * UInt64(regionSize)
            let end = start + UInt64(length(of: index))
            if let last = stretches.last, last.upperBound == start {
                stretches[stretches.count - 1] = last.lowerBound..<end
            } else {
                stretches.append(start..<end)
            }
        }
        return stretches
    }

    /// Stretches of a region that are worth a request of their own.
    private static let stretchLimit = 16

    private mutating func leaveOutZeros(_ content: any DiskContent, _ stretch: Range<UInt64>) throws {
        /// Of the region that is looked at, in bytes of it.
        var holes: [Int: [Range<Int>]] = [:]
        for zeros in try content.zeros(in: stretch) {
            var at = zeros.lowerBound
            while at < zeros.upperBound {
                let region = Int(at / UInt64(regionSize))
                let start = UInt64(region) * UInt64(regionSize)
                let next = min(zeros.upperBound, start + UInt64(length(of: region)))
                if at == start, next == start + UInt64(length(of: region)) {
                    if work[region] != .same { work[region] = .zero }
                } else if work[region] == .read {
                    holes[region, default: []].append(Int(at - start)..<Int(next - start))
                }
                at = next
            }
        }
        for (region, holes) in holes where work[region] == .read {
            var kept: [Range<Int>] = []
            var at = 0
            for hole in holes {
                if hole.lowerBound > at { kept.append(at..<hole.lowerBound) }
                at = hole.upperBound
            }
            if at < length(of: region) { kept.append(at..<length(of: region)) }
            if kept.isEmpty {
                work[region] = .zero
            } else if kept.count <= Self.stretchLimit {
                work[region] = .fill(kept)
            }
        }
    }
}
