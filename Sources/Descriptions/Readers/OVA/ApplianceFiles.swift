internal import Foundation

/// The files that come with an OVF: members of its archive, or what lies in its folder.
enum ApplianceFiles {
    /// Absolute.
    case folder(String)
    case archive(String, TarIndex)

    /// What a member is called in a ``MachineDescription``: its path, or its name in the archive.
    func place(of name: String) -> String {
        switch self {
        case .folder(let folder):
            URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: folder + "/")).standardizedFileURL.path
        case .archive: name
        }
    }

    /// Names that start from a folder in here.
    /// - Parameter base: ends in "/".
    func below(_ base: String) -> ApplianceFiles {
        switch self {
        case .folder(let folder): .folder(folder + "/" + base.dropLast())
        case .archive(let path, let index): .archive(path, index.below(base))
        }
    }

    /// - Returns: nil where there is none.
    /// - Throws: ``DescriptionFailure`` where the name leads elsewhere, or to what has no bytes of its own.
    func part(_ name: String) throws -> FilePart? {
        // A reference is a URI, though exporters rarely write it as one.
        let names = [name, name.removingPercentEncoding].compactMap { $0 }
        for name in names {
            if let part = try literal(name) { return part }
        }
        return nil
    }

    private func literal(_ name: String) throws -> FilePart? {
        switch self {
        case .folder(let folder):
            let place = place(of: name)
            let real = URL(fileURLWithPath: place).resolvingSymlinksInPath().path
            let root = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
            guard real.hasPrefix(root == "/" ? root : root + "/") else {
                throw DescriptionFailure(
                    "the OVF names '\(name)', outside its own folder",
                    hint: "if that is meant, put the file beside the OVF")
            }
            return HostFile.size(real).map { FilePart(file: place, size: $0) }
        case .archive(let path, let index):
            let wanted = name.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
            // Of several members of a name, tar has it that the last counts.
            guard let member = index.members.last(where: { $0.name == wanted }) else { return nil }
            guard member.kind == .file else {
                throw DescriptionFailure(
                    "'\(name)' in '\(path)' is a link, a folder or a sparse member, not a file as it is",
                    hint: "unpack the archive with tar -xf, and name the .ovf")
            }
            return FilePart(file: path, offset: member.offset, size: member.size)
        }
    }

    func names(startingWith prefix: String) -> [String] {
        switch self {
        case .folder(let folder):
            let inside = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
            let parent = inside.isEmpty ? folder : place(of: inside)
            guard parent == folder || parent.hasPrefix(folder + "/") else { return [] }
            return ((try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []).map { inside + $0 }
                .filter { $0.hasPrefix(prefix) }
        case .archive(_, let index): return index.members.map(\.name).filter { $0.hasPrefix(prefix) }
        }
    }
}
