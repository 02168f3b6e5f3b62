/// GRUB's environment block, `grubenv`: a header, a `name=value` a line with backslash and line feed escaped, and `#` up
/// to its size, which GRUB writes in place and which therefore never changes (lib/envblk.c).
struct GrubEnvironment {
    private static let header = Array("# GRUB Environment Block\n".utf8)
    /// In bytes: what grub-editenv makes is 1024. It is written in place by sectors.
    private static let sizes = 64...65_536

    private let size: Int
    /// Without line ends.
    private(set) var lines: [[UInt8]]

    /// nil for other content.
    init?(_ bytes: [UInt8]) {
        guard Self.sizes.contains(bytes.count), bytes.starts(with: Self.header) else { return nil }
        size = bytes.count
        var body = bytes[Self.header.count...]
        while body.last == UInt8(ascii: "#") { body.removeLast() }
        guard body.isEmpty || body.last == 0x0A else { return nil }
        lines = body.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        if body.isEmpty { lines = [] }
    }

    /// nil where it has become too long.
    var bytes: [UInt8]? {
        let text = Self.header + lines.flatMap { $0 + [0x0A] }
        guard text.count <= size else { return nil }
        return text + [UInt8](repeating: UInt8(ascii: "#"), count: size - text.count)
    }

    /// The line of a variable, and where its value is.
    func value(of name: String) -> (line: Int, range: Range<Int>)? {
        let mark = Array("\(name)=".utf8)
        guard let index = lines.firstIndex(where: { $0.starts(with: mark) }) else { return nil }
        return (index, mark.count..<lines[index].count)
    }

    mutating func replace(line index: Int, with line: [UInt8]) {
        if lines.indices.contains(index), !line.contains(0x0A) { lines[index] = line }
    }
}
