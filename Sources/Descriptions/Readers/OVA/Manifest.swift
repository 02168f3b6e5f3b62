internal import Foundation
internal import Guest

/// A manifest's lines: `SHA256(disk1.vmdk)= 0123…`.
struct Manifest {
    struct Entry: Equatable {
        var algorithm: String
        var name: String
        var digest: String
    }

    private(set) var entries: [Entry] = []
    /// Numbers of lines, from 1, that say nothing that is understood.
    private(set) var strangeLines: [Int] = []

    /// Hexadecimal digits of each.
    private static let algorithms = ["SHA1": 40, "SHA256": 64, "SHA384": 96, "SHA512": 128]

    init(_ bytes: [UInt8]) {
        let lines = bytes.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "\n") }
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if text.isEmpty || text.hasPrefix("#") { continue }
            if let entry = Self.entry(text) { entries.append(entry) } else { strangeLines.append(index + 1) }
        }
    }

    /// With and without spaces; a name may have parentheses.
    private static func entry(_ line: String) -> Entry? {
        guard let open = line.firstIndex(of: "("), let equals = line.lastIndex(of: "="),
            let close = line[..<equals].lastIndex(of: ")"), open < close,
            line[line.index(after: close)..<equals].allSatisfy(\.isWhitespace)
        else { return nil }
        let algorithm = line[..<open].trimmingCharacters(in: .whitespaces).uppercased()
            .replacingOccurrences(of: "-", with: "")
        let digest = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces).lowercased()
        let name = line[line.index(after: open)..<close].trimmingCharacters(in: .whitespaces)
        guard let length = algorithms[algorithm], digest.utf8.count == length,
            digest.allSatisfy({ $0.isASCII && $0.isHexDigit }), !name.isEmpty
        else { return nil }
        return Entry(algorithm: algorithm, name: name, digest: digest)
    }
}
