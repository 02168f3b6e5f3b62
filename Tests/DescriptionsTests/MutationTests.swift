import Foundation
import Guest
import Testing

@testable import Descriptions

/// Damaged documents, the same ones in each run: they may be refused, and nothing else.
@Suite struct MutationTests {
    /// SplitMix64.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }

    private func mutations(_ bytes: [UInt8], count: Int, body: ([UInt8]) throws -> Void) {
        var random = Seeded(state: 42)
        for _ in 0..<count {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...8, using: &random) where !damaged.isEmpty {
                let place = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[place] = UInt8.random(in: 0...255, using: &random)
                case 1: damaged.removeSubrange(place..<min(place + 5, damaged.count))
                case 2: damaged.insert(contentsOf: damaged[place..<min(place + 9, damaged.count)], at: place)
                default: damaged[place] = [0x30, 0x39, 0x22, 0x3C, 0x7C, 0xFF][Int.random(in: 0..<6, using: &random)]
                }
            }
            try? body(damaged)
        }
    }

    @Test func vmx() {
        let text = """
            .encoding = "UTF-8"
            config.version = "8"
            memSize = "4096"
            numvcpus = "6"
            cpuid.coresPerSocket = "3"
            scsi0:10.fileName = "a|22.vmdk"
            scsi0:10.present = "TRUE"
            bios.hddOrder = "scsi0:10"
            ethernet0.present = "TRUE"
            ethernet0.generatedAddress = "00:0c:29:94:89:23"
            """
        mutations(Array(text.utf8), count: 2000) { _ = try VMXReader.read($0, path: "/x/a.vmx") }
    }

    @Test func ovf() throws {
        let folder = ApplianceFiles.folder("/nowhere")
        for document in [Documents.vmware, Documents.virtualBox, Documents.oVirt] {
            mutations(Array(document.utf8), count: 400) {
                _ = try OVFReader(envelope: OVFEnvelope($0, name: "a"), files: folder, name: "a").read()
            }
        }
    }

    @Test func tar() throws {
        let folder = try Folder()
        let members: [(String, [UInt8])] = [
            ("m.ovf", Array("x".utf8)), (String(repeating: "n", count: 150), [1, 2, 3]), ("ü/d.vmdk", [4]),
        ]
        let bytes = try HostFile.read(try folder.tar("a.ova", members), count: 1 << 20)
        mutations(bytes, count: 500) { _ = try TarIndex(try folder.add("b.ova", $0)) }
    }

    @Test func manifest() {
        let text =
            "SHA1(a.ovf)= \(String(repeating: "0a", count: 20))\r\nSHA256(b)= \(String(repeating: "1", count: 64))\n"
        mutations(Array(text.utf8), count: 2000) { _ = Manifest($0) }
    }
}
