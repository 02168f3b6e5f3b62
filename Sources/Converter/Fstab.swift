internal import Guest

/// fstab(5), as far as mounting the guest's tree needs it.
struct Fstab {
    struct Line {
        var source: String
        var path: GuestPath
        var type: String
        var options: [String]

        /// The btrfs subvolume that the options name.
        var subvolume: String? { value(of: "subvol") }

        /// The same by its number.
        var subvolumeID: UInt64? { value(of: "subvolid").flatMap { UInt64($0) } }

        private func value(of option: String) -> String? {
            options.first { $0.hasPrefix(option + "=") }.map { String($0.dropFirst(option.count + 1)) }
        }

        /// Whether what is mounted lies on a device: not in memory, on the network, or in another folder.
        var isOnDevice: Bool {
            let elsewhere: Set = [
                "tmpfs", "ramfs", "overlay", "nfs", "nfs4", "cifs", "smb3", "glusterfs", "ceph", "9p", "virtiofs",
            ]
            return !elsewhere.contains(type) && !isBind && !type.hasPrefix("fuse")
        }

        var isBind: Bool { options.contains("bind") || options.contains("rbind") }

        /// Whether the guest starts without it.
        var isOptional: Bool { options.contains("noauto") || options.contains("nofail") }
    }

    let lines: [Line]

    /// Real ones have a few dozen.
    private static let lineLimit = 2000

    init(_ text: String) {
        lines = text.split(whereSeparator: \.isNewline).lazy.compactMap { line in
            let fields = line.split(
                maxSplits: 4, omittingEmptySubsequences: true, whereSeparator: { $0 == " " || $0 == "\t" }
            ).map(String.init)
            guard fields.count >= 3, !fields[0].hasPrefix("#"), fields[1].hasPrefix("/") else { return nil }
            return Line(
                source: Self.unescaped(fields[0]), path: GuestPath(Self.unescaped(fields[1])), type: fields[2],
                options: fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : [])
        }.prefix(Self.lineLimit).map { $0 }
    }

    /// fstab writes white space and backslashes in octal.
    private static func unescaped(_ field: String) -> String {
        guard field.contains("\\") else { return field }
        return [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].reduce(field) {
            $0.replacing($1.0, with: $1.1)
        }
    }
}

extension String {
    func trimming(_ characters: String) -> String {
        var text = Substring(self)
        while let first = text.first, characters.contains(first) { text.removeFirst() }
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}
