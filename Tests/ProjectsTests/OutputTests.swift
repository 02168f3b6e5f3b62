import Descriptions
import Disks
import Foundation
import Guest
import GuestTesting
import Testing

@testable import Projects

/// Each format, from an overlay over a small source to the named files, as a conversion writes them. Only the appliance is
/// left out: qemu-io makes the changes.
@Suite(
    .serialized,
    .enabled(if: HostTool("qemu-img").isInstalled && HostTool("sgdisk").isInstalled, "needs qemu-img, sgdisk"))
struct OutputTests {
    private let scratch: ScratchFolder
    private let qemuImg = HostTool("qemu-img")

    init() throws { scratch = try ScratchFolder() }

    /// Three sectors more than 5 MiB, with a GPT and something in a partition.
    private func makeSource(_ name: String) throws -> String {
        let path = scratch.file(name)
        try qemuImg.output(["create", "-q", "-f", "raw", path, "\((5 << 20) + 3 * 512)"])
        try HostTool("sgdisk").output(["-n", "1:2048:6000", path])
        var random = Seeded(7)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: 2048 * 512)
        try file.write(
            contentsOf: Data((0..<1 << 17).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }))
        try file.close()
        return path
    }

    private func conversion(_ output: String, _ sources: [String]) -> Conversion {
        Conversion(request: GuestRequest(disks: sources), output: scratch.file(output), existing: .refuse)
    }

    private static let guest = Inspection(
        osRelease: OSRelease(id: "debian", version: "12", prettyName: "Debian"), architecture: "x86_64", hostName: nil,
        firmware: .bios, disks: [], fileSystems: [], mounts: [], kernels: [], bootLoader: .unknown,
        networkFormats: [], tools: [])

    /// - Returns: the adapted disks as raw files, to compare with.
    private func run(_ conversion: Conversion) async throws -> [String] {
        let names = OutputNames(conversion.output, conversion.format, count: conversion.request.disks.count)
        var images: [DiskImage] = []
        for path in conversion.request.disks { images.append(try await DiskImage.open(path)) }
        let workspace = try Workspace(for: conversion.output)
        defer { workspace.remove() }
        let phases = Phases { _ in }
        let jobs = try conversion.diskJobs(images, nil, names, workspace)
        var expected: [String] = []
        for (index, job) in jobs.enumerated() {
            try await QemuImg.createOverlay(job.overlay, over: job.image)
            try HostTool("qemu-io").output(["-f", "qcow2", "-c", "write -P 0x5a 1088k 128k", job.overlay])
            expected.append(scratch.file("expected-\(index).raw"))
            try qemuImg.output(["convert", "-O", "raw", job.overlay, expected[index]])
        }
        switch conversion.format.order(conversion.compression) {
        case .copyBeside:
            for job in jobs {
                try await QemuImg.copy(job.image, to: job.copy, as: conversion.format) { _ in }
                try await QemuImg.merge(job.overlay, into: job.copy, format: conversion.format)
            }
        case .afterwards: try await conversion.write(jobs, phases) { _ in }
        }
        let machine = conversion.converted(jobs, Self.guest)
        let files = try await conversion.pack(jobs, machine, names, workspace, phases) { _ in }
        // The main file last: where it is, everything is.
        #expect(files.last?.final == conversion.output)
        try conversion.publish([(Data("x".utf8), conversion.output + ".report.json")], then: files, workspace)
        return expected
    }

    private func json(_ path: String, format: String? = nil) throws -> [String: Any] {
        let output = try qemuImg.output(["info", "--output=json"] + (format.map { ["-f", $0] } ?? []) + [path])
        return try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any] ?? [:]
    }

    private func specific(_ path: String) throws -> [String: Any] {
        let all = try json(path)["format-specific"] as? [String: Any]
        return all?["data"] as? [String: Any] ?? [:]
    }

    /// The same bytes, and as many: without its strict mode, qemu-img takes zeros at an end for nothing.
    private func isSame(_ path: String, _ format: String, as expected: String) throws -> Bool {
        let size = try json(path, format: format)["virtual-size"] as? Int
        return try qemuImg.run(["compare", "-f", format, "-F", "raw", path, expected]).status == 0
            && size == (5 << 20) + 3 * 512
    }

    /// Those whose disk is the source's, to the last sector.
    @Test(arguments: [
        ("a.qcow2", nil), ("a.qcow2", ImageCompression.zlib), ("a.qcow2", .zstd), ("a.raw", nil), ("a.vmdk", nil),
        ("a.vpc", nil), ("a.vhdx", nil),
    ])
    func aPlainFormat(name: String, compression: ImageCompression?) async throws {
        var conversion = conversion(name, [try makeSource("one.raw"), try makeSource("two.raw")])
        conversion.compression = compression
        let expected = try await run(conversion)
        for (path, raw) in zip([scratch.file(name), scratch.file("a-disk2." + name.dropFirst(2))], expected) {
            #expect(try isSame(path, conversion.format.driver, as: raw))
            if name == "a.qcow2" {
                #expect(try specific(path)["compression-type"] as? String == compression?.rawValue ?? "zlib")
                #expect(try qemuImg.run(["check", path]).status == 0)
            }
        }
        // Nothing but outputs is left.
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).count == 7)
    }

    @Test func compressionCompresses() async throws {
        let source = scratch.file("text.raw")
        try Data(String(repeating: "the same again ", count: 200_000).utf8).write(to: URL(fileURLWithPath: source))
        var conversion = conversion("a.qcow2", [source])
        conversion.compression = .zstd
        _ = try await run(conversion)
        #expect(try #require(try json(scratch.file("a.qcow2"))["actual-size"] as? Int) < 1 << 20)
    }

    @Test func aStreamOptimizedVMDK() async throws {
        var conversion = conversion("a.vmdk", [try makeSource("one.raw")])
        conversion.format = .vmdkStreamOptimized
        let expected = try await run(conversion)
        #expect(try isSame(scratch.file("a.vmdk"), "vmdk", as: expected[0]))
        #expect(try specific(scratch.file("a.vmdk"))["create-type"] as? String == "streamOptimized")
        let start = try FileHandle(forReadingFrom: URL(fileURLWithPath: scratch.file("a.vmdk"))).read(upToCount: 4096)
        #expect(String(decoding: try #require(start), as: UTF8.self).contains(#"ddb.adapterType = "lsilogic""#))
    }

    @Test func anAlignedFixedVHD() async throws {
        let expected = try await run(conversion("a.vhd", [try makeSource("one.raw")]))
        let path = scratch.file("a.vhd")
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64)
        #expect(size == (6 << 20) + 512)
        let footer = try #require(VHDFooter(endOf: path))
        #expect(footer.kind == .fixed && footer.currentSize == 6 << 20)
        #expect(try json(path, format: "vpc")["virtual-size"] as? Int == 6 << 20)
        try expectGrown(path, footer: 512, from: expected[0])
    }

    @Test func aGoogleArchive() async throws {
        let expected = try await run(conversion("a.tar.gz", [try makeSource("one.raw"), try makeSource("two.raw")]))
        for (index, name) in ["a.tar.gz", "a-disk2.tar.gz"].enumerated() {
            let tar = HostTool("tar")
            #expect(try tar.output(["-tzf", scratch.file(name)]) == Array("disk.raw\n".utf8))
            try tar.output(["-xzf", scratch.file(name)], in: scratch.path)
            let size = try FileManager.default.attributesOfItem(atPath: scratch.file("disk.raw"))[.size] as? Int
            #expect(size == 1 << 30)
            try expectGrown(scratch.file("disk.raw"), footer: 0, from: expected[index])
        }
    }

    /// A sound GPT with its copy at the new end, and between the tables what was there.
    private func expectGrown(_ path: String, footer: UInt64, from expected: String) throws {
        let disk = scratch.file("grown.raw")
        try? FileManager.default.removeItem(atPath: disk)
        try HostTool("cp").output(["--sparse=always", path, disk])
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: disk))
        try file.truncate(atOffset: try file.seekToEnd() - footer)
        let verified = try HostTool("sgdisk").run(["-v", disk]).text
        #expect(verified.contains("No problems found"), "\(verified)")
        try file.seek(toOffset: 34 * 512)
        let old = try FileHandle(forReadingFrom: URL(fileURLWithPath: expected))
        try old.seek(toOffset: 34 * 512)
        let count = (5 << 20) + 3 * 512 - 34 * 512 - 33 * 512
        #expect(try file.read(upToCount: count) == old.read(upToCount: count))
    }

    @Test func anOVFAndAnOVA() async throws {
        let sources = [try makeSource("one.raw"), try makeSource("two.raw")]
        let expected = try await run(conversion("we b.ovf", sources))
        let members = ["we b.ovf", "we b-disk1.vmdk", "we b-disk2.vmdk"]
        for (name, raw) in zip(members.dropFirst(), expected) {
            #expect(try isSame(scratch.file(name), "vmdk", as: raw))
            #expect(try specific(scratch.file(name))["create-type"] as? String == "streamOptimized")
        }
        let sums = try members.map { name in
            "SHA256(\(name))= "
                + String(decoding: try HostTool("sha256sum").output([scratch.file(name)]).prefix(64), as: UTF8.self)
        }
        #expect(String(decoding: try scratch.read("we b.mf"), as: UTF8.self) == sums.joined(separator: "\n") + "\n")
        let text = String(decoding: try scratch.read("we b.ovf"), as: UTF8.self)
        #expect(text.contains(#"ovf:href="we%20b-disk2.vmdk""#))

        _ = try await run(conversion("x.ova", sources))
        let listed = String(decoding: try HostTool("tar").output(["-tf", scratch.file("x.ova")]), as: UTF8.self)
        #expect(listed == "x.ovf\nx.mf\nx-disk1.vmdk\nx-disk2.vmdk\n")
        let folder = scratch.file("unpacked")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try HostTool("tar").output(["-xf", scratch.file("x.ova"), "-C", folder])
        #expect(try isSame(folder + "/x-disk2.vmdk", "vmdk", as: expected[1]))
    }

    // MARK: What is refused

    @Test func whatDoesNotGoTogetherIsSaid() throws {
        var conversion = conversion("a.raw", [])
        #expect(conversion.misuse == nil && conversion.metadata == [.libvirt])
        conversion.compression = .zlib
        #expect(conversion.misuse?.message == "--compress is of no use for 'raw', which has no compression")
        #expect(conversion.misuse?.hint == "leave it out, or choose a format that has one: qcow2")
        conversion.format = .ova
        #expect(conversion.misuse?.message.hasSuffix("which is always compressed") == true)
        conversion.compression = nil
        #expect(conversion.misuse?.message.contains("no libvirt metadata for 'ova'") == true)
        #expect(self.conversion("a.ova", []).misuse == nil)
    }

    /// What a conversion says that ends before anything is made.
    private func refusal(_ conversion: Conversion) async -> String {
        do {
            _ = try await conversion.run { _ in }
            return "none"
        } catch { return "\(error)" }
    }

    @Test func outputsThatExistAreSafe() async throws {
        let source = try makeSource("one.raw")
        for (name, taken) in [("a.ovf", "a.mf"), ("a.ovf", "a-disk1.vmdk"), ("b.qcow2", "b.qcow2.xml")] {
            try scratch.write(taken, [1])
            let said = await refusal(conversion(name, [source]))
            #expect(said.contains("\(taken)' exists already\nhint: "))
            try FileManager.default.removeItem(atPath: scratch.file(taken))
        }
        var lost = conversion("c.qcow2", [source])
        lost.reportPath = scratch.file("nowhere/report.json")
        #expect(await refusal(lost).contains("its folder is not there"))
    }

    @Test func aDiskThatAVHDCannotHoldIsRefused() async throws {
        let source = scratch.file("large.qcow2")
        try qemuImg.output(["create", "-q", "-f", "qcow2", source, "3T"])
        let said = await refusal(conversion("a.vhd", [source]))
        #expect(said.contains("has 3072 GiB") && said.contains("2040 at most"))
    }
}
