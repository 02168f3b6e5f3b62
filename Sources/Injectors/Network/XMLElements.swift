/// The elements of a small XML text with their places, so that it can be edited in place: wicked's configurations and
/// leases. Comments, processing instructions and attributes are passed over; nothing is expanded.
struct XMLElements {
    struct Element {
        /// With its prefix: "ipv4:static".
        var name: String
        /// The name of the element around it; empty for the outermost.
        var container: String
        /// Of the whole element.
        var range: Range<Int>
        /// Between its tags, without blanks at both ends; elements inside are part of it.
        var text: String
    }

    private static let depthLimit = 64

    /// In the order of their start tags.
    private(set) var all: [Element] = []

    init(_ text: String) {
        let bytes = Array(text.utf8)
        var open: [(index: Int, content: Int)] = []
        var at = 0
        while let start = bytes[at...].firstIndex(of: 60) {
            if bytes[start...].starts(with: "<!--".utf8) {
                at = Self.end(of: Array("-->".utf8), in: bytes, from: start) ?? bytes.count
                continue
            }
            guard let close = bytes[start...].firstIndex(of: 62) else { break }
            at = close + 1
            let tag = bytes[start + 1..<close]
            guard let first = tag.first, first != 33, first != 63 else { continue }
            let isEnd = first == 47
            let name = String(
                decoding: tag.drop { $0 == 47 }.prefix { ![32, 9, 10, 13, 47].contains($0) }, as: UTF8.self)
            if isEnd {
                // An end tag without a start isn't XML; what was read so far stands.
                guard let last = open.popLast(), all[last.index].name == name else { return }
                all[last.index].range = all[last.index].range.lowerBound..<at
                all[last.index].text = String(decoding: bytes[last.content..<start], as: UTF8.self).trimmedLines
                continue
            }
            guard open.count < Self.depthLimit else { return }
            all.append(
                Element(
                    name: name, container: open.last.map { all[$0.index].name } ?? "", range: start..<at, text: ""))
            if tag.last != 47 { open.append((all.count - 1, at)) }
        }
    }

    private static func end(of mark: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        var at = start
        while at + mark.count <= bytes.count {
            if bytes[at..<at + mark.count].elementsEqual(mark) { return at + mark.count }
            at += 1
        }
        return nil
    }
}

extension String {
    /// Without blanks and line ends at both ends.
    fileprivate var trimmedLines: String {
        let lines = split(separator: "\n").map(\.trimmed).filter { !$0.isEmpty }
        return lines.joined(separator: "\n")
    }
}
