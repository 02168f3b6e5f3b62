internal import Foundation

/// A program of this host that tests compare with. Tests that need one are skipped where it isn't installed.
public struct HostTool: Sendable, CustomStringConvertible {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public struct Result: Sendable {
        public var status: Int32
        public var output: [UInt8]
        public var text: String { String(decoding: output, as: UTF8.self) }
    }

    public let name: String
    private let path: String?

    public init(_ name: String) {
        self.name = name
        path = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map { "\($0)/\(name)" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    public var description: String { name }
    public var isInstalled: Bool { path != nil }

    /// Runs it and waits; its errors go where its output goes.
    @discardableResult
    public func run(_ arguments: [String], input: [UInt8] = [], in folder: String = "/tmp") throws -> Result {
        guard let path else { throw Failure(description: "\(name) is not installed") }
        // Files, not pipes: neither side can block the other.
        let scratch = try ScratchFolder()
        let (inputFile, outputFile) = (scratch.file("input"), scratch.file("output"))
        try Data(input).write(to: URL(fileURLWithPath: inputFile))
        try Data().write(to: URL(fileURLWithPath: outputFile))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"]
        let source = FileHandle(forReadingAtPath: inputFile)
        let target = FileHandle(forWritingAtPath: outputFile)
        process.standardInput = source
        process.standardOutput = target
        process.standardError = target
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: Array(try Data(contentsOf: URL(fileURLWithPath: outputFile))))
    }

    /// The same, where anything but success is an error of the test.
    @discardableResult
    public func output(_ arguments: [String], input: [UInt8] = [], in folder: String = "/tmp") throws -> [UInt8] {
        let result = try run(arguments, input: input, in: folder)
        guard result.status == 0 else {
            throw Failure(description: "\(name) \(arguments.joined(separator: " ")): \(result.status), \(result.text)")
        }
        return result.output
    }
}

/// A folder for one test, removed with the last reference to it.
public final class ScratchFolder: Sendable {
    public let path: String

    public init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("rehost-test-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    public func file(_ name: String) -> String { "\(path)/\(name)" }

    public func write(_ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    }

    public func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }
}

/// Numbers that are the same in every run.
public struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    /// SplitMix64.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
