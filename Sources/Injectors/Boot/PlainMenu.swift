internal import Guest

/// The menu of a boot loader with plain entries: GRUB legacy's menu.lst, syslinux's and extlinux's configuration.
struct PlainMenu {
    struct Entry: Equatable {
        var title: [UInt8] = []
        /// syslinux's short name.
        var label: [UInt8] = []
        var kernel: [UInt8] = []
        var options: [UInt8] = []
        var initrds: [[UInt8]] = []
    }

    var entries: [Entry] = []
    /// Which entry starts; 0 where none is named.
    var chosen = 0
    /// In seconds.
    var timeout = 5
    /// Whether it asks for a password in a form that GRUB 2 doesn't know.
    var hasPassword = false

    /// In bytes. Real ones have a few thousand.
    private static let sizeLimit: UInt64 = 1 << 20
    private static let entryLimit = 256

    /// nil for other boot loaders, and where the file isn't there.
    init?(of loader: BootLoader, in draft: inout Draft) throws {
        switch loader {
        case .grubLegacy(let path):
            guard let bytes = try draft.editableBytes(path, limit: Self.sizeLimit) else { return nil }
            self.init(legacy: bytes)
        case .syslinux(let path):
            guard let bytes = try draft.editableBytes(path, limit: Self.sizeLimit) else { return nil }
            self.init(syslinux: bytes)
        default: return nil
        }
        if hasPassword {
            draft.warn("the menu's password has a form that GRUB 2 doesn't know; the new menu asks for none")
        }
    }

    init(legacy bytes: [UInt8]) {
        for (key, value) in Self.lines(bytes) {
            switch key {
            case "default": chosen = Self.number(value) ?? 0
            case "timeout": timeout = Self.number(value) ?? timeout
            case "password" where entries.isEmpty: hasPassword = true
            case "title":
                guard entries.count < Self.entryLimit else { return }
                entries.append(Entry(title: value))
            case "kernel":
                guard let last = entries.indices.last else { continue }
                var words = value[...]
                // `kernel --type=linux --no-mem-option /vmlinuz …`
                while words.starts(with: "--".utf8) { words = Self.afterWord(words) }
                let path = words.prefix { !GrubScript.isBlank($0) }
                entries[last].kernel = Self.withoutDisk(Array(path))
                entries[last].options = Array(Self.afterWord(words))
            case "initrd":
                guard let last = entries.indices.last else { continue }
                entries[last].initrds = value.split(whereSeparator: GrubScript.isBlank).map {
                    Self.withoutDisk(Array($0))
                }
            default: break
            }
        }
    }

    init(syslinux bytes: [UInt8]) {
        var wanted: [UInt8]?
        var marked: Int?
        for (key, value) in Self.lines(bytes) {
            switch key {
            case "default", "ontimeout": if wanted == nil || key == "ontimeout" { wanted = value }
            // In tenths of a second; 0 waits for ever.
            case "timeout": timeout = Self.number(value).map { $0 == 0 ? -1 : max(1, $0 / 10) } ?? timeout
            case "label":
                guard entries.count < Self.entryLimit else { continue }
                entries.append(Entry(title: value, label: value))
            default:
                guard let last = entries.indices.last else {
                    if key == "menu", value.starts(with: "master passwd".utf8) { hasPassword = true }
                    continue
                }
                switch key {
                case "linux", "kernel": entries[last].kernel = value
                case "append": entries[last].options = Self.withoutInitrd(value, &entries[last])
                case "initrd":
                    entries[last].initrds = value.split(separator: UInt8(ascii: ",")).map(Array.init)
                case "menu":
                    let words = value.split(maxSplits: 1, whereSeparator: GrubScript.isBlank).map(Array.init)
                    let word = words.first.map { String(decoding: $0, as: UTF8.self).lowercased() }
                    if word == "label", words.count == 2 {
                        // A caret marks the key that chooses an entry.
                        entries[last].title = words[1].filter { $0 != UInt8(ascii: "^") }
                    } else if word == "default" {
                        marked = last
                    }
                default: break
                }
            }
        }
        chosen = marked ?? entries.firstIndex { $0.label == wanted } ?? 0
    }

    /// `initrd=` among the parameters is syslinux's.
    private static func withoutInitrd(_ options: [UInt8], _ entry: inout Entry) -> [UInt8] {
        let mark = Array("initrd=".utf8)
        let words = options.split(whereSeparator: GrubScript.isBlank)
        for word in words where word.starts(with: mark) {
            entry.initrds = word.dropFirst(mark.count).split(separator: UInt8(ascii: ",")).map(Array.init)
        }
        return Array(words.filter { !$0.starts(with: mark) }.joined(separator: [0x20]))
    }

    // MARK: Lines

    /// Keys in lower case, and values; `key=value` is read as `key value`, as GRUB legacy does.
    private static func lines(_ bytes: [UInt8]) -> [(key: String, value: [UInt8])] {
        bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }).compactMap { line in
            let text = line.filter { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }.drop(while: GrubScript.isBlank)
            guard let first = text.first, first != UInt8(ascii: "#") else { return nil }
            let key = text.prefix { !GrubScript.isBlank($0) && $0 != UInt8(ascii: "=") }
            var value = text[key.endIndex...].drop { GrubScript.isBlank($0) || $0 == UInt8(ascii: "=") }
            while let last = value.last, GrubScript.isBlank(last) { value.removeLast() }
            return (String(decoding: key.prefix(32), as: UTF8.self).lowercased(), Array(value))
        }
    }

    private static func afterWord(_ words: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        words.drop { !GrubScript.isBlank($0) }.drop(while: GrubScript.isBlank)
    }

    /// "(hd0,0)/vmlinuz" is "/vmlinuz".
    private static func withoutDisk(_ path: [UInt8]) -> [UInt8] {
        guard path.first == UInt8(ascii: "("), let end = path.firstIndex(of: UInt8(ascii: ")")) else { return path }
        return Array(path[(end + 1)...])
    }

    private static func number(_ value: [UInt8]) -> Int? {
        Int(String(decoding: value.prefix(7), as: UTF8.self)).flatMap { $0 >= 0 ? $0 : nil }
    }
}
