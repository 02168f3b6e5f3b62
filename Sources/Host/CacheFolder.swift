public import Foundation

/// Where rehost keeps what it can make again: `${XDG_CACHE_HOME:-~/.cache}/rehost`.
public enum CacheFolder {
    /// The cache folder, made (mode 0700) when it isn't there. Throws ``CacheFolderError`` when it can't be made.
    public static func url() throws -> URL {
        let folder = base().appendingPathComponent("rehost", isDirectory: true)
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw CacheFolderError(path: folder.path, cause: error.localizedDescription)
        }
        return folder
    }

    private static func base() -> URL {
        // The XDG specification has a relative XDG_CACHE_HOME ignored.
        if let named = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"], named.hasPrefix("/") {
            return URL(fileURLWithPath: named, isDirectory: true)
        }
        return FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache", isDirectory: true)
    }
}

/// The cache folder could not be made.
public struct CacheFolderError: Error, CustomStringConvertible {
    public let path: String
    public let cause: String

    public var description: String {
        """
        could not create the cache folder '\(path)': \(cause)
        hint: set XDG_CACHE_HOME to a folder that can be written
        """
    }
}
