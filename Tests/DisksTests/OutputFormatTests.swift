import Testing

@testable import Disks

struct OutputFormatTests {
    @Test(arguments: [
        ("web01", OutputFormat.qcow2), ("web01.qcow2", .qcow2), ("web01.IMG", .raw), ("a.raw", .raw), ("a.vmdk", .vmdk),
        ("a.vhd", .vhdFixed), ("a.vpc", .vpc), ("a.vhdx", .vhdx), ("a.tar.gz", .gcp), ("a.TGZ", .gcp),
        ("a.ovf", .ovf), ("a.ova", .ova), ("a.gz", .qcow2), ("vmdk", .qcow2),
    ])
    func theEndingNamesTheFormat(name: String, format: OutputFormat) {
        #expect(OutputFormat(forFileNamed: name) == format)
    }

    /// The names are part of the command line, and are never changed.
    @Test func names() {
        #expect(
            OutputFormat.allCases.map(\.rawValue) == [
                "qcow2", "raw", "vmdk", "vmdk-stream-optimized", "vpc", "vhd-fixed", "vhdx", "gcp", "ovf", "ova",
            ])
    }

    @Test func sizesAreWholeNumbersOfTheUnit() {
        let (mebibyte, gibibyte) = (UInt64(1) << 20, UInt64(1) << 30)
        #expect(OutputFormat.vhdFixed.size(for: 1) == mebibyte)
        #expect(OutputFormat.vhdFixed.size(for: 5 * mebibyte) == 5 * mebibyte)
        #expect(OutputFormat.vhdFixed.size(for: 5 * mebibyte + 512) == 6 * mebibyte)
        #expect(OutputFormat.gcp.size(for: 3 * gibibyte) == 3 * gibibyte)
        #expect(OutputFormat.gcp.size(for: 3 * gibibyte + 1) == 4 * gibibyte)
        #expect(OutputFormat.qcow2.size(for: 1536) == 1536 && OutputFormat.ova.size(for: mebibyte) == mebibyte)
    }

    @Test func whatTakesNoWritesIsWrittenAfterwards() {
        let beside = OutputFormat.allCases.filter { $0.order(nil) == .copyBeside }
        #expect(beside == [.qcow2, .raw, .vmdk, .vpc, .vhdx])
        #expect(OutputFormat.qcow2.order(.zstd) == .afterwards)
    }

    @Test func room() {
        #expect(OutputFormat.raw.leastRoom(for: 1000, nil) == 1000)
        #expect(OutputFormat.qcow2.leastRoom(for: 1000, .zlib) == 250)
        #expect(OutputFormat.vmdkStreamOptimized.leastRoom(for: 1000, nil) == 250)
        // The disk itself, and the archive of it.
        #expect(OutputFormat.gcp.leastRoom(for: 1000, nil) == 1250)
        #expect(OutputFormat.ova.leastRoom(for: 1000, nil) == 500)
    }

    // MARK: Names

    @Test func plainDisks() {
        let names = OutputNames("/out/web.01.qcow2", .qcow2, count: 3)
        #expect(names.disks == ["/out/web.01.qcow2", "/out/web.01-disk2.qcow2", "/out/web.01-disk3.qcow2"])
        #expect(names.members.isEmpty && names.manifest == nil)
        #expect(OutputNames("/web", .raw, count: 2).disks == ["/web", "/web-disk2"])
        #expect(OutputNames("/out/.web", .raw, count: 2).disks == ["/out/.web", "/out/.web-disk2"])
    }

    @Test func archives() {
        #expect(OutputNames("/out/a.tar.gz", .gcp, count: 2).disks == ["/out/a.tar.gz", "/out/a-disk2.tar.gz"])
        let ovf = OutputNames("/out/a.ovf", .ovf, count: 2)
        #expect(ovf.disks == ["/out/a-disk1.vmdk", "/out/a-disk2.vmdk"])
        #expect(ovf.members == ["a-disk1.vmdk", "a-disk2.vmdk"] && ovf.manifest == "/out/a.mf")
        let ova = OutputNames("/out/a.ova", .ova, count: 2)
        #expect(ova.disks == ["/out/a.ova"] && ova.members == ovf.members && ova.manifest == nil)
    }

    @Test(arguments: [
        ("a.tar.gz", "a", ".tar.gz"), (".tar.gz", ".tar", ".gz"), ("a", "a", ""), ("a.", "a.", ""), (".a", ".a", ""),
        ("ü.b.c", "ü.b", ".c"), ("", "", ""),
    ])
    func endings(name: String, stem: String, ending: String) {
        let parts = OutputNames.parts(name)
        #expect(parts.stem == stem && parts.ending == ending)
    }
}
