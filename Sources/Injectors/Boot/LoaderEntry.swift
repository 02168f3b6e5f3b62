internal import Guest

/// A Boot Loader Specification entry of type 1: a line a key.
struct LoaderEntry: Equatable {
    /// The file's name without ".conf", and without systemd-boot's counter of tries.
    var id: [UInt8]
    /// Whether systemd-boot has no tries left for it.
    var isSpent = false
    var title: [UInt8] = []
    var version: [UInt8] = []
    var machineID: [UInt8] = []
    var sortKey: [UInt8] = []
    var linux: [UInt8] = []
    /// As written: paths and variables, several in a line.
    var initrds: [[UInt8]] = []
    var options: [UInt8] = []
    var users: [UInt8] = []
    var classes: [[UInt8]] = []

    /// In bytes. Real ones have a few hundred; `options` end where the kernel stops reading, at 2 KiB to 4 KiB.
    static let sizeLimit: UInt64 = 64 << 10

    init(name: String, _ bytes: [UInt8], style: LoaderEntries.Style) {
        id = Array(name.utf8)
        if id.suffix(5).elementsEqual(".conf".utf8) { id.removeLast(5) }
        if style == .systemd, let counter = Self.counter(id) {
            isSpent = id[(counter + 1)...].prefix(while: GrubScript.isDigit).allSatisfy { $0 == 0x30 }
            id.removeSubrange(counter...)
        }
        for line in bytes.split(separator: 0x0A) {
            let plain = line.filter { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }
            let text = Self.trimmed(plain[...])
            guard text.first != UInt8(ascii: "#"), let end = text.firstIndex(where: GrubScript.isBlank) else {
                continue
            }
            set(String(decoding: text[..<end].prefix(32), as: UTF8.self), Array(Self.trimmed(text[end...])))
        }
    }

    private mutating func set(_ key: String, _ value: [UInt8]) {
        switch key {
        case "title": title = value
        case "version": version = value
        case "machine-id": machineID = value
        case "sort-key": sortKey = value
        case "linux": linux = value
        case "initrd": initrds += value.split(whereSeparator: GrubScript.isBlank).map(Array.init)
        case "options": options += (options.isEmpty ? [] : [0x20]) + value
        case "grub_users": users = value
        case "grub_class": classes.append(value)
        default: break
        }
    }

    /// Where "+3" or "+3-1" begins.
    private static func counter(_ id: [UInt8]) -> Int? {
        guard let plus = id.lastIndex(of: UInt8(ascii: "+")) else { return nil }
        let parts = id[(plus + 1)...].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let isCounter = parts.count <= 2 && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(GrubScript.isDigit) }
        return isCounter ? plus : nil
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line.drop(while: GrubScript.isBlank)
        while let last = line.last, GrubScript.isBlank(last) { line.removeLast() }
        return line
    }
}
