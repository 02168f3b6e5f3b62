/// A device name inside other text: `root=/dev/sda2`, `cryptdevice=/dev/sda3:root`, `source=/dev/sda3,key=none`.
struct DeviceReference {
    let name: DeviceName
    /// What it is the value of: "root"; empty where it stands alone.
    let key: String

    private static let mark = Array("/dev/".utf8)
    /// Parameters have short names.
    private static let keyLimit = 64

    /// A part of a line with other names for its devices.
    /// - Parameter replacement: nil leaves a name as it is.
    static func rewrite(
        _ bytes: [UInt8], in range: Range<Int>, _ replacement: (DeviceReference) throws -> String?
    ) rethrows -> [UInt8] {
        var result = Array(bytes[..<range.lowerBound])
        var at = range.lowerBound
        while at < range.upperBound {
            if bytes[at] == mark[0], let (reference, end) = reference(at, in: bytes[..<range.upperBound]),
                let new = try replacement(reference)
            {
                result += Array(new.utf8)
                at = end
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result + bytes[range.upperBound...]
    }

    private static func reference(_ at: Int, in text: ArraySlice<UInt8>) -> (DeviceReference, end: Int)? {
        guard text[at...].starts(with: mark), at == text.startIndex || isSeparator(text[at - 1]) else { return nil }
        // The names of by-path hold colons, which elsewhere end a name (`cryptdevice=/dev/sda3:root`).
        let isPath = text[at...].starts(with: "/dev/disk/by-path/".utf8)
        let limit = min(text.endIndex, at + 300)
        var end = at
        while end < limit, isPart(text[end]) || (isPath && isColon(text[end]) && !endsInNumber(text[at..<end])) {
            end += 1
        }
        guard end < limit || end == text.endIndex,
            let name = DeviceName(String(decoding: text[at..<end], as: UTF8.self))
        else { return nil }
        return (DeviceReference(name: name, key: key(before: at, in: text)), end)
    }

    /// Whether a by-path name is complete: "…-part12".
    private static func endsInNumber(_ name: ArraySlice<UInt8>) -> Bool {
        let digits = name.reversed().prefix { (0x30...0x39).contains($0) }.count
        return digits > 0 && name.dropLast(digits).suffix(5).elementsEqual("-part".utf8)
    }

    private static func key(before at: Int, in text: ArraySlice<UInt8>) -> String {
        var end = at
        if end > text.startIndex, isQuote(text[end - 1]) { end -= 1 }
        guard end > text.startIndex, text[end - 1] == UInt8(ascii: "=") else { return "" }
        let word = text[..<(end - 1)].suffix(keyLimit).reversed().prefix { !isSeparator($0) }
        return String(decoding: word.reversed(), as: UTF8.self)
    }

    private static func isColon(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ":") }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte <= 0x20 || isQuote(byte) || "=:,".utf8.contains(byte)
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "/._+@-".utf8.contains(byte)
        }
    }
}
