internal import CGuestfs
internal import Foundation
internal import Glibc
public import Guest

/// btrfs subvolumes, encrypted devices, arrays and volume groups.
extension ApplianceGuest {
    public func subvolumes(on device: String) throws -> [Subvolume] {
        try mount(device, subvolume: "/", at: .root)
        defer { try? unmountAll() }
        let preferred = withHandle { guestfs_btrfs_subvolume_get_default($0.raw, "/") }
        let list = withHandle { guestfs_btrfs_subvolume_list($0.raw, "/") }
        guard let list else { throw withHandle { $0.failure("list the subvolumes of '\(device)'") } }
        defer { guestfs_free_btrfssubvolume_list(list) }
        return (0..<Int(list.pointee.len)).compactMap { index in
            let item = list.pointee.val[index]
            return item.btrfssubvolume_path.map {
                Subvolume(
                    path: String(cString: $0), id: item.btrfssubvolume_id,
                    isDefault: preferred > 0 && item.btrfssubvolume_id == UInt64(preferred))
            }
        }
    }

    // MARK: Encryption

    public func unlock(_ device: String, key: [UInt8]) throws -> String {
        let target = FileSystem.unlockedName(of: device)
        let name = String(target.dropFirst("/dev/mapper/".count))
        // libguestfs takes a key as a C string; what isn't one goes through a file in the appliance's memory.
        if !key.contains(0), let text = String(validating: key, as: UTF8.self) {
            try withHandle {
                try $0.check(guestfs_cryptsetup_open_argv($0.raw, device, text, name, nil), "unlock '\(device)'")
            }
        } else {
            try unlock(device, keyFile: key, name: name)
        }
        // Volumes inside the encrypted device.
        try withHandle { try $0.check(guestfs_lvm_scan($0.raw, 1), "look for volumes on '\(device)'") }
        unlocked.append(target)
        return target
    }

    private func unlock(_ device: String, keyFile: [UInt8], name: String) throws {
        guard Self.isPlain(device), Self.isPlain(name) else {
            throw GuestfsError(call: "unlock '\(device)'", reason: "the device has an odd name", code: EINVAL)
        }
        // The appliance's /tmp is memory.
        let file = "/tmp/rehost-key"
        try withTemporaryFile(keyFile) { local in
            try withHandle {
                try $0.check(guestfs_debug_upload($0.raw, local, file, 0o600), "hand the key of '\(device)' over")
            }
        }
        let output = try debug(
            "cryptsetup open --key-file \(file) \(device) \(name) 2>&1; echo status=$?; rm -f \(file)")
        guard output.contains("status=0") else {
            let reason = output.split(separator: "\n").first.map(String.init) ?? "it doesn't fit"
            throw GuestfsError(call: "unlock '\(device)'", reason: reason, code: EPERM)
        }
    }

    // MARK: Arrays and volume groups

    public func volumeSets() throws -> [VolumeSet] { try arrays() + volumeGroups() }

    private func volumeGroups() throws -> [VolumeSet] {
        let fields = "vg_name,vg_uuid,pv_uuid,pv_name,pv_missing"
        let output = try debug("lvm pvs --noheadings --separator ! -o \(fields) 2>/dev/null; true")
        var sets: [VolumeSet] = []
        for line in output.split(separator: "\n").prefix(4096) {
            let values = line.split(separator: "!", omittingEmptySubsequences: false).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard values.count >= 5, !values[1].isEmpty else { continue }
            var set = VolumeSet(kind: .volumeGroup, name: values[0], uuid: values[1], members: [])
            if let known = sets.firstIndex(where: { $0.uuid == values[1] }) { set = sets.remove(at: known) }
            if values[4].isEmpty {
                set.members.append(values[3])
            } else {
                set.missing.append("physical volume \(values[2])")
            }
            sets.append(set)
        }
        return sets
    }

    private func arrays() throws -> [VolumeSet] {
        var sets: [VolumeSet] = []
        let running = try withHandle {
            try $0.strings(guestfs_list_md_devices($0.raw), "list the RAID devices")
        }
        for device in running where Self.isPlain(device) {
            let facts = Self.facts(try debug("mdadm --detail --export \(device) 2>/dev/null; true"))
            let members = facts.filter { $0.key.hasPrefix("MD_DEVICE_") && $0.key.hasSuffix("_DEV") }.map(\.value)
                .sorted()
            // A container of firmware RAID is no array.
            guard let uuid = facts["MD_UUID"], let wanted = facts["MD_DEVICES"].flatMap({ Int($0) }) else { continue }
            let roles = facts.filter { $0.key.hasPrefix("MD_DEVICE_") && $0.key.hasSuffix("_ROLE") }
                .compactMap { Int($0.value) }
            var set = VolumeSet(
                kind: .array, name: facts["MD_NAME"] ?? GuestPath(device).name, uuid: uuid, device: device,
                members: members)
            set.missing = Self.missing(roles, of: wanted)
            if !set.missing.isEmpty, let member = members.first { set.isKnownIncomplete = try knowsOfGap(member) }
            sets.append(set)
        }
        return try sets + idleArrays(besides: sets)
    }

    /// Members of arrays that could not be started.
    private func idleArrays(besides running: [VolumeSet]) throws -> [VolumeSet] {
        let taken = Set(running.flatMap(\.members))
        var idle: [VolumeSet] = []
        for system in try fileSystems()
        where system.type == "linux_raid_member" && !taken.contains(system.device) && Self.isPlain(system.device) {
            let facts = Self.facts(try debug("mdadm --examine --export \(system.device) 2>/dev/null; true"))
            guard let uuid = facts["MD_UUID"], !running.contains(where: { $0.uuid == uuid }) else { continue }
            if let known = idle.firstIndex(where: { $0.uuid == uuid }) {
                idle[known].members.append(system.device)
                continue
            }
            var set = VolumeSet(kind: .array, name: facts["MD_NAME"] ?? uuid, uuid: uuid, members: [system.device])
            // Filled with how many there should be, until all members that are there are known.
            set.missing = Self.missing([], of: facts["MD_DEVICES"].flatMap { Int($0) } ?? 0)
            idle.append(set)
        }
        return idle.map { set in
            var set = set
            let lacking = set.missing.count - set.members.count
            set.missing = lacking > 0 ? ["\(lacking) of \(set.missing.count) members"] : []
            return set
        }
    }

    private static func missing(_ roles: [Int], of wanted: Int) -> [String] {
        (0..<min(max(wanted, 0), 256)).filter { !roles.contains($0) }.map { "member \($0 + 1) of \(wanted)" }
    }

    /// Whether a member was written to after another one was gone: its superblock says which of them were there.
    private func knowsOfGap(_ member: String) throws -> Bool {
        guard Self.isPlain(member) else { return false }
        let text = try debug("mdadm --examine \(member) 2>/dev/null; true")
        var active: Int?
        var wanted: Int?
        for line in text.split(separator: "\n").prefix(200) {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard parts.count == 2 else { continue }
            switch parts[0] {
            // Metadata 1.x: "A. ('A' == active, '.' == missing, 'R' == replacing)".
            case "Array State": return parts[1].prefix { $0 != " " }.contains(".")
            // Metadata 0.90.
            case "Raid Devices": wanted = Int(parts[1])
            case "Active Devices": active = Int(parts[1])
            default: break
            }
        }
        if let active, let wanted { return active < wanted }
        return false
    }

    /// NAME=value, a line each, as mdadm exports them.
    private static func facts(_ text: String) -> [String: String] {
        var facts: [String: String] = [:]
        for line in text.split(separator: "\n").prefix(2000) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, facts[parts[0]] == nil { facts[parts[0]] = parts[1] }
        }
        return facts
    }

    // MARK: Extended attributes

    private static let attributeDump: GuestPath = "/.rehost-attributes"

    /// Sets them all in one go, by attr's own tool: libguestfs ends a value at its first zero byte.
    func restore(_ attributes: [(GuestPath, [String: [UInt8]])]) throws {
        guard !attributes.isEmpty else { return }
        // The format of getfattr --dump; in names, what would end a line is written in octal.
        var dump = ""
        for (path, values) in attributes {
            dump += "# file: sysroot" + Self.quoted(path.description) + "\n"
            for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                dump += Self.quoted(name) + "=0x" + Hex.text(value) + "\n"
            }
            dump += "\n"
        }
        try withTemporaryFile(Array(dump.utf8)) { file in
            try withHandle {
                try $0.check(
                    guestfs_upload($0.raw, file, Self.attributeDump.description), "write the files' attributes")
            }
        }
        let output = try debug("cd / && setfattr -h --restore=/sysroot\(Self.attributeDump) 2>&1 && echo done")
        try withHandle { try $0.check(guestfs_rm_f($0.raw, Self.attributeDump.description), "remove what was written") }
        guard output.split(separator: "\n").last == "done" else {
            throw GuestfsError(call: "set the files' attributes", reason: String(output.prefix(500)), code: 0)
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0x5C || byte == 0x0A || byte == 0x0D || byte == 0x3D {
                quoted += [0x5C, 0x30 + (byte >> 6), 0x30 + (byte >> 3 & 7), 0x30 + (byte & 7)]
            } else {
                quoted.append(byte)
            }
        }
        return String(decoding: quoted, as: UTF8.self)
    }

    // MARK: The appliance's shell

    /// A command line of ours in the appliance's own shell: nothing in it comes from a guest but names that pass
    /// ``isPlain(_:)``.
    private func debug(_ commandLine: String) throws -> String {
        try Handle.withStrings([commandLine]) { arguments in
            try withHandle { handle in
                guard let output = guestfs_debug(handle.raw, "sh", arguments) else {
                    throw handle.failure("run a command in the appliance")
                }
                defer { free(output) }
                return String(cString: output)
            }
        }
    }

    /// Letters, digits and what device names have beside them; nothing that a shell reads.
    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 200
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "/_.+-:".utf8.contains(byte)
            } && !name.hasPrefix("-")
    }
}
