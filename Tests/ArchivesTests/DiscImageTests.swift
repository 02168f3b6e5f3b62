import Archives
import Foundation
import GuestTesting
import Testing

/// ISO images, read without a mount.
@Suite(.enabled(if: HostTool("xorriso").isInstalled, "xorriso is not installed"))
struct DiscImageTests {
    private func image(_ files: [String: [UInt8]], _ scratch: ScratchFolder, _ options: [String]) throws -> String {
        for (name, bytes) in files {
            let file = URL(filePath: scratch.file("tree/" + name))
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
        let path = scratch.file("disc.iso")
        try HostTool("xorriso").output(
            ["-as", "mkisofs"] + options + ["-quiet", "-o", path, scratch.file("tree")])
        return path
    }

    private let files: [String: [UInt8]] = [
        "viostor/w10/amd64/viostor.inf": Array("one".utf8),
        "NetKVM/2k12R2/amd64/netkvm.sys": [UInt8](repeating: 7, count: 100_000),
        "a name that is longer than the plain format has it.txt": [],
    ]

    @Test(arguments: [["-J"], ["-R"], ["-J", "-R"]])
    func filesAreFoundAndRead(_ options: [String]) throws {
        let scratch = try ScratchFolder()
        let file = try FileHandle(forReadingFrom: URL(filePath: image(files, scratch, options)))
        let disc = try DiscImage(descriptor: file.fileDescriptor)
        #expect(Set(disc.files) == Set(files.keys))
        #expect(try disc.read(Set(files.keys), limit: 1 << 20) == files)
        #expect(try disc.read(["missing"], limit: 1).isEmpty)
        #expect(throws: DiscImage.Failure.self) { try disc.read(Set(files.keys), limit: 1000) }
    }

    @Test func whatIsNoDiscIsRefused() throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("x.iso")
        try Data(repeating: 1, count: 1 << 20).write(to: URL(filePath: path))
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        #expect(throws: DiscImage.Failure.self) { try DiscImage(descriptor: file.fileDescriptor) }
        #expect(throws: DiscImage.Failure.self) { try DiscImage(descriptor: -1) }
    }

    /// Damaged ones: an error, or a list of what can be read.
    @Test func mutants() throws {
        let scratch = try ScratchFolder()
        let good = [UInt8](try Data(contentsOf: URL(filePath: image(files, scratch, ["-J", "-R"]))))
        let violations = Mutation.run("iso", corpus: [good], tokens: ["CD001", "RRIP_1991A"]) { bytes in
            let path = scratch.file("damaged.iso")
            try Data(bytes).write(to: URL(filePath: path))
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            let disc = try DiscImage(descriptor: file.fileDescriptor)
            for (name, content) in try disc.read(Set(disc.files), limit: 1 << 20) {
                #expect(disc.files.contains(name) && content.count <= 1 << 20)
            }
        }
        #expect(violations == [])
    }
}
