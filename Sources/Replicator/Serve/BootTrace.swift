/// The regions that a start of a machine read, in their order. The next start, from this point or another one, will want
/// nearly the same.
public struct BootTrace: Codable, Equatable, Sendable {
    public var schema = 1
    /// In bytes.
    public var regionSize: Int
    /// By the disks' names; numbers of regions.
    public var disks: [String: [Int]]

    init(regionSize: Int, disks: [String: [Int]]) {
        self.regionSize = regionSize
        self.disks = disks
    }
}

extension Repository {
    /// Of the machine's last recorded start; nil where there is none.
    public func bootTrace(of machine: String) async throws -> BootTrace? {
        try await read(BootTrace.self, Self.bootObject(machine))
    }

    public func keep(_ trace: BootTrace, of machine: String) async throws {
        try await write(trace, Self.bootObject(machine))
    }

    private static func bootObject(_ machine: String) -> String { "history/\(machine)/boot" }
}
