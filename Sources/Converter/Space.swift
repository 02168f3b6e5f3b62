internal import Guest

/// Whether a plan fits into the guest's file systems.
enum Space {
    /// A system with less than this free in / is in trouble by itself; /boot must hold one more kernel's files.
    private static let root: UInt64 = 100 << 20
    private static let boot: UInt64 = 50 << 20
    private static let inodes: UInt64 = 100

    static func findings(for plan: Plan, guest: Inspection) -> [Finding] {
        var needs: [String: (bytes: UInt64, files: UInt64)] = [:]
        for item in plan.items {
            guard let path = item.change.path, let mount = guest.mount(holding: path) else { continue }
            let (bytes, files) = needed(by: item)
            needs[mount.device, default: (0, 0)].bytes += bytes
            needs[mount.device, default: (0, 0)].files += files
        }
        var seen: Set<String> = []
        return guest.mounts.compactMap { mount in
            guard seen.insert(mount.device).inserted else { return nil }
            let floor: UInt64 = mount.path.isRoot ? root : mount.path == "/boot" ? boot : 0
            let need = needs[mount.device] ?? (0, 0)
            // A rewritten file exists twice for a moment, and blocks are 4 KiB: the needs below count for that.
            let bytes = max(floor, need.bytes)
            let isWritten = need.files > 0 || mount.path.isRoot || mount.path == "/boot"
            if isWritten, mount.free < bytes {
                return finding(guest, mount, "\(mount.free >> 20) MiB", "\(max(1, bytes >> 20)) MiB")
            }
            if isWritten, let free = mount.freeInodes, free < max(inodes, need.files) {
                return finding(guest, mount, "\(free) inodes", "\(max(inodes, need.files))")
            }
            return nil
        }
    }

    private static func needed(by item: Plan.Item) -> (UInt64, UInt64) {
        let block: UInt64 = 4096
        func rounded(_ count: Int) -> UInt64 { (UInt64(count) + block - 1) / block * block + block }
        return switch item.change {
        case .write(_, let bytes, _): (rounded(bytes.count), 1)
        case .append(_, let bytes, _): (rounded(bytes.count), 0)
        case .directory, .symlink: (block, 1)
        // A hive grows by what is set in it; a few values fit into its last bin.
        case .registry: (block, 0)
        case .remove, .disk, .run: (0, 0)
        }
    }

    private static func finding(_ guest: Inspection, _ mount: Mount, _ free: String, _ needed: String) -> Finding {
        Finding(
            level: .blocker, injector: "plan",
            message: "'\(mount.path)' of the guest (\(mount.device)) has \(free) free; \(needed) are needed",
            hint: guest.windows == nil
                ? "make room in the source: old kernels (apt autoremove), logs, package caches (apt clean)"
                : "make room in the source: Disk Clean-up, old update files")
    }
}
