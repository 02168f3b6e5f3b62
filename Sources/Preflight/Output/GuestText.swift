/// Text from a guest, made harmless for people's eyes and terminals. The guest chooses what it prints, so nothing of
/// it may steer a terminal, turn the reading direction round or flood a page.
public enum GuestText {
    public static let longestLine = 500

    /// One line: without control and direction characters, cut to `limit` scalars with "…".
    public static func line(_ text: String, limit: Int = longestLine) -> String {
        if isPlain(text, limit: limit) { return text }
        var scalars = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            guard let kept = replacement(of: scalar) else { continue }
            if count == limit {
                scalars.append("…")
                break
            }
            scalars.append(kept)
            count += 1
        }
        return String(scalars)
    }

    /// Lines, each made harmless; the first `count`, and a line that says how many were left out.
    public static func lines(_ texts: [String], count: Int = 200, limit: Int = longestLine) -> [String] {
        var lines = texts.prefix(count).map { line($0, limit: limit) }
        if texts.count > count { lines.append("… \(texts.count - count) more lines") }
        return lines
    }

    /// The last part of a path, for headings.
    public static func fileName(_ path: String) -> String {
        line(path.split(separator: "/").last.map(String.init) ?? path)
    }

    /// Escaped for HTML and for XML 1.0, inside elements and quoted attributes.
    static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: isSpecial) else { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count + 32)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: false
        }
    }

    private static func isPlain(_ text: String, limit: Int) -> Bool {
        text.utf8.count <= limit && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// What is shown for a scalar; nil for nothing.
    private static func replacement(of scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        // White space that would break a line apart.
        case 0x09, 0x0A, 0x0D, 0x85, 0x2028, 0x2029: " "
        case 0..<0x20, 0x7F..<0xA0: nil
        // Directions: marks, overrides and isolates.
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: nil
        // Invisible ones that hide in words, the BOM, interlinear marks and tags.
        case 0x200B, 0x2060...0x2064, 0xFEFF, 0xFFF9...0xFFFB, 0xE0000...0xE007F: nil
        // No characters at all, and not allowed in XML.
        case 0xFDD0...0xFDEF: nil
        case let value where value & 0xFFFE == 0xFFFE: nil
        default: scalar
        }
    }
}
