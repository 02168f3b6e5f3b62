/// How far a boot came. Each level has been seen, never inferred from time that passed.
public enum Level: String, Sendable, Codable, CaseIterable, Comparable {
    case firmware
    case bootLoader = "boot-loader"
    case kernel
    case rootMounted = "root-mounted"
    case userSpace = "user-space"
    /// The guest has an address that the network knows: a DHCP lease taken, or its gateway answered.
    case network
    /// A login prompt, on a serial port, the screen or told by the witness.
    case login

    public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// For people: "boot loader".
    public var title: String { rawValue.replacing("-", with: " ") }
}
