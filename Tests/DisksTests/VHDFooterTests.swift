import Foundation
import GuestTesting
import Testing

@testable import Disks

struct VHDFooterTests {
    private static let qemuImg = HostTool("qemu-img")

    private func footer(_ size: UInt64, kind: UInt8 = 2) -> [UInt8] {
        var sector = Array("conectix".utf8) + [UInt8](repeating: 0, count: 504)
        for index in 0..<8 { sector[48 + index] = UInt8(truncatingIfNeeded: size >> (8 * UInt64(7 - index))) }
        sector[63] = kind
        let sum = ~sector.reduce(UInt32(0)) { $0 &+ UInt32($1) }
        for index in 0..<4 { sector[64 + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(3 - index))) }
        return sector
    }

    @Test func aFooter() {
        let read = VHDFooter(sector: footer(5 << 30))
        #expect(read?.kind == .fixed && read?.currentSize == 5 << 30)
        #expect(VHDFooter(sector: footer(1, kind: 3))?.kind == .dynamic)
    }

    @Test func whatIsNone() {
        var wrong = footer(1 << 20)
        wrong[100] ^= 1
        #expect(VHDFooter(sector: wrong) == nil)
        #expect(VHDFooter(sector: footer(1, kind: 9)) == nil)
        #expect(VHDFooter(sector: Array(footer(1).dropLast())) == nil)
        #expect(VHDFooter(sector: []) == nil)
        #expect(VHDFooter(endOf: "/nonexistent") == nil)
    }

    @Test(.enabled(if: qemuImg.isInstalled, "qemu-img is not installed"))
    func aFixedVHDIsKnownByItsEnd() async throws {
        let scratch = try ScratchFolder()
        let options = ["create", "-q", "-f", "vpc", "-o", "subformat=fixed,force_size=on"]
        try Self.qemuImg.output(options + [scratch.file("a.vhd"), "5M"])
        let image = try await DiskImage.open(scratch.file("a.vhd"))
        #expect(image.format == "vpc" && image.virtualSize == 5 << 20)
        // A raw disk is one, whatever its last sector looks like by half.
        try scratch.write("b.raw", [UInt8](repeating: 0, count: 1 << 20) + Array("conectix".utf8))
        #expect(try await DiskImage.open(scratch.file("b.raw")).format == "raw")
    }
}
