internal import Archives
internal import Foundation

/// The kernel inside a bzImage (Documentation/arch/x86/boot.rst).
enum KernelImage {
    /// The ELF kernel, which QEMU starts directly: a translated decompressor takes seconds.
    ///
    /// Nil where it can't be had or lacks the PVH entry point (CONFIG_PVH), without which QEMU refuses an ELF kernel.
    static func vmlinux(of image: Data) -> Data? {
        let bytes = [UInt8](image)
        guard bytes.count > 0x250, Array(bytes[0x202..<0x206]) == Array("HdrS".utf8) else { return nil }
        func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        // payload_offset counts from the protected-mode code, behind the boot sector and setup_sects more.
        let setupSectors = bytes[0x1f1] == 0 ? 4 : Int(bytes[0x1f1])
        let start = (setupSectors + 1) * 512 + word(0x248)
        let end = start + word(0x24c)
        guard start < end, end <= bytes.count, let compression = Compression(magicOf: bytes[start..<end]),
            let kernel = try? compression.decode(bytes[start..<end], limit: 512 << 20).bytes,
            kernel.starts(with: [0x7f, 0x45, 0x4c, 0x46]), hasPVHEntry(kernel)
        else { return nil }
        return Data(kernel)
    }

    /// XEN_ELFNOTE_PHYS32_ENTRY: a note of owner "Xen", type 18, in a PT_NOTE segment.
    private static func hasPVHEntry(_ elf: [UInt8]) -> Bool {
        func number(_ at: Int, _ size: Int) -> Int {
            guard at >= 0, at + size <= elf.count else { return 0 }
            return (0..<size).reduce(0) { $0 | Int(elf[at + $1]) << (8 * $1) }
        }
        let (table, entrySize, count) = (number(32, 8), number(54, 2), number(56, 2))
        for index in 0..<count {
            let header = table + index * entrySize
            guard number(header, 4) == 4 else { continue }
            var at = number(header + 8, 8)
            let end = min(at + number(header + 32, 8), elf.count)
            while at + 12 <= end {
                let (nameSize, contentSize, kind) = (number(at, 4), number(at + 4, 4), number(at + 8, 4))
                if kind == 18, nameSize == 4, number(at + 12, 4) == 0x006e_6558 { return true }
                at += 12 + (nameSize + 3) / 4 * 4 + (contentSize + 3) / 4 * 4
            }
        }
        return false
    }
}
