internal import Foundation

/// Whether a file system has room, asked before hours of work.
enum FreeRoom {
    /// - Parameter needed: bytes, at least.
    /// - Returns: the bytes that are free where these are fewer; nil where there is room, or no telling.
    static func missing(_ needed: UInt64, in folder: String) throws -> UInt64? {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: folder)
        guard let free = (attributes[.systemFreeSize] as? NSNumber)?.uint64Value, free < needed else { return nil }
        return free
    }
}
