internal import Guest

/// fstab(5), as far as mounting the guest's tree needs it.
struct Fstab {
    struct Line {
        var source: String
        var path: GuestPath
        var type: String
        var options: [String]

        /// The btrfs subvolume that the options name.
        var subvolume: String? {
            options.first { $0.hasPrefix("subvol=") }.map { String($0.dropFirst("subvol=".count)) }
        }
    }

    let lines: [Line]

    init(_ text: String) {
        lines = text.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            guard fields.count >= 3, !fields[0].hasPrefix("#"), fields[1].hasPrefix("/") else { return nil }
            return Line(
                source: Self.unescaped(fields[0]), path: GuestPath(Self.unescaped(fields[1])), type: fields[2],
                options: fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : [])
        }
    }

    /// fstab writes white space and backslashes in octal.
    private static func unescaped(_ field: String) -> String {
        [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")].reduce(field) {
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
