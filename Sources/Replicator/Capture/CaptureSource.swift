public import Disks
public import Foundation

/// A machine whose disks can be captured: image files, a running domain, volumes of a cluster.
public protocol CaptureSource: Sendable {
    /// Holds the machine's disks still at one moment, as NBD exports, until the session ends.
    /// - Parameter tokens: of the last point that was committed, by the disk's name: what ``CaptureSession/token(of:)`` said
    ///   then.
    func begin(since tokens: [String: String]) async throws -> any CaptureSession
}

/// Disks at one moment.
public protocol CaptureSession: Sendable {
    var time: Date { get }
    var consistency: RecoveryPoint.Consistency { get }
    /// In their order.
    var disks: [SourceDisk] { get }
    /// What whoever asked should know: what went another way than they would wish, and what is only so.
    var warnings: [String] { get }
    var notes: [String] { get }

    /// By what a later session finds what has changed since this one; nil where the source can't tell.
    func token(of disk: SourceDisk) -> String?

    /// Everything was read, or something failed: whether it was still the one moment.
    /// - Throws: where it wasn't, and why; nothing is committed then.
    func checkStillness() async throws

    /// The point is committed: what an older one needed may go.
    func committed() async throws

    /// Lets go of everything. Called once, whatever became of the capture.
    func end() async throws
}

extension CaptureSession {
    public var warnings: [String] { [] }
    public var notes: [String] { [] }
}

public struct SourceDisk: Sendable {
    /// Where its bytes are.
    public enum Place: Sendable {
        /// An NBD export, by its URI.
        case export(String)
        /// A raw file, or a block device.
        case file(String)
    }

    /// The same for each capture of the machine.
    public var name: String
    /// In bytes.
    public var size: UInt64
    public var place: Place
    /// In bytes, what was written since the token's moment; nil: it isn't known, and all is read and compared.
    public var changes: [NBDConnection.Extent]?
    /// Why the changes aren't known, where they should be.
    public var trackingLoss: String?

    public init(
        name: String, size: UInt64, place: Place, changes: [NBDConnection.Extent]? = nil, trackingLoss: String? = nil
    ) {
        self.name = name
        self.size = size
        self.place = place
        self.changes = changes
        self.trackingLoss = trackingLoss
    }

    /// For one task; each has its own.
    func open() throws -> any DiskContent {
        switch place {
        case .export(let uri): try NBDConnection(uri)
        case .file(let path): try RawFile(path, size: size)
        }
    }
}
