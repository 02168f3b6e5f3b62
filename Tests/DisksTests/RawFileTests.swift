import Foundation
import GuestTesting
import Testing

@testable import Disks

struct RawFileTests {
    private func read(_ file: RawFile, _ offset: UInt64, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: count)
        try bytes.withUnsafeMutableBytes { try file.read(into: $0, offset: offset) }
        return bytes
    }

    @Test func bytesAndHolesAreTheFiles() throws {
        let scratch = try ScratchFolder()
        let path = scratch.file("disk")
        // Data, a hole, and a last sector that is cut short.
        try Data(repeating: 7, count: 65536).write(to: URL(fileURLWithPath: path))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seek(toOffset: 1 << 20)
        try handle.write(contentsOf: Data(repeating: 9, count: 100))
        try handle.close()
        let file = try RawFile(path, size: 1 << 20 + 512)
        #expect(try read(file, 65530, 12) == [7, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0])
        #expect(try read(file, 1 << 20, 512) == [UInt8](repeating: 9, count: 100) + [UInt8](repeating: 0, count: 412))
        let zeros = try file.zeros(in: 0..<(1 << 20))
        #expect(zeros.allSatisfy { $0.lowerBound >= 65536 && $0.upperBound <= 1 << 20 })
        #expect(!zeros.isEmpty, "the file system of the temporary folder has no holes?")
        #expect(try file.zeros(in: 4096..<8192) == [])
        #expect(try file.zeros(in: 131072..<262144) == [131072..<262144])
    }

    @Test func whatIsNotThereIsNamed() throws {
        #expect(throws: DiskImage.Failure.self) { try RawFile("/is/not/there", size: 512) }
        let scratch = try ScratchFolder()
        let path = scratch.file("disk")
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: path))
        let file = try RawFile(path, size: 8192)
        try Data().write(to: URL(fileURLWithPath: path), options: [])
        let failure = #expect(throws: DiskImage.Failure.self) { try read(file, 0, 8192) }
        #expect(failure?.description.contains("became shorter") == true)
    }
}
