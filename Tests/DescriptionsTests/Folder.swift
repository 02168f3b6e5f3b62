import Archives
import Foundation

@testable import Descriptions

/// A folder of this host's with files, gone with the test.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("descriptions-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func add(_ name: String, _ bytes: [UInt8]) throws -> String {
        let url = URL(fileURLWithPath: path).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    @discardableResult
    func add(_ name: String, _ text: String) throws -> String { try add(name, Array(text.utf8)) }

    /// A tar archive of files.
    @discardableResult
    func tar(_ name: String, _ members: [(String, [UInt8])]) throws -> String {
        try add(
            name, try Tar.write(members.map { .init(path: $0.0, kind: .file($0.1), permissions: 0o644) }))
    }

    func describe(_ name: String) throws -> DescribedMachine? { try DescriptionSource.read(path + "/" + name) }
}

/// What a call fails with: its words.
func words<Result>(_ body: () throws -> Result) -> String {
    do {
        _ = try body()
        return ""
    } catch {
        return "\(error)"
    }
}
