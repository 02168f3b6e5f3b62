/// Something that the user should know about a guest or a plan.
public struct Finding: Equatable, Sendable, Codable {
    public enum Level: String, Sendable, Codable, Comparable {
        /// Worth reading; all is well.
        case note
        /// Something won't be as it was; it says what happens anyway.
        case warning
        /// Nothing is applied.
        case blocker

        private var rank: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
        public static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
    }

    public var level: Level
    /// The injector that speaks, or the stage: "inspect", "plan".
    public var injector: String
    public var message: String
    /// The way out; required for a blocker.
    public var hint: String?

    public init(level: Level, injector: String, message: String, hint: String? = nil) {
        self.level = level
        self.injector = injector
        self.message = message
        self.hint = hint
    }
}

/// A setting that a plan takes away, kept as data so that it can be put back: a static address, an enabled service.
public struct FormerSetting: Equatable, Sendable, Codable {
    /// "static-network", "enabled-service", "device-name": kebab-case, never renamed.
    public var kind: String
    public var injector: String
    /// The interface, service or device that the setting was for.
    public var subject: String
    /// The file that held it.
    public var file: GuestPath
    /// For a static network: "address", "gateway", "dns", "search", "mac", "route", "mtu"; each in the format's own words.
    public var values: [String: [String]]

    public init(kind: String, injector: String, subject: String, file: GuestPath, values: [String: [String]]) {
        self.kind = kind
        self.injector = injector
        self.subject = subject
        self.file = file
        self.values = values
    }
}

/// Why a guest is refused before anything is changed. It ends the command with exit code 4 or 5.
public struct Refusal: Error, Equatable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// Something about this guest's state, which its owner can mend: exit 4.
        case blocked
        /// A guest that we don't know how to convert: exit 5.
        case unsupported
    }

    public var kind: Kind
    public var message: String
    public var hint: String

    public init(_ kind: Kind, _ message: String, hint: String) {
        self.kind = kind
        self.message = message
        self.hint = hint
    }

    public var description: String { "\(message)\nhint: \(hint)" }
}
