/// One line of a table like fstab(5) or crypttab(5): fields between blanks. A field is edited in place, and everything
/// else keeps its bytes.
struct FieldLine {
    private(set) var bytes: [UInt8]
    private var fields: [Range<Int>] = []

    /// What follows is free text: fstab has six fields, crypttab four.
    private static let fieldLimit = 6

    /// nil for an empty line and a comment.
    init?(_ line: [UInt8]) {
        bytes = line
        var start: Int?
        for (index, byte) in line.enumerated() {
            if Self.isBlank(byte) {
                if let from = start { fields.append(from..<index) }
                start = nil
                if fields.count == Self.fieldLimit { break }
            } else if start == nil {
                start = index
            }
        }
        if let start { fields.append(start..<line.count) }
        guard let first = fields.first, line[first.lowerBound] != UInt8(ascii: "#") else { return nil }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    var count: Int { fields.count }

    /// A field as it is written; nil where the line has fewer.
    func raw(_ index: Int) -> [UInt8]? {
        fields.indices.contains(index) ? Array(bytes[fields[index]]) : nil
    }

    /// A field with its octal escapes resolved: `\040` is a blank.
    func text(_ index: Int) -> String? {
        guard let raw = raw(index) else { return nil }
        var plain: [UInt8] = []
        var at = 0
        while at < raw.count {
            if raw[at] == UInt8(ascii: "\\"), let byte = Self.octal(raw[(at + 1)...].prefix(3)) {
                plain.append(byte)
                at += 4
            } else {
                plain.append(raw[at])
                at += 1
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func octal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
        return UInt8(exactly: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) })
    }

    /// A field that is a list: the options.
    func list(_ index: Int) -> [String] {
        text(index)?.split(separator: ",").map(String.init) ?? []
    }

    mutating func replace(_ index: Int, with new: [UInt8]) {
        guard fields.indices.contains(index) else { return }
        let old = fields[index]
        bytes.replaceSubrange(old, with: new)
        let shift = new.count - old.count
        fields[index] = old.lowerBound..<old.upperBound + shift
        for later in fields.indices where later > index {
            fields[later] = fields[later].lowerBound + shift..<fields[later].upperBound + shift
        }
    }

    mutating func replace(_ index: Int, with new: String) { replace(index, with: Array(new.utf8)) }

    /// One more option in a list; the field is made where it is the next one that the line lacks.
    mutating func addOption(_ option: String, to index: Int) {
        guard !list(index).contains(option) else { return }
        if let raw = raw(index) {
            replace(index, with: raw + Array(",\(option)".utf8))
        } else if index == fields.count, let last = fields.last {
            bytes.insert(contentsOf: Array(" \(option)".utf8), at: last.upperBound)
            fields.append(last.upperBound + 1..<last.upperBound + 1 + option.utf8.count)
        }
    }
}
