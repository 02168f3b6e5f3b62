import Archives
import GuestTesting
import Testing

@testable import Replicator

/// Objects of a store with something wrong in them: an error, and never anything else.
struct MutationTests {
    private static let manifest = Manifest(
        size: 10 * 65_536 - 7, regionSize: 65_536,
        regions: (0..<10).map { $0 % 3 == 0 ? .zero : .chunk(ChunkID(bytes: [UInt8](repeating: UInt8($0), count: 32))) }
    )

    @Test func aManifestReadsAsItWasWritten() throws {
        for cipher in [
            Cipher.plain,
            Cipher(keys: .init(content: .init(repeating: 1, count: 32), names: .init(repeating: 2, count: 32))),
        ] {
            let object = try Self.manifest.encoded(as: "x", cipher: cipher)
            #expect(try Manifest(object, as: "x", cipher: cipher, store: "s") == Self.manifest)
        }
    }

    @Test func manifests() throws {
        let good = try Self.manifest.encoded(as: "x", cipher: .plain)
        let violations = Mutation.run("manifest", corpus: [good]) { bytes in
            // Its own checksum put right, so that what is behind it is tried, too.
            var bytes = bytes
            if bytes.count > 40 { bytes = Frame.around(Array(bytes[40...]), head: Array(bytes[..<8])) }
            _ = try Manifest(bytes, as: "x", cipher: .plain, store: "s")
        }
        #expect(violations == [])
    }

    @Test func chunks() throws {
        let content = [UInt8](repeating: 7, count: 65_536)
        let id = content.withUnsafeBytes { Cipher.plain.id(of: $0) }
        let good = try content.withUnsafeBytes { try Chunk.encode($0, id, cipher: .plain, scratch: .init()) }
        #expect(try Chunk.decode(good, id, cipher: .plain, store: "s") == content)
        let violations = Mutation.run("chunk", corpus: [good]) { bytes in
            var bytes = bytes
            if bytes.count > 40 { bytes = Frame.around(Array(bytes[40...]), head: Array(bytes[..<8])) }
            let read = try Chunk.decode(bytes, id, cipher: .plain, store: "s")
            #expect(read == content)
        }
        #expect(violations == [])
    }
}
