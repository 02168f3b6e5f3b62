import Foundation
import GuestTesting
import Testing

@testable import Disks

/// Disk images inside other files, with real images of qemu-img's.
@Suite(.enabled(if: HostTool("qemu-img").isInstalled)) struct DiskMemberTests {
    private static let qemu = HostTool("qemu-img")
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("members-\(UUID().uuidString)")

    /// What a guest sees: 3 MiB that don't compress to nothing, in 16 MiB.
    private func makeDisk() throws -> [UInt8] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let bytes = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        try Data(bytes + [UInt8](repeating: 0, count: 13 << 20)).write(to: folder.appendingPathComponent("disk.raw"))
        return bytes + [UInt8](repeating: 0, count: 13 << 20)
    }

    private func clean() { try? FileManager.default.removeItem(at: folder) }

    private func file(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private static let kinds: [(String, [String])] = [
        ("vmdk", ["-o", "subformat=streamOptimized"]), ("vmdk", ["-o", "subformat=monolithicSparse"]), ("qcow2", []),
        ("raw", []), ("vdi", []), ("vhdx", []), ("vpc", ["-o", "force_size=on"]),
    ]

    @Test(arguments: 0..<kinds.count) func readsInPlace(_ index: Int) async throws {
        let (format, options) = Self.kinds[index]
        let content = try makeDisk()
        defer { clean() }
        try Self.qemu.output(["convert", "-O", format] + options + [file("disk.raw"), file("image")])
        let image = try Data(contentsOf: URL(fileURLWithPath: file("image")))
        try (Data(repeating: 9, count: 1536) + image + Data(repeating: 8, count: 2048)).write(
            to: URL(fileURLWithPath: file("a b,c.ova")))
        let disk = try await DiskImage.open(
            member: "m.vmdk", of: file("a b,c.ova"), offset: 1536, size: UInt64(image.count))
        #expect(disk.format == format)
        #expect(disk.isMember)
        #expect(disk.title == "\(file("a b,c.ova")): m.vmdk")
        try await QemuImg.createOverlay(file("overlay.qcow2"), over: disk)
        try Self.qemu.output(["convert", "-f", "qcow2", "-O", "raw", file("overlay.qcow2"), file("seen.raw")])
        #expect(try Data(contentsOf: URL(fileURLWithPath: file("seen.raw"))) == Data(content))
        try Self.qemu.output(["convert", "-f", disk.format, "-O", "raw", disk.path, file("copied.raw")])
        #expect(try Data(contentsOf: URL(fileURLWithPath: file("copied.raw"))) == Data(content))
    }

    @Test func refusesMembersThatNameFiles() async throws {
        _ = try makeDisk()
        defer { clean() }
        try Self.qemu.output(
            ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", file("disk.raw"), file("image")])
        let image = try Data(contentsOf: URL(fileURLWithPath: file("image")))
        try (Data(repeating: 9, count: 512) + image).write(to: URL(fileURLWithPath: file("a.ova")))
        await #expect(throws: DiskImage.Failure.self) {
            _ = try await DiskImage.open(
                member: "m.qcow2", of: file("a.ova"), offset: 512, size: UInt64(image.count))
        }
        let descriptor = """
            # Disk DescriptorFile
            version=1
            CID=fffffffe
            parentCID=ffffffff
            createType="monolithicFlat"
            RW 8 FLAT "/etc/passwd" 0
            """
        try (Data(repeating: 9, count: 512) + Data(descriptor.utf8)).write(to: URL(fileURLWithPath: file("b.ova")))
        await #expect(throws: DiskImage.Failure.self) {
            _ = try await DiskImage.open(
                member: "m.vmdk", of: file("b.ova"), offset: 512, size: UInt64(descriptor.utf8.count))
        }
    }

    /// Everything that VMware, Hyper-V, VirtualBox and QEMU keep a disk in.
    @Test func kindsOfFiles() async throws {
        let content = try makeDisk()
        defer { clean() }
        for kind in [
            "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat", "streamOptimized",
        ] {
            try Self.qemu.output(
                ["convert", "-O", "vmdk", "-o", "subformat=\(kind)", file("disk.raw"), file("\(kind).vmdk")])
            let disk = try await DiskImage.open(file("\(kind).vmdk"), format: "vmdk")
            #expect(disk.virtualSize == 16 << 20, "\(kind)")
        }
        // A snapshot: VMware's own has the parent's content id and its name.
        try Self.qemu.output(
            [
                "create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", file("monolithicSparse.vmdk"), file("x-000001.vmdk"),
            ])
        let snapshot = try await DiskImage.open(file("x-000001.vmdk"), format: "vmdk")
        try await QemuImg.createOverlay(file("overlay.qcow2"), over: snapshot)
        try Self.qemu.output(["convert", "-O", "raw", file("overlay.qcow2"), file("seen.raw")])
        #expect(try Data(contentsOf: URL(fileURLWithPath: file("seen.raw"))) == Data(content))
        // Named with a known format, a raw file isn't taken for anything else.
        await #expect(throws: DiskImage.Failure.self) { _ = try await DiskImage.open(file("disk.raw"), format: "vmdk") }
        #expect(try await DiskImage.open(file("x-000001.vmdk"), format: "raw").format == "raw")
    }

    @Test func digests() throws {
        _ = try makeDisk()
        defer { clean() }
        try Data("xxabcyy".utf8).write(to: URL(fileURLWithPath: file("t")))
        func digest(_ algorithm: String) throws -> String {
            try FileDigest.hex(of: file("t"), offset: 2, size: 3, algorithm: algorithm) { _ in }
        }
        // FIPS 180's own examples.
        #expect(try digest("SHA1") == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(try digest("SHA256") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try digest("SHA512").hasPrefix("ddaf35a193617abacc417349ae204131"))
        #expect(throws: DiskImage.Failure.self) {
            _ = try FileDigest.hex(of: file("t"), offset: 2, size: 30, algorithm: "SHA1") { _ in }
        }
    }

    @Test(.enabled(if: HostTool("gzip").isInstalled)) func unpacks() throws {
        let content = try makeDisk()
        defer { clean() }
        try HostTool("gzip").output(["-k", file("disk.raw")])
        let size = try FileManager.default.attributesOfItem(atPath: file("disk.raw.gz"))[.size] as? UInt64 ?? 0
        let half = size / 2
        try Unpacking.write(
            [
                .init(file: file("disk.raw.gz"), offset: 0, size: half),
                .init(file: file("disk.raw.gz"), offset: half, size: size - half),
            ], isCompressed: true, to: file("out")
        ) { _ in }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file("out"))) == Data(content))
        #expect(throws: DiskImage.Failure.self) {
            try Unpacking.write(
                [.init(file: file("disk.raw.gz"), offset: 0, size: half)], isCompressed: true, to: file("cut")
            ) { _ in }
        }
        #expect(throws: DiskImage.Failure.self) {
            try Unpacking.write(
                [.init(file: file("disk.raw"), offset: 0, size: nil)], isCompressed: true, to: file("no")
            ) { _ in }
        }
        try Unpacking.write(
            [
                .init(file: file("disk.raw"), offset: 0, size: 1000),
                .init(file: file("disk.raw"), offset: 1000, size: nil),
            ], isCompressed: false, to: file("joined")
        ) { _ in }
        #expect(try Data(contentsOf: URL(fileURLWithPath: file("joined"))) == Data(content))
    }
}
