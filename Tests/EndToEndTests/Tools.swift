import Foundation

/// The scripts and the product that the end-to-end tests run, as a user would.
enum Tools {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A suite's own folder: outside the tree, beside the guests' own cache, so that a second run finds what the first one
    /// built.
    static func work(_ suite: String) -> URL {
        let cache =
            ProcessInfo.processInfo.environment["XDG_CACHE_HOME"].map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
        return cache.appendingPathComponent("rehost/test-\(ProcessInfo.processInfo.processIdentifier)-\(suite)")
    }

    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    static func run(_ program: String, _ arguments: [String]) throws -> Result {
        let process = Process()
        process.executableURL =
            program.hasPrefix("/") ? URL(fileURLWithPath: program) : root.appendingPathComponent(program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        // Not in a suite's own folder, which ends with it: suites run side by side.
        let files = ["out", "err"].map { name in
            FileManager.default.temporaryDirectory.appendingPathComponent("rehost-test-\(UUID().uuidString).\(name)")
        }
        for file in files { try Data().write(to: file) }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        process.standardOutput = try FileHandle(forWritingTo: files[0])
        process.standardError = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus,
            output: String(decoding: try Data(contentsOf: files[0]), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: files[1]), as: UTF8.self))
    }

    /// Of the same build as the tests.
    private static var product: String {
        let binary = Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("rehost").path
        let built = root.appendingPathComponent(".build/debug/rehost").path
        return [binary, built].compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) } ?? built
    }

    static func rehost(_ arguments: [String]) throws -> Result { try run(product, arguments) }

    /// The product, to be ended by the test.
    static func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: product)
        process.arguments = arguments
        for output in [\Process.standardOutput, \Process.standardError] {
            process[keyPath: output] = FileHandle.nullDevice
        }
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    static func digest(_ path: String) throws -> String {
        String(try run("/usr/bin/sha256sum", [path]).output.prefix(64))
    }

    /// What the guest's witness printed on the serial port: "key=value" lines.
    static func facts(_ serial: String) -> [String: String] {
        var facts: [String: String] = [:]
        var isInside = false
        for line in serial.split(whereSeparator: \.isNewline) {
            if line.hasSuffix("WITNESS-BEGIN") { isInside = true }
            if line.hasPrefix("WITNESS-END") { break }
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if isInside, parts.count == 2 { facts[parts[0]] = parts[1] }
        }
        return facts
    }
}
