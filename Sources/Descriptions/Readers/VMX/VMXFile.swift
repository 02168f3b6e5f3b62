internal import Glibc

/// A VMX file's settings: lines of `key = "value"`.
struct VMXFile {
    /// By the key in lower case: VMware doesn't tell them apart.
    private var values: [String: String] = [:]
    /// Keys that are there more than once; VMware goes by the last.
    private(set) var repeated: [String] = []

    /// - Parameter bytes: in the encoding that they name, else UTF-8, else Latin-1.
    init(_ bytes: [UInt8]) {
        let lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        var raw: [(key: String, value: [UInt8])] = []
        for line in lines {
            if let setting = Self.setting(line) { raw.append(setting) }
        }
        let encoding = raw.last { $0.key == ".encoding" }.map { String(decoding: $0.value, as: UTF8.self) }
        for (key, value) in raw {
            if values.updateValue(TextEncoding.decode(value, as: encoding), forKey: key) != nil { repeated.append(key) }
        }
    }

    subscript(key: String) -> String? { values[key.lowercased()] }

    /// VMware writes "TRUE" and "FALSE"; people write what they like.
    func flag(_ key: String) -> Bool? {
        switch self[key]?.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    func number(_ key: String) -> UInt64? {
        self[key].flatMap { UInt64($0.filter { $0 != " " }) }
    }

    /// The numbers in keys of the form "scsiN.…", "ethernetN.…", in their order.
    func numbers(_ prefix: String) -> [Int] {
        var found: Set<Int> = []
        for key in values.keys where key.hasPrefix(prefix) {
            let digits = key.dropFirst(prefix.count).prefix { $0.isASCII && $0.isNumber }
            if digits.count <= 4, let number = Int(digits), key.dropFirst(prefix.count + digits.count).first == "." {
                found.insert(number)
            }
        }
        return found.sorted()
    }

    /// The bus and unit numbers in keys of the form "scsi0:12.…", in their order: 2 comes before 10.
    func units(_ prefix: String) -> [(bus: Int, unit: Int)] {
        var found: Set<[Int]> = []
        for key in values.keys where key.hasPrefix(prefix) {
            let place = key.dropFirst(prefix.count).prefix { $0 != "." }.split(
                separator: ":", omittingEmptySubsequences: false)
            guard place.count == 2, place.allSatisfy({ $0.count <= 4 }), let bus = Int(place[0]),
                let unit = Int(place[1]), bus >= 0, unit >= 0
            else { continue }
            found.insert([bus, unit])
        }
        return found.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }.map { ($0[0], $0[1]) }
    }

    private static func setting(_ line: ArraySlice<UInt8>) -> (key: String, value: [UInt8])? {
        let line = trimmed(line)
        guard let first = line.first, first != UInt8(ascii: "#"), let equals = line.firstIndex(of: UInt8(ascii: "="))
        else { return nil }
        // A byte order mark may stand before the first key.
        let key = String(decoding: trimmed(line[..<equals]), as: UTF8.self).lowercased()
            .trimmingPrefix("\u{FEFF}")
        guard !key.isEmpty else { return nil }
        var rest = trimmed(line[(equals + 1)...])
        if rest.first == UInt8(ascii: "\"") {
            rest = rest.dropFirst()
            rest = rest[..<(rest.firstIndex(of: UInt8(ascii: "\"")) ?? rest.endIndex)]
        } else if let comment = rest.firstIndex(of: UInt8(ascii: "#")) {
            rest = trimmed(rest[..<comment])
        }
        return (String(key), unescaped(rest))
    }

    private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
        let start = line.firstIndex { !isSpace($0) } ?? line.endIndex
        let end = line.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
        return line[start..<max(start, end)]
    }

    /// "|22" is a quote, "|7C" the bar itself: two hexadecimal digits, in capitals or not.
    private static func unescaped(_ value: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = value.startIndex
        while index < value.endIndex {
            if value[index] == UInt8(ascii: "|"), index + 2 < value.endIndex,
                let byte = UInt8(String(decoding: value[(index + 1)...(index + 2)], as: UTF8.self), radix: 16)
            {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(value[index])
                index += 1
            }
        }
        return bytes
    }
}

/// Text in the encodings that hypervisors' hosts had.
enum TextEncoding {
    /// - Parameter name: as iconv(3) knows it: "windows-1252", "GBK", "Shift_JIS".
    static func decode(_ bytes: [UInt8], as name: String?) -> String {
        if bytes.allSatisfy({ $0 < 128 }) { return String(decoding: bytes, as: UTF8.self) }
        if let name, name.uppercased() != "UTF-8", let text = converted(bytes, from: name) { return text }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    private static func converted(_ bytes: [UInt8], from name: String) -> String? {
        // A name from a document: only what names of encodings are made of.
        guard name.count < 40, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }),
            let converter = iconv_open("UTF-8", name), Int(bitPattern: converter) != -1
        else { return nil }
        defer { iconv_close(converter) }
        var source = bytes.map { CChar(bitPattern: $0) }
        // No encoding of a byte takes more than four in UTF-8.
        var target = [CChar](repeating: 0, count: 4 * bytes.count + 4)
        var left = source.count
        var room = target.count
        let status = source.withUnsafeMutableBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                var from = source.baseAddress
                var to = target.baseAddress
                return iconv(converter, &from, &left, &to, &room)
            }
        }
        guard status != -1, left == 0 else { return nil }
        return String(validating: target[..<(target.count - room)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
