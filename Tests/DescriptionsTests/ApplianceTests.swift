import Foundation
import Guest
import GuestTesting
import Testing

@testable import Descriptions

@Suite struct ApplianceTests {
    private static let tar = HostTool("tar")
    private let ovf = Array(Documents.oneDisk(href: "d.vmdk").utf8)

    @Test func membersInPlace() throws {
        let folder = try Folder()
        let disk = [UInt8](repeating: 7, count: 3000)
        let path = try folder.tar("a.ova", [("./m.ovf", ovf), ("d.vmdk", disk)])
        let part = try #require(try folder.describe("a.ova")?.sources.first?.parts.first)
        #expect(part.file == path)
        #expect(try HostFile.read(path, at: part.offset, count: Int(part.size ?? 0)) == disk)
        #expect(try folder.describe("a.ova")?.machine.disks.map(\.file) == ["d.vmdk"])
    }

    /// Each format of GNU tar, with long names and a large number.
    @Test(.enabled(if: tar.isInstalled), arguments: ["ustar", "gnu", "pax", "v7", "oldgnu"])
    func formats(_ format: String) throws {
        let folder = try Folder()
        let long = format == "v7" ? "sub" : String(repeating: "long/", count: format == "ustar" ? 30 : 60) + "sub"
        try folder.add("in/m.ovf", Array(Documents.oneDisk(href: long + "/d.vmdk").utf8))
        try folder.add("in/\(long)/d.vmdk", "disk!")
        try Self.tar.output(["--format=\(format)", "-cf", "a.ova", "-C", "in", "m.ovf", long], in: folder.path)
        let part = try #require(try folder.describe("a.ova")?.sources.first?.parts.first)
        #expect(try HostFile.read(part.file, at: part.offset, count: Int(part.size ?? 0)) == Array("disk!".utf8))
    }

    @Test func folders() throws {
        let folder = try Folder()
        try folder.add("x/m.ovf", ovf)
        try folder.add("x/d.vmdk", "disk")
        let described = try #require(try folder.describe("x"))
        #expect(described.sources.first?.parts.map(\.file) == [folder.path + "/x/d.vmdk"])
        try folder.add("x/n.ovf", ovf)
        #expect(words { try folder.describe("x") }.contains("holds several: m.ovf, n.ovf"))
        try folder.add("y/readme", "")
        #expect(words { try folder.describe("y") }.contains("holds no .ovf"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/y/d.vmdk", withDestinationPath: "/etc/hostname")
        try folder.add("y/m.ovf", ovf)
        #expect(words { try folder.describe("y") }.contains("outside its own folder"))
    }

    @Test func subfolderOfAnArchive() throws {
        let folder = try Folder()
        try folder.tar(
            "a.ova", [("web/m.ovf", ovf), ("web/d.vmdk", [1]), ("web/m.mf", Array("SHA1(d.vmdk)= x\n".utf8))])
        let described = try #require(try folder.describe("a.ova"))
        #expect(described.sources.map(\.parts.count) == [1])
        #expect(described.findings.map(\.level) == [.warning])
    }

    @Test func hostileArchives() throws {
        let folder = try Folder()
        let whole = try folder.tar("a.ova", [("m.ovf", ovf), ("d.vmdk", [UInt8](repeating: 1, count: 5000))])
        let bytes = try HostFile.read(whole, count: 1 << 20)
        try folder.add("cut.ova", Array(bytes[..<6000]))
        #expect(words { try folder.describe("cut.ova") }.contains("is cut: 'd.vmdk' ends at byte"))
        try folder.tar("up.ova", [("m.ovf", ovf), ("sub/../../d.vmdk", [1])])
        #expect(words { try folder.describe("up.ova") }.contains("has a member 'sub/../../d.vmdk', outside of itself"))
        try folder.tar("root.ova", [("m.ovf", ovf), ("/etc/d.vmdk", [1])])
        #expect(words { try folder.describe("root.ova") }.contains("outside of itself"))
        try folder.tar("none.ova", [("d.vmdk", [1])])
        #expect(words { try folder.describe("none.ova") }.contains("holds no .ovf"))
        try folder.add("empty.ova", "")
        #expect(words { try folder.describe("empty.ova") }.contains("doesn't hold what its name says"))
        try folder.add("zip.ova", [0x1F, 0x8B, 8, 0])
        #expect(words { try folder.describe("zip.ova") }.contains("decompress it first"))
        try folder.tar("many.ova", (0..<10_001).map { ("f\($0)", []) })
        #expect(words { try folder.describe("many.ova") }.contains("more than 10000 members"))
        // A size of 2^63, in base 256 and as a pax record.
        var large = bytes
        for (index, byte) in ([0x80, 0, 0, 0, 0x7F] as [UInt8]).enumerated() { large[124 + index] = byte }
        for index in 129..<136 { large[index] = 0xFF }
        try folder.add("large.ova", large)
        #expect(words { try folder.describe("large.ova") } != "")
    }

    @Test(.enabled(if: tar.isInstalled)) func links() throws {
        let folder = try Folder()
        try folder.add("in/m.ovf", ovf)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/in/d.vmdk", withDestinationPath: "/etc/passwd")
        try Self.tar.output(["-cf", "a.ova", "-C", "in", "m.ovf", "d.vmdk"], in: folder.path)
        #expect(words { try folder.describe("a.ova") }.contains("is a link"))
    }

    @Test func chunks() throws {
        let folder = try Folder()
        let chunked = Array(Documents.oneDisk(href: "d.vmdk", file: " ovf:chunkSize=\"10\" ovf:size=\"25\"").utf8)
        let pieces = [10, 10, 5].enumerated().map {
            ("d.vmdk.00000000\($0.offset)", [UInt8](repeating: UInt8($0.offset), count: $0.element))
        }
        try folder.tar("a.ova", [("m.ovf", chunked)] + pieces)
        #expect(try folder.describe("a.ova")?.sources.first?.parts.map(\.size) == [10, 10, 5])
        try folder.tar("gap.ova", [("m.ovf", chunked), pieces[0], pieces[2]])
        #expect(words { try folder.describe("gap.ova") }.contains("chunk 1 of 'd.vmdk'"))
        try folder.tar("end.ova", [("m.ovf", chunked), pieces[0], pieces[1]])
        #expect(words { try folder.describe("end.ova") }.contains("have 20 bytes, not 25"))
        try folder.tar("far.ova", [("m.ovf", chunked), ("d.vmdk.999999999", [1])])
        #expect(words { try folder.describe("far.ova") }.contains("chunk 0 of"))
        // Without a size of chunks they are states of one disk.
        try folder.tar("states.ova", [("m.ovf", ovf)] + pieces)
        let states = try #require(try folder.describe("states.ova"))
        #expect(states.sources.first?.parts.map(\.size) == [5])
        #expect(states.findings.map(\.level) == [.note])
    }

    @Test func manifests() throws {
        let sha1 = String(repeating: "0a", count: 20)
        let sha256 = String(repeating: "B1", count: 32)
        let manifest = Manifest(
            Array(
                "SHA1(a.ovf)= \(sha1)\r\nSHA256 (b (1).vmdk) =\(sha256)\n\nSHA1(short)= 12\nMD5(c)= \(sha1)\nnonsense\n"
                    .utf8))
        #expect(
            manifest.entries == [
                .init(algorithm: "SHA1", name: "a.ovf", digest: sha1),
                .init(algorithm: "SHA256", name: "b (1).vmdk", digest: sha256.lowercased()),
            ])
        #expect(manifest.strangeLines == [4, 5, 6])
        let folder = try Folder()
        try folder.tar(
            "a.ova",
            [("m.ovf", ovf), ("d.vmdk", [1]), ("m.mf", Array("SHA1(d.vmdk)=\(sha1)\nSHA1(no.vmdk)= \(sha1)".utf8))])
        let described = try #require(try folder.describe("a.ova"))
        #expect(described.checksums.map(\.name) == ["d.vmdk"])
        #expect(described.findings.map(\.level) == [.warning])
        // The same beside an OVF in a folder, above and below which nothing is looked for.
        try folder.add("x/m.ovf", Array(Documents.oneDisk(href: "sub/d.vmdk").utf8))
        try folder.add("x/M.MF", "SHA1(sub/d.vmdk)= \(sha1)")
        for number in 0..<2 { try folder.add("x/sub/d.vmdk.00000000\(number)", "piece") }
        try folder.add("x/sub/d.vmdk", "disk")
        #expect(try folder.describe("x")?.checksums.map(\.part.file) == [folder.path + "/x/sub/d.vmdk"])
        try FileManager.default.removeItem(atPath: folder.path + "/x/sub/d.vmdk")
        let pieces = try #require(try folder.describe("x/m.ovf"))
        #expect(pieces.sources.first?.parts.map(\.file) == [folder.path + "/x/sub/d.vmdk.000000001"])
        #expect(pieces.findings.map(\.level) == [.note, .warning])
    }
}
