public import Foundation

/// A machine's disks at one moment, as a store has them. A point is there when its record is.
public struct RecoveryPoint: Codable, Equatable, Sendable, Identifiable {
    public struct Disk: Codable, Equatable, Sendable {
        /// "disk-0"; or what the source calls it.
        public var name: String
        /// In bytes.
        public var size: UInt64
        /// The manifest's object.
        public var manifest: String
        /// SHA-256 of that object, in hexadecimal.
        public var digest: String
        /// In bytes, read from the source and found to be other than in the point before.
        public var changed: UInt64
        /// In bytes, new in the store.
        public var stored: UInt64
        /// How what had changed was found.
        public var tracking: Tracking
        /// By what the source finds what is written after this point; nil where it can't tell.
        public var token: String?
    }

    public enum Tracking: String, Codable, Sendable {
        /// All of it was read: there was no point before.
        case full
        /// All of it was read, and compared with the point before.
        case compare
        /// The source knew.
        case bitmap
    }

    public enum Consistency: String, Codable, Sendable {
        /// As after a power cut.
        case crash
        /// File systems were frozen.
        case fileSystem = "file-system"
        /// Programs had written what they had in memory, too.
        case application
        /// The machine was off.
        case off
    }

    public var schema = 1
    /// "20261128T101500Z-3f9a": the time, and digits against two at once.
    public var id: String
    public var machine: String
    /// When the disks were as they are in it.
    public var time: Date
    public var consistency: Consistency
    /// In their order.
    public var disks: [Disk]
    /// The lease that it was written under.
    public var lease: String
    /// The machine, as whoever captured it describes it; nobody here reads it.
    public var description: Data?

    /// In bytes.
    public var size: UInt64 { disks.reduce(0) { $0 + $1.size } }
    public var changed: UInt64 { disks.reduce(0) { $0 + $1.changed } }
    public var stored: UInt64 { disks.reduce(0) { $0 + $1.stored } }

    /// Its record's, in the store.
    public var object: String { Self.object(machine: machine, id: id) }
    static func object(machine: String, id: String) -> String { "points/\(machine)/\(id).point" }

    static func newID(at time: Date) throws -> String {
        let random = try Cipher.random(2).map { String(UInt32($0) + 256, radix: 16).dropFirst() }.joined()
        let text = time.formatted(
            .iso8601.year().month().day().dateSeparator(.omitted).time(includingFractionalSeconds: false)
                .timeSeparator(.omitted))
        return text + "Z-" + random
    }
}

/// What users call a machine in a store.
public enum MachineName {
    /// Letters, digits, dots, dashes and underscores, 1 to 100 of them, no dot first: it is part of objects' names.
    public static func isValid(_ name: String) -> Bool {
        (1...100).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || ".-_".utf8.contains(byte)
            }
    }
}
