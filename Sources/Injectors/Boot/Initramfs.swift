internal import Archives
internal import Guest

/// What an initramfs holds, over all of its segments: archives one behind the other, each plain or compressed, with
/// zeros between them, as the kernel unpacks them (init/initramfs.c).
struct Initramfs {
    /// Names of all files, over all segments, without a leading slash.
    private(set) var paths: Set<String> = []
    /// How the last compressed segment is compressed; nil where none is.
    private(set) var compression: Compression?

    struct Unreadable: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }

    /// 1 GiB unpacked, over all segments: far more than a kernel could unpack on a small machine.
    private static let limit = 1 << 30

    init(_ bytes: [UInt8]) throws {
        var at = bytes.startIndex
        var budget = Self.limit
        while let start = bytes[at...].firstIndex(where: { $0 != 0 }) {
            let rest = bytes[start...]
            if Cpio.hasMagic(rest) {
                let (entries, end) = try Cpio.list(rest)
                paths.formUnion(entries.map(\.path))
                at = end
            } else if let compression = Compression(magicOf: rest) {
                let decoded = try compression.decode(rest, limit: budget)
                budget -= decoded.bytes.count
                try addArchives(in: decoded.bytes)
                self.compression = compression
                at = start + decoded.consumed
            } else {
                throw Unreadable(reason: "it is neither a cpio archive nor compressed in a known way")
            }
        }
        if paths.isEmpty { throw Unreadable(reason: "it is empty") }
    }

    private mutating func addArchives(in bytes: [UInt8]) throws {
        var at = bytes.startIndex
        while let start = bytes[at...].firstIndex(where: { $0 != 0 }) {
            let (entries, end) = try Cpio.list(bytes[start...])
            paths.formUnion(entries.map(\.path))
            at = end
        }
    }

    /// The folder that holds a kernel's modules in here: "usr/lib/modules/6.1.0-18-amd64"; nil where there is none.
    func moduleFolder(of version: String) -> String? {
        ["usr/lib/modules/\(version)", "lib/modules/\(version)"].first { folder in
            paths.contains { $0.hasPrefix(folder + "/") }
        }
    }

    /// The module files of a kernel, relative to its folder: "kernel/drivers/virtio/virtio.ko".
    func modules(of version: String) -> Set<String> {
        guard let folder = moduleFolder(of: version) else { return [] }
        return Set(
            paths.filter { $0.hasPrefix(folder + "/") && ModuleIndex.isModule($0) }
                .map { String($0.dropFirst(folder.count + 1)) })
    }
}
