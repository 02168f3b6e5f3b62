internal import Foundation

/// The files that a running machine writes, in a folder of its own.
public struct MachineFiles: Sendable {
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// The first serial port: the guest's console.
    public var serial: String { folder + "/serial.log" }
    /// The second serial port, which is the witness's.
    public var witness: String { folder + "/witness.log" }
    /// SeaBIOS's own messages.
    public var firmware: String { folder + "/firmware.log" }
    public var packets: String { folder + "/network.pcap" }
    public var screen: String { folder + "/screen.ppm" }
    public var videoMemory: String { folder + "/video.bin" }
    /// UEFI variables, of this boot alone.
    public var variables: String { folder + "/variables.fd" }
    /// Short: a socket's path has 107 bytes (unix(7)).
    public var agent: String { folder + "/agent" }

    public func overlay(_ index: Int) -> String { folder + "/disk-\(index).qcow2" }

    /// What the guest has made this host write beside its overlays, in bytes.
    var written: Int {
        [serial, witness, firmware, packets].reduce(0) { sum, path in
            var status = stat()
            return lstat(path, &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    /// Whether there is an agent's socket to talk through.
    var hasRoomForSocket: Bool { agent.utf8.count < 108 }
}

/// Reads a file that another program appends to.
struct GrowingFile {
    let path: String
    private(set) var offset: UInt64 = 0
    /// More than this is not kept: a guest may write for ever.
    private let limit: UInt64

    init(_ path: String, limit: UInt64 = 64 << 20) {
        self.path = path
        self.limit = limit
    }

    var isFull: Bool { offset >= limit }

    /// What came since the last call.
    mutating func next() -> [UInt8] {
        guard !isFull, let handle = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? handle.close() }
        guard (try? handle.seek(toOffset: offset)) != nil,
            let piece = try? handle.read(upToCount: 4 << 20), !piece.isEmpty
        else { return [] }
        offset += UInt64(piece.count)
        return Array(piece)
    }
}
