internal import Foundation

/// The last sector of a VHD (Virtual Hard Disk Image Format Specification, 2006). Of a fixed VHD it is the only sign: the
/// rest is the disk itself, and qemu-img takes it for raw, with a sector too much at its end.
public struct VHDFooter: Sendable, Equatable {
    public enum Kind: UInt32, Sendable {
        case fixed = 2
        case dynamic = 3
        case differencing = 4
    }

    public static let size = 512

    public var kind: Kind
    /// Of the disk, in bytes.
    public var currentSize: UInt64

    /// nil where the sector is no footer, or one whose checksum is wrong.
    public init?(sector: [UInt8]) {
        guard sector.count == Self.size, sector.starts(with: "conectix".utf8) else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { sector[range].reduce(0) { $0 << 8 | UInt64($1) } }
        // The complement of the sum of all bytes but the checksum's own.
        let sum = sector.indices.reduce(UInt32(0)) { (64..<68).contains($1) ? $0 : $0 &+ UInt32(sector[$1]) }
        guard number(64..<68) == UInt64(~sum), let kind = Kind(rawValue: UInt32(number(60..<64))) else { return nil }
        self.kind = kind
        currentSize = number(48..<56)
    }

    /// The footer of a file; nil where there is none.
    public init?(endOf path: String) {
        guard let handle = FileHandle(forReadingAtPath: path), let end = try? handle.seekToEnd(), end >= Self.size,
            (try? handle.seek(toOffset: end - UInt64(Self.size))) != nil,
            let sector = try? handle.read(upToCount: Self.size)
        else { return nil }
        self.init(sector: Array(sector))
    }
}
