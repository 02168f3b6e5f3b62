import Archives
import GuestTesting
import Testing

@testable import Injectors

struct InitramfsTests {
    private let archive = Cpio.archive([.file("usr/lib/modules/6.1/kernel/a.ko", [1]), .file("init", [])])

    @Test func versionsAreThoseOfModules() throws {
        let content = try Initramfs(
            archive + Cpio.archive([.file("lib/modules/5.10/x.ko.xz", []), .file("lib/modules/4/modules.dep", [])]))
        #expect(content.versions == ["5.10", "6.1"])
    }

    @Test(arguments: [
        ("lib/udev/rules.d/80-drivers.rules", true), ("etc/udev/rules.d/90-modprobe.rules", true),
        ("sbin/nlplug-findfs", true), ("bin/nash", false), ("run_all.sh", false), ("etc/x80-drivers.rules", false),
    ])
    func whatLoadsByAlias(_ file: String, _ loads: Bool) throws {
        #expect(try Initramfs(Cpio.archive([.file(file, [])])).loadsByAlias == loads)
    }

    private func reason(_ bytes: [UInt8], limit: Int = Initramfs.limit) -> String {
        do {
            _ = try Initramfs(bytes, limit: limit)
            return "none"
        } catch { return "\(error)" }
    }

    @Test func whatCannotBeReadIsNamed() throws {
        #expect(reason([0x89, 0x4C, 0x5A, 0x4F, 0, 0x0D]).contains("LZO"))
        #expect(reason([]) == "it is empty")
        #expect(reason([0, 0, 0]) == "it is empty")
        #expect(reason(Array("garbage".utf8)).contains("neither a cpio archive"))
        #expect(reason(Array(archive.prefix(200))) == "an archive in it is cut short")
        #expect(reason(try Compression.gzip.encode(Array(archive.prefix(200)))) == "an archive in it is cut short")
        #expect(reason(try Compression.gzip.encode(archive + [1, 2, 3])).contains("no archive"))
        #expect(reason(archive + Array("garbage".utf8)).contains("neither"))
    }

    @Test func manySegmentsAreRefused() throws {
        let segment = try Compression.gzip.encode(archive)
        #expect(try Initramfs(Array([[UInt8]](repeating: segment, count: 200).joined())).paths.count == 2)
        #expect(reason(Array([[UInt8]](repeating: segment, count: 300).joined())).contains("segments"))
    }

    @Test func aBombIsRefused() throws {
        let zero = "00000000"
        let fields = [zero, "000081a4", zero, zero, zero, zero, "ffffffff", zero, zero, zero, zero, "00000002", zero]
        let start = Array("070701\(fields.joined())a\0".utf8)
        let zeros = try Compression.zstd.encode([UInt8](repeating: 0, count: 1 << 20))
        // A file of 4 GiB that no segment has the end of: only a kernel would go on in the next one.
        #expect(reason(try Compression.zstd.encode(start) + zeros) == "an archive in it is cut short")
        #expect(reason(archive + zeros + zeros, limit: 2 << 20) == "none")
        #expect(reason(archive + zeros + zeros + zeros, limit: 2 << 20).contains("holds more than"))
    }

    /// Seeded: whatever happens to the bytes, reading ends, without a trap.
    @Test func mutationsDoNoHarm() throws {
        let packed = [
            archive, try Compression.gzip.encode(archive), try Compression.zstd.encode(archive),
            archive + [0, 0, 0, 0] + (try Compression.gzip.encode(archive)),
        ]
        var random = Seeded(23)
        for bytes in packed {
            for _ in 0..<200 {
                var broken = bytes
                switch Int.random(in: 0..<3, using: &random) {
                case 0: broken = Array(broken.prefix(.random(in: 0...bytes.count, using: &random)))
                case 1: broken.insert(contentsOf: bytes, at: .random(in: 0...bytes.count, using: &random))
                default: break
                }
                for _ in 0..<4 where !broken.isEmpty {
                    broken[.random(in: 0..<broken.count, using: &random)] = .random(in: 0...255, using: &random)
                }
                guard let content = try? Initramfs(broken) else { continue }
                _ = (content.versions, content.loadsByAlias, content.modules(of: "6.1"))
            }
        }
    }
}
