/// A value of the Windows registry: its type and its bytes, whatever they are.
public struct RegistryValue: Hashable, Sendable {
    /// The numbers of winnt.h; hives hold others, too.
    public enum Kind {
        public static let none: UInt32 = 0
        public static let string: UInt32 = 1
        public static let expandString: UInt32 = 2
        public static let binary: UInt32 = 3
        public static let dword: UInt32 = 4
        public static let multiString: UInt32 = 7
        public static let qword: UInt32 = 11
    }

    public var type: UInt32
    public var bytes: [UInt8]

    public init(type: UInt32, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }

    // MARK: Making

    public static func dword(_ number: UInt32) -> Self { Self(type: Kind.dword, bytes: LittleEndian.bytes(number)) }
    public static func qword(_ number: UInt64) -> Self { Self(type: Kind.qword, bytes: LittleEndian.bytes(number)) }
    public static func string(_ text: String) -> Self { Self(type: Kind.string, bytes: utf16(text + "\0")) }
    public static func expandString(_ text: String) -> Self {
        Self(type: Kind.expandString, bytes: utf16(text + "\0"))
    }
    public static func binary(_ bytes: [UInt8]) -> Self { Self(type: Kind.binary, bytes: bytes) }
    /// REG_NONE without data.
    public static let none = Self(type: Kind.none, bytes: [])

    /// Each string with its zero, and one more at the end.
    public static func multiString(_ list: [String]) -> Self {
        Self(type: Kind.multiString, bytes: utf16(list.map { $0 + "\0" }.joined() + "\0"))
    }

    private static func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { LittleEndian.bytes($0) } }

    // MARK: Reading

    /// nil: it is no REG_DWORD of four bytes.
    public var number: UInt32? {
        type == Kind.dword && bytes.count == 4 ? LittleEndian(bytes).u32(0) : nil
    }

    /// A REG_SZ or REG_EXPAND_SZ up to its first zero, which programs leave out at times; nil for other types.
    public var text: String? {
        guard type == Kind.string || type == Kind.expandString else { return nil }
        return String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)
    }

    /// A REG_MULTI_SZ without empty strings; a REG_SZ is a list of one.
    public var list: [String]? {
        guard type == Kind.multiString else { return text.map { $0.isEmpty ? [] : [$0] } }
        return units.split(separator: 0).map { String(decoding: $0, as: UTF16.self) }
    }

    private var units: [UInt16] {
        let number = LittleEndian(bytes)
        return (0..<bytes.count / 2).map { number.u16(2 * $0) }
    }
}

/// A value with its name; the name of a key's default value is empty.
public struct NamedRegistryValue: Hashable, Sendable {
    public var name: String
    public var value: RegistryValue

    public init(_ name: String, _ value: RegistryValue) {
        self.name = name
        self.value = value
    }
}

extension RegistryValue: CustomStringConvertible {
    /// For people: numbers in hexadecimal, text in quotes, lists in brackets; what isn't well-formed as bytes.
    public var description: String {
        switch type {
        case Kind.dword: return number.map { "dword 0x" + String($0, radix: 16) } ?? raw
        case Kind.string where text.map { Self.string($0) } == self: return quoted(text ?? "")
        case Kind.expandString where text.map { Self.expandString($0) } == self: return "expand " + quoted(text ?? "")
        case Kind.multiString where list.map { Self.multiString($0) } == self:
            return "[" + (list ?? []).map(quoted).joined(separator: ", ") + "]"
        default: return raw
        }
    }

    private func quoted(_ text: String) -> String { "\"\(text)\"" }

    private var raw: String {
        let shown = bytes.prefix(256).map { Hex.text($0) }.joined(separator: " ")
        let rest = bytes.count > 256 ? " … (\(bytes.count) bytes)" : ""
        let name = type == Kind.none ? "none" : type == Kind.binary ? "binary" : "type \(type)"
        return bytes.isEmpty ? name : "\(name) \(shown)\(rest)"
    }
}
