import Foundation
import GuestTesting
import Host
import Testing

struct LastWillTests {
    private func isThere(_ path: String) async throws -> Bool {
        for _ in 0..<50 where !FileManager.default.fileExists(atPath: path) {
            try await Task.sleep(for: .milliseconds(100))
        }
        return FileManager.default.fileExists(atPath: path)
    }

    @Test func itIsDoneForWhoeverEndsWithoutAWord() async throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("it's done; $HOME")
        // Its end of the pipe closes as it does with the process.
        _ = try LastWill(Command("touch", [path]))
        #expect(try await isThere(path))
    }

    @Test func itIsntWhereAllIsWell() async throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("done")
        try LastWill(Command("touch", [path])).revoke()
        try await Task.sleep(for: .seconds(1))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func whatIsNotInstalledIsSaidAtOnce() {
        #expect(throws: Command.Failure.self) { _ = try LastWill(Command("rehost-is-not-this", [])) }
    }
}
