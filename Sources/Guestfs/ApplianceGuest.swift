internal import CGuestfs
internal import Foundation
internal import Glibc
public import Guest

/// The guest inside the appliance. What it has read it remembers until something is applied or mounted; a handful of
/// round trips then serve inspection and planning.
public final class ApplianceGuest: GuestMachine {
    private let handle: Handle
    private var g: OpaquePointer { handle.raw }
    let devices: [String]
    var cache = FileCache()
    var registry = ApplianceRegistry()
    /// Whether the file system at the root is one of Windows, whose programs don't tell `A` from `a`.
    public private(set) var caseSensitivity = CaseSensitivity.sensitive
    /// Encrypted devices that were opened.
    var unlocked: [String] = []

    init(handle: consuming Handle, diskCount: Int) throws {
        self.handle = handle
        devices = (0..<diskCount).map { "/dev/sd" + GuestDisk.letters($0) }
    }

    func withHandle<Result>(_ body: (borrowing Handle) throws -> Result) rethrows -> Result { try body(handle) }

    func shutDown() throws {
        try handle.check(guestfs_shutdown(g), "stop the appliance")
    }

    // MARK: Disks

    public func diskDevices() throws -> [(device: String, size: UInt64)] {
        try devices.map { device in
            let size = guestfs_blockdev_getsize64(g, device)
            guard size >= 0 else { throw handle.failure("tell the size of '\(device)'") }
            return (device, UInt64(size))
        }
    }

    public func sectors(disk: Int, first: UInt64, count: Int) throws -> [UInt8] {
        guard devices.indices.contains(disk) else {
            throw GuestfsError(call: "read disk \(disk)", reason: "there is no such disk", code: ENODEV)
        }
        guard first < 1 << 53, count >= 0, count < 1 << 20 else {
            throw GuestfsError(call: "read disk \(disk)", reason: "there is no sector \(first)", code: EINVAL)
        }
        let wanted = count * SectorEdit.sectorSize
        var result: [UInt8] = []
        while result.count < wanted {
            let offset = Int64(first) * Int64(SectorEdit.sectorSize) + Int64(result.count)
            var size = 0
            // One message holds up to 4 MiB.
            let length = Int32(min(wanted - result.count, 2 << 20))
            guard let bytes = guestfs_pread_device(g, devices[disk], length, offset, &size) else {
                throw handle.failure("read '\(devices[disk])' at \(offset)")
            }
            defer { free(bytes) }
            guard size > 0 else {
                throw GuestfsError(call: "read '\(devices[disk])' at \(offset)", reason: "the disk ends", code: 0)
            }
            result.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size))
        }
        return result
    }

    func write(_ edit: SectorEdit) throws {
        var done = 0
        let base = Int64(edit.firstSector) * Int64(SectorEdit.sectorSize)
        while done < edit.bytes.count {
            let length = min(edit.bytes.count - done, 2 << 20)
            let written = edit.bytes.withUnsafeBytes { bytes in
                guestfs_pwrite_device(
                    g, devices[edit.disk], bytes.baseAddress?.advanced(by: done).assumingMemoryBound(to: CChar.self),
                    length, base + Int64(done))
            }
            guard written > 0 else { throw handle.failure("write \(edit.what) to '\(devices[edit.disk])'") }
            done += Int(written)
        }
    }

    public func fileSystems() throws -> [FileSystem] {
        let partitions = try handle.strings(guestfs_list_partitions(g), "list the partitions")
        let partitioned = Set(partitions.map { String($0.prefix { !$0.isNumber }) })
        var found = try identify(partitions + devices.filter { !partitioned.contains($0) })
        // Each list costs a second under emulation: it is asked for where something on the disks says so.
        if found.contains(where: { $0.type == "linux_raid_member" }) {
            found += try identify(handle.strings(guestfs_list_md_devices(g), "list the RAID devices"))
        }
        found += try identify(unlocked)
        if found.contains(where: { $0.type == "LVM2_member" }) {
            found += try identify(handle.strings(guestfs_lvs(g), "list the logical volumes"))
        }
        return found
    }

    private func identify(_ names: [String]) throws -> [FileSystem] {
        try names.compactMap { device in
            guard let tags = try blkid(device), let type = tags["TYPE"] else { return nil }
            return FileSystem(
                device: device, type: type, uuid: tags["UUID"], label: tags["LABEL"],
                partitionUUID: devices.contains(device) ? nil : tags["PART_ENTRY_UUID"])
        }
    }

    /// What blkid finds on a device; nil where that is nothing.
    private func blkid(_ device: String) throws -> [String: String]? {
        // libguestfs 1.48 prints an error for an empty device; there is nothing on it then.
        guard let list = guestfs_blkid(g, device) else { return nil }
        let flat = try handle.strings(list, "identify '\(device)'")
        var tags: [String: String] = [:]
        for index in stride(from: 0, to: flat.count - 1, by: 2) { tags[flat[index]] = flat[index + 1] }
        return tags
    }

    public func mount(_ device: String, subvolume: String?, at path: GuestPath) throws {
        cache.forget(inside: path)
        let options = subvolume.map { $0 == "/" ? "subvolid=5" : "subvol=\($0)" } ?? ""
        try handle.check(
            guestfs_mount_options(g, options, device, path.description), "mount '\(device)' at '\(path)'")
        if path.isRoot { caseSensitivity = try blkid(device)?["TYPE"] == "ntfs" ? .insensitive : .sensitive }
    }

    public func unmountAll() throws {
        cache = FileCache()
        try forgetRegistry()
        try handle.check(guestfs_umount_all(g), "unmount the guest's file systems")
    }

    public func space(at path: GuestPath) throws -> (bytes: UInt64, inodes: UInt64?) {
        guard let space = guestfs_statvfs(g, path.description) else {
            throw handle.failure("tell the free space at '\(path)'")
        }
        defer { guestfs_free_statvfs(space) }
        let inodes = space.pointee.files > 0 ? UInt64(clamping: space.pointee.ffree) : nil
        return (UInt64(clamping: space.pointee.bavail) * UInt64(clamping: space.pointee.frsize), inodes)
    }

    // MARK: Files

    /// Nothing that is read whole is larger: an initramfs with every firmware file in it takes half of this.
    private static let fileLimit: UInt64 = 1 << 30

    public func entry(at path: GuestPath) throws -> FileEntry? {
        if let known = cache.entry(at: path) { return known.entry }
        guard let status = guestfs_lstatns(g, path.description) else {
            let code = guestfs_last_errno(g)
            guard code == ENOENT || code == ENOTDIR else { throw handle.failure("look at '\(path)'") }
            cache.remember(nil, at: path)
            return nil
        }
        defer { guestfs_free_statns(status) }
        var target: String?
        if UInt32(truncatingIfNeeded: status.pointee.st_mode) & 0o170000 == 0o120000 {
            guard let link = guestfs_readlink(g, path.description) else {
                throw handle.failure("read the symlink '\(path)'")
            }
            defer { free(link) }
            target = String(cString: link)
        }
        let entry = Self.entry(status.pointee, target: target)
        cache.remember(entry, at: path)
        return entry
    }

    static func entry(_ status: guestfs_statns, target: String?) -> FileEntry {
        let mode = UInt32(truncatingIfNeeded: status.st_mode)
        let kind: FileEntry.Kind =
            switch mode & 0o170000 {
            case 0o100000: .file
            case 0o040000: .directory
            case 0o120000: .symlink(target: target ?? "")
            default: .special
            }
        return FileEntry(
            kind: kind, permissions: UInt16(mode & 0o7777), owner: UInt32(clamping: status.st_uid),
            group: UInt32(clamping: status.st_gid), size: kind == .file ? UInt64(clamping: status.st_size) : 0)
    }

    public func contents(ofFile path: GuestPath) throws -> [UInt8] {
        if let known = cache.contents(at: path) { return known }
        let size = try entry(at: path)?.size ?? 0
        guard size <= Self.fileLimit else {
            throw GuestPathError(path: path, reason: "it is larger than \(Self.fileLimit >> 20) MiB")
        }
        let bytes = try size <= Self.smallFile ? readInPieces(path, size: size) : readAtOnce(path)
        if UInt64(bytes.count) <= Self.smallFile { cache.remember(contents: bytes, at: path) }
        return bytes
    }

    /// guestfs_read_file takes a third of a second under emulation, however small the file is; below this, messages of
    /// up to 2 MiB are quicker.
    private static let smallFile: UInt64 = 4 << 20

    public func start(ofFile path: GuestPath, count: Int) throws -> [UInt8]? {
        guard try entry(at: path)?.kind == .file else { return nil }
        var size = 0
        // One message holds up to 4 MiB.
        guard let bytes = guestfs_pread(g, path.description, Int32(min(count, 2 << 20)), 0, &size) else {
            throw handle.failure("read '\(path)'")
        }
        defer { free(bytes) }
        return Array(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    private func readInPieces(_ path: GuestPath, size: UInt64) throws -> [UInt8] {
        var result: [UInt8] = []
        while true {
            var count = 0
            guard let bytes = guestfs_pread(g, path.description, 2 << 20, Int64(result.count), &count) else {
                throw handle.failure("read '\(path)'")
            }
            defer { free(bytes) }
            result.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
            // Files in /proc and /sys say that they are empty; nobody reads those.
            if count == 0 || UInt64(result.count) >= size { return result }
        }
    }

    private func readAtOnce(_ path: GuestPath) throws -> [UInt8] {
        var size = 0
        guard let bytes = guestfs_read_file(g, path.description, &size) else {
            throw handle.failure("read '\(path)'")
        }
        defer { free(bytes) }
        return Array(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    /// One listing brings the status and the symlink targets of all names along.
    public func names(inDirectory path: GuestPath) throws -> [String] {
        if let known = cache.names(in: path) { return known }
        let names = try handle.strings(guestfs_ls(g, path.description), "list '\(path)'")
        guard !names.isEmpty else {
            cache.remember(names: [], in: path)
            return []
        }
        let targets = try Handle.withStrings(names) {
            try handle.strings(guestfs_readlinklist(g, path.description, $0), "list '\(path)'")
        }
        let statuses = Handle.withStrings(names) { guestfs_lstatnslist(g, path.description, $0) }
        guard let statuses else { throw handle.failure("list '\(path)'") }
        defer { guestfs_free_statns_list(statuses) }
        for (index, name) in names.enumerated()
        where index < Int(statuses.pointee.len) && statuses.pointee.val[index].st_ino != -1 {
            let target = index < targets.count ? targets[index] : nil
            cache.remember(Self.entry(statuses.pointee.val[index], target: target), at: path.appending(name))
        }
        cache.remember(names: names, in: path)
        return names
    }
}
