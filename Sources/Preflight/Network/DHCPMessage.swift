/// A DHCP message (RFC 2131), with those options of RFC 2132 that tell who asks for what.
struct DHCPMessage: Sendable {
    /// Option 53.
    enum Kind: UInt8, Sendable {
        case discover = 1
        case offer, request, decline, ack, nak, release, inform
    }

    static let serverPort: UInt16 = 67
    static let clientPort: UInt16 = 68

    var kind: Kind
    var isReply: Bool
    var transaction: UInt32
    /// The client's; nil where it isn't Ethernet.
    var mac: String?
    /// What the client has already, "ciaddr".
    var current: IPv4Address?
    /// What the server gives, "yiaddr".
    var given: IPv4Address?
    /// Option 50.
    var requested: IPv4Address?
    /// Option 54.
    var server: IPv4Address?
    /// Option 12, or the first label of option 81.
    var hostName: String?
    /// Whether firmware asks, to boot from the network: option 60 begins with "PXEClient" (PXE 2.1, 2.2.1) or
    /// "HTTPClient" (UEFI 2.10, 24.7.3.1).
    var isFirmware = false
    /// Whether Windows asks: option 60 is "MSFT 5.0", or 98 in its older ones ([MS-DHCPE], 2.2.3).
    var isWindows = false

    /// RFC 2132, 2.
    private static let cookie: UInt32 = 0x6382_5363
    private static let optionsOffset = 240

    /// nil for what isn't whole, and for BOOTP, which has no option 53.
    init?(_ bytes: PacketBytes) {
        guard let operation = bytes.u8(0), operation == 1 || operation == 2, let transaction = bytes.u32(4),
            bytes.u32(236) == Self.cookie, let options = bytes.from(Self.optionsOffset)
        else { return nil }
        var found = DHCPOptions()
        found.read(options)
        // Option 52: the fields "file" (1) and "sname" (2) hold options as well, in this order (RFC 3396, 5).
        let overload = found[52]?.first ?? 0
        if overload & 1 != 0, let file = bytes.bytes(108, 128) { found.read(file) }
        if overload & 2 != 0, let name = bytes.bytes(44, 64) { found.read(name) }
        guard let kind = found[53]?.first.flatMap(Kind.init) else { return nil }
        self.kind = kind
        isReply = operation == 2
        self.transaction = transaction
        if bytes.u8(1) == 1, bytes.u8(2) == 6 { mac = bytes.mac(28) }
        // Option 61 of type 1 is the address of an Ethernet card; of other types it is opaque (RFC 4361).
        if mac == nil, let client = found[61], client.count == 7, client.first == 1 {
            mac = PacketBytes(client).mac(1)
        }
        current = Self.host(bytes.address4(12))
        given = Self.host(bytes.address4(16))
        requested = Self.host(found[50].flatMap { PacketBytes($0).address4(0) })
        server = Self.host(found[54].flatMap { PacketBytes($0).address4(0) })
        hostName = found[12].flatMap(HarmlessText.name) ?? found[81].flatMap(Self.firstLabel)
        if let vendor = found[60] {
            isFirmware = vendor.starts(with: "PXEClient".utf8) || vendor.starts(with: "HTTPClient".utf8)
            isWindows = vendor.starts(with: "MSFT".utf8)
        }
    }

    private static func host(_ address: IPv4Address?) -> IPv4Address? { address.flatMap { $0.isHost ? $0 : nil } }

    /// Option 81 (RFC 4702, 2): flags, two old result codes, and the name, as text or, by the flag E, as DNS labels.
    private static func firstLabel(_ option: [UInt8]) -> String? {
        guard let flags = option.first, option.count > 3 else { return nil }
        let name = option.dropFirst(3)
        if flags & 4 != 0 {
            let length = Int(name.first ?? 0)
            guard (1...63).contains(length), name.count > length else { return nil }
            return HarmlessText.name(Array(name.dropFirst().prefix(length)))
        }
        return HarmlessText.name(Array(name.prefix { $0 != UInt8(ascii: ".") }))
    }
}

/// DHCP options by number. One that comes in parts is put together (RFC 3396).
struct DHCPOptions: Sendable {
    private var values: [UInt8: [UInt8]] = [:]
    /// Of one option in parts; no real one is longer.
    private static let longest = 1024

    subscript(code: UInt8) -> [UInt8]? { values[code] }

    /// Up to the end mark (255), the field's end, or an option that is longer than the field.
    mutating func read(_ field: PacketBytes) {
        var offset = 0
        while let code = field.u8(offset), code != 255 {
            offset += 1
            guard code != 0 else { continue }
            guard let length = field.u8(offset), let value = field.bytes(offset + 1, Int(length)) else { return }
            if values[code, default: []].count + value.count <= Self.longest {
                values[code, default: []] += value.array
            }
            offset += 1 + Int(length)
        }
    }
}

/// Text of a guest's, fit for a terminal and a page.
enum HarmlessText {
    /// At most 255 bytes, without control, formatting and unknown characters and spaces around; nil where none remain.
    static func name(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes.prefix(255), as: UTF8.self)
        var name = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where isPrintable(scalar) { name.append(scalar) }
        while name.first == " " { name.removeFirst() }
        while name.last == " " { name.removeLast() }
        return name.isEmpty ? nil : String(name)
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7F).contains(scalar.value) }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return scalar != "\u{FFFD}"
        }
    }
}
