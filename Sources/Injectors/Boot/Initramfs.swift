internal import Archives
internal import Guest

/// What an initramfs holds, over all of its segments: archives one behind the other, each plain or compressed, with
/// zeros between them, as the kernel unpacks them (init/initramfs.c).
struct Initramfs {
    /// Names of all files, over all segments, without a leading slash.
    let paths: Set<String>
    /// How the last compressed segment is compressed; nil where none is.
    private(set) var compression: Compression?

    struct Unreadable: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }

    /// 1 GiB unpacked, over all segments: far more than a kernel could unpack on a small machine.
    static let limit = 1 << 30
    /// Microcode, the system's own, and what was appended since: a handful.
    private static let segmentLimit = 256
    private static let lzo: [UInt8] = [0x89, 0x4C, 0x5A, 0x4F]

    /// - Parameter limit: in bytes, unpacked; only tests need another.
    init(_ bytes: [UInt8], limit: Int = Self.limit) throws {
        var walker = CpioWalker()
        var at = bytes.startIndex
        var budget = limit
        var segments = 0
        while let start = bytes[at...].firstIndex(where: { $0 != 0 }) {
            segments += 1
            guard segments <= Self.segmentLimit else {
                throw Unreadable(reason: "it has more than \(Self.segmentLimit) segments")
            }
            let rest = bytes[start...]
            if Cpio.hasMagic(rest) {
                at = start + (try rest.withUnsafeBytes { try walker.take($0) })
            } else if let compression = Compression(magicOf: rest) {
                let consumed = try compression.decode(rest, limit: budget) { piece in
                    guard try walker.take(piece) == piece.count else {
                        throw Unreadable(reason: "a compressed part of it holds something that is no archive")
                    }
                    budget -= piece.count
                }
                self.compression = compression
                at = start + consumed
            } else if rest.starts(with: Self.lzo) {
                throw Unreadable(reason: "it is compressed with LZO, which can't be read here")
            } else {
                throw Unreadable(reason: "it is neither a cpio archive nor compressed in a known way")
            }
            guard walker.isComplete else { throw Unreadable(reason: "an archive in it is cut short") }
        }
        paths = walker.paths
        if paths.isEmpty { throw Unreadable(reason: "it is empty") }
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

    /// The kernels that it holds modules of, sorted.
    var versions: [String] {
        var versions: Set<Substring> = []
        for path in paths where ModuleIndex.isModule(path) {
            let parts = path.split(separator: "/")
            guard let place = parts.firstIndex(of: "modules"), place > 0, parts[place - 1] == "lib",
                parts.count > place + 2
            else { continue }
            versions.insert(parts[place + 1])
        }
        return versions.map(String.init).sorted()
    }

    func holds(fileNamed name: String) -> Bool { paths.contains(name) || paths.contains { $0.hasSuffix("/" + name) } }

    /// Whether it loads the modules that the hardware asks for by its aliases, so that a module which is added is
    /// loaded like those that were there: udev with the rule for it, or Alpine's own program. What loads a list
    /// (Red Hat's nash, SUSE's scripts without udev, genkernel) or has an index of its own (booster) doesn't. Booted so:
    /// initramfs-tools, and dracut 059 with systemd.
    var loadsByAlias: Bool {
        // 90-modprobe.rules is what the same rule was called in older udevs.
        ["80-drivers.rules", "90-modprobe.rules", "nlplug-findfs"].contains { holds(fileNamed: $0) }
    }
}
