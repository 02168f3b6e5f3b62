internal import Archives
internal import CGuestfs
internal import Foundation
internal import Glibc
public import Guest

extension ApplianceGuest {
    /// Files, folders and symlinks go in as one tar archive; then what is removed, appended, set in the registry, run;
    /// boot code last.
    @discardableResult
    public func apply(_ plan: Plan, progress: (String) -> Void) throws -> [Finding] {
        let labels = try caseSensitivity == .sensitive ? labels(for: plan) : descriptors(for: plan)
        let edits = plan.items.compactMap { if case .registry(let edit) = $0.change { edit } else { nil } }
        progress("files")
        try uploadArchive(of: plan)
        for item in plan.items {
            switch item.change {
            case .append(let path, let bytes, let offset): try append(bytes, to: path, at: offset)
            case .remove(let path):
                try withHandle { try $0.check(guestfs_rm_f($0.raw, path.description), "remove '\(path)'") }
            default: break
            }
        }
        try restore(labels)
        cache = FileCache()
        if !edits.isEmpty { progress("the registry") }
        try apply(edits)
        try forgetRegistry()
        var findings: [Finding] = []
        for item in plan.items {
            guard case .run(let command) = item.change else { continue }
            progress(command.reason)
            guard let failure = try run(command) else { continue }
            findings.append(
                Finding(
                    level: .warning, injector: item.injector,
                    message: "could not \(command.reason): \(failure); the guest is as it would be without it"))
        }
        cache = FileCache()
        for path in plan.labels.keys.sorted() {
            guard let context = plan.labels[path], try entry(at: path) != nil else { continue }
            do {
                // The kernel's tools write the closing zero, too.
                try set(["security.selinux": Array(context.utf8) + [0]], on: path)
            } catch let error as GuestfsError where error.code == ENOTSUP {
                // FAT has no labels.
            }
        }
        for case .disk(let edit) in plan.items.map(\.change) {
            progress(edit.what)
            try write(edit)
        }
        try withHandle { try $0.check(guestfs_sync($0.raw), "write the changes back") }
        return findings
    }

    private func uploadArchive(of plan: Plan) throws {
        var entries: [Tar.Entry] = []
        for change in plan.items.map(\.change) {
            switch change {
            case .write(let path, let bytes, let permissions):
                let old = try entry(at: path)
                entries.append(
                    Tar.Entry(
                        path: Self.inArchive(path), kind: .file(bytes), permissions: permissions,
                        owner: old?.owner ?? 0, group: old?.group ?? 0))
            case .directory(let path, let permissions):
                entries.append(Tar.Entry(path: Self.inArchive(path), kind: .directory, permissions: permissions))
            case .symlink(let path, let target):
                // tar won't replace a regular file's name by a symlink's everywhere; what is in the way goes first.
                try withHandle { try $0.check(guestfs_rm_f($0.raw, path.description), "replace '\(path)'") }
                entries.append(
                    Tar.Entry(path: Self.inArchive(path), kind: .symlink(target: target), permissions: 0o777))
            default: break
            }
        }
        guard !entries.isEmpty else { return }
        try withTemporaryFile(Tar.write(entries)) { file in
            try withHandle { handle in
                try handle.check(
                    guestfs_tar_in_opts_argv(handle.raw, file, "/", nil), "lay \(entries.count) files into the guest")
            }
        }
    }

    private static func inArchive(_ path: GuestPath) -> String { path.components.joined(separator: "/") }

    private func append(_ bytes: [UInt8], to path: GuestPath, at offset: UInt64) throws {
        try withTemporaryFile(bytes) { file in
            try withHandle {
                try $0.check(
                    guestfs_upload_offset($0.raw, file, path.description, Int64(offset)), "extend '\(path)'")
            }
        }
    }

    /// - Returns: why the command failed, where that is tolerated.
    private func run(_ command: GuestCommand) throws -> String? {
        defer {
            if let input = command.input { _ = withHandle { guestfs_rm_f($0.raw, input.path.description) } }
        }
        do {
            if let input = command.input {
                try withTemporaryFile(input.bytes) { file in
                    try withHandle {
                        try $0.check(guestfs_upload($0.raw, file, input.path.description), "lay down '\(input.path)'")
                    }
                }
            }
            try run(command.arguments, command.reason)
            return nil
        } catch {
            guard case .tolerated(let putBack) = command.failure else { throw error }
            for arguments in putBack { try? run(arguments, command.reason) }
            let reason = (error as? GuestfsError)?.reason ?? "\(error)"
            return String(reason.split(separator: "\n").first ?? "it failed")
        }
    }

    private func run(_ arguments: [String], _ reason: String) throws {
        try Handle.withStrings(arguments) { arguments in
            try withHandle { handle in
                guard let output = guestfs_command(handle.raw, arguments) else { throw handle.failure(reason) }
                free(output)
            }
        }
    }

    // MARK: Labels

    /// A file that is replaced keeps its extended attributes; a new one gets its folder's SELinux label.
    private func labels(for plan: Plan) throws -> [(GuestPath, [String: [UInt8]])] {
        var result: [(GuestPath, [String: [UInt8]])] = []
        var ofFolders: [GuestPath: [String: [UInt8]]] = [:]
        for item in plan.items {
            guard let path = item.change.path else { continue }
            switch item.change {
            case .append, .remove: continue
            default: break
            }
            if try entry(at: path)?.kind == .file {
                result.append((path, try attributes(of: path)))
            } else if plan.labels[path] != nil {
                continue
            } else if let folder = try nearestFolder(above: path) {
                if ofFolders[folder] == nil { ofFolders[folder] = try attributes(of: folder) }
                result.append((path, (ofFolders[folder] ?? [:]).filter { $0.key == "security.selinux" }))
            }
        }
        return result.filter { !$0.1.isEmpty }
    }

    // MARK: NTFS

    private static let security = "system.ntfs_acl"
    private static let attributes = "system.ntfs_attrib_be"

    /// ntfs-3g lets everybody write to what it makes. A file that is replaced keeps its security descriptor; a new one gets
    /// its folder's. ntfs-3g(8) has it, and the attributes, as extended attributes that no listing shows.
    private func descriptors(for plan: Plan) throws -> [(GuestPath, [String: [UInt8]])] {
        var result: [(GuestPath, [String: [UInt8]])] = []
        var ofFolders: [GuestPath: [UInt8]?] = [:]
        for item in plan.items {
            guard let path = item.change.path else { continue }
            switch item.change {
            case .append, .remove: continue
            default: break
            }
            var all: [String: [UInt8]] = [:]
            if try entry(at: path)?.kind == .file {
                all[Self.security] = try attribute(Self.security, of: path)
            } else if let folder = try nearestFolder(above: path) {
                if ofFolders[folder] == nil { ofFolders[folder] = .some(try attribute(Self.security, of: folder)) }
                all[Self.security] = ofFolders[folder] ?? nil
            }
            // A file system that has no descriptors, the EFI system partition's, has none of the other, too.
            if all.isEmpty { continue }
            if let number = plan.attributes[path] { all[Self.attributes] = LittleEndian.bytes(number).reversed() }
            result.append((path, all))
        }
        return result
    }

    /// nil where the file system has none.
    private func attribute(_ name: String, of path: GuestPath) throws -> [UInt8]? {
        try withHandle { handle in
            var size = 0
            guard let bytes = guestfs_lgetxattr(handle.raw, path.description, name, &size) else {
                let code = guestfs_last_errno(handle.raw)
                if code == ENOTSUP || code == ENODATA { return nil }
                throw handle.failure("read the rights on '\(path)'")
            }
            defer { free(bytes) }
            return Array(UnsafeRawBufferPointer(start: bytes, count: size))
        }
    }

    private func nearestFolder(above path: GuestPath) throws -> GuestPath? {
        var folder = path.parent
        while !folder.isRoot {
            if try entry(at: folder)?.kind == .directory { return folder }
            folder = folder.parent
        }
        return folder
    }

    private func attributes(of path: GuestPath) throws -> [String: [UInt8]] {
        if let known = cache.extendedAttributes(at: path) { return known }
        let found = try withHandle { handle in
            guard let list = guestfs_lgetxattrs(handle.raw, path.description) else {
                // A file system without them.
                if guestfs_last_errno(handle.raw) == ENOTSUP { return [String: [UInt8]]() }
                throw handle.failure("read the labels of '\(path)'")
            }
            defer { guestfs_free_xattr_list(list) }
            var attributes: [String: [UInt8]] = [:]
            for index in 0..<Int(list.pointee.len) {
                let item = list.pointee.val[index]
                guard let name = item.attrname else { continue }
                let bytes = UnsafeRawBufferPointer(start: item.attrval, count: Int(item.attrval_len))
                attributes[String(cString: name)] = Array(bytes)
            }
            return attributes
        }
        cache.remember(attributes: found, at: path)
        return found
    }

    private func set(_ attributes: [String: [UInt8]], on path: GuestPath) throws {
        for (name, value) in attributes {
            let status = value.withUnsafeBytes { bytes in
                withHandle { handle in
                    guestfs_lsetxattr(
                        handle.raw, name, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(value.count), path.description)
                }
            }
            try withHandle { try $0.check(status, "set the label of '\(path)'") }
        }
    }

    func withTemporaryFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let folder = withHandle { handle -> String in
            guard let folder = guestfs_get_tmpdir(handle.raw) else { return "/tmp" }
            defer { free(folder) }
            return String(cString: folder)
        }
        let file = folder + "/upload-" + UUID().uuidString
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        defer { unlink(file) }
        try body(file)
    }
}
