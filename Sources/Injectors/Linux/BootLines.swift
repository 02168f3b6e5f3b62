/// Where a line of a boot configuration holds kernel parameters, in the formats that have them.
enum BootLines {
    /// In a line of a GRUB configuration: behind `linux`, `linux16`, `linuxefi`.
    static func kernelArguments(_ line: [UInt8]) -> Range<Int>? {
        arguments(line) { ["linux", "linux16", "linuxefi"].contains($0) }
    }

    /// In a line of GRUB legacy's menu: behind `kernel`, and in the comment that Debian's update-grub reads, `# kopt=`.
    static func legacyArguments(_ line: [UInt8]) -> Range<Int>? {
        if let range = arguments(line, of: { $0 == "kernel" }) { return range }
        guard let mark = ["# kopt=", "# defoptions=", "# xenkopt="].first(where: { line.starts(with: $0.utf8) }) else {
            return nil
        }
        return mark.utf8.count..<line.count
    }

    /// In a line of a syslinux configuration: behind `append`, in any case.
    static func syslinuxArguments(_ line: [UInt8]) -> Range<Int>? {
        arguments(line) { $0.lowercased() == "append" }
    }

    /// In a line of a Boot Loader Specification entry: behind `options`.
    static func entryOptions(_ line: [UInt8]) -> Range<Int>? {
        arguments(line) { $0 == "options" }
    }

    private static func arguments(_ line: [UInt8], of isCommand: (String) -> Bool) -> Range<Int>? {
        let word = firstWord(line)
        guard isCommand(String(decoding: line[word], as: UTF8.self)) else { return nil }
        return word.upperBound..<line.count
    }

    /// Whether the entry that a kernel line belongs to loads an initramfs.
    static func loadsInitramfs(_ lines: [[UInt8]], behind index: Int) -> Bool {
        for line in lines[(index + 1)...] {
            let word = String(decoding: line[firstWord(line)].prefix(16), as: UTF8.self)
            if word.hasPrefix("initrd") { return true }
            if word.hasPrefix("linux") || word == "}" || word == "menuentry" { return false }
        }
        return false
    }

    /// The first word of a line, which is its command.
    static func command(_ line: [UInt8]) -> String { String(decoding: line[firstWord(line)].prefix(32), as: UTF8.self) }

    private static func firstWord(_ line: [UInt8]) -> Range<Int> {
        let start = line.firstIndex { $0 > 0x20 } ?? line.count
        let end = line[start...].firstIndex { $0 <= 0x20 } ?? line.count
        return start..<end
    }

    /// The value of a shell assignment, quotes included: `NAME="…"`, `export NAME=…`, `NAME+=…`, and GRUB's
    /// `set NAME=…`.
    static func value(_ line: [UInt8], of isWanted: (String) -> Bool) -> Range<Int>? {
        var word = firstWord(line)
        if ["export", "set"].contains(where: { line[word].elementsEqual($0.utf8) }) {
            let rest = firstWord(Array(line[word.upperBound...]))
            word = rest.lowerBound + word.upperBound..<rest.upperBound + word.upperBound
        }
        guard let sign = line[word].firstIndex(of: UInt8(ascii: "=")) else { return nil }
        var name = line[word.lowerBound..<sign]
        if name.last == UInt8(ascii: "+") { name = name.dropLast() }
        guard name.count <= 64, isWanted(String(decoding: name, as: UTF8.self)) else { return nil }
        var quote: UInt8?
        var end = sign + 1
        while end < line.count {
            let byte = line[end]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte <= 0x20 || byte == UInt8(ascii: ";") {
                break
            }
            end += 1
        }
        return sign + 1..<end
    }
}
