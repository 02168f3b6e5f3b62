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
        /// Zeros, as in the point before, but for these blocks.
        case fill([Int])
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
        let connection = try NBDConnection(disk.uri)
        guard connection.has(context: NBDConnection.allocation) else { return }
        for stretch in stretches() { try leaveOutZeros(connection, stretch) }
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
                work[index] = .fill(blocks[index])
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

    private mutating func leaveOutZeros(_ connection: NBDConnection, _ stretch: Range<UInt64>) throws {
        let extents = try connection.extents(
            NBDConnection.allocation, offset: stretch.lowerBound, length: stretch.upperBound - stretch.lowerBound)
        // 2: it reads as zeros.
        for extent in extents where extent.flags & 2 != 0 {
            let end = extent.offset + extent.length
            let first = Int((extent.offset + UInt64(regionSize) - 1) / UInt64(regionSize))
            // The last region may be a short one.
            let last = end == disk.size ? work.count : Int(end / UInt64(regionSize))
            for index in first..<max(first, last) where work[index] != .same { work[index] = .zero }
        }
    }
}
