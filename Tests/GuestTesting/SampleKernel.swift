public import Archives
public import Guest

/// A kernel with the virtio modules of a Debian 12, and an initramfs, made of a few bytes each.
public struct SampleKernel: Sendable {
    public var version: String
    public var folder: GuestPath { modulesFolder.appending(version) }
    public var modulesFolder: GuestPath = "/usr/lib/modules"
    /// The kernel's name in /boot; nil: "vmlinuz-<version>".
    public var imageName: String?
    /// The initramfs's name in /boot; nil: Debian's.
    public var initramfsName: String?
    /// From a module's file to the files that it needs, as modules.dep has them.
    public var modules: [String: [String]] = [
        "kernel/drivers/virtio/virtio.ko": [],
        "kernel/drivers/virtio/virtio_ring.ko": ["kernel/drivers/virtio/virtio.ko"],
        "kernel/drivers/virtio/virtio_pci.ko": [
            "kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko",
        ],
        "kernel/drivers/block/virtio_blk.ko": [
            "kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko",
        ],
        "kernel/drivers/scsi/virtio_scsi.ko": [
            "kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko",
        ],
        "kernel/drivers/net/virtio_net.ko": [
            "kernel/drivers/virtio/virtio_ring.ko", "kernel/drivers/virtio/virtio.ko",
        ],
        "kernel/drivers/scsi/sd_mod.ko": [], "kernel/drivers/scsi/mptspi.ko": [], "kernel/fs/ext4/ext4.ko": [],
    ]
    public var builtIn: [String] = []
    /// What the initramfs holds.
    public var included = ["kernel/drivers/scsi/mptspi.ko", "kernel/fs/ext4/ext4.ko"]
    /// What it holds beside modules: without udev's rule nothing loads what is added.
    public var others = ["usr/lib/udev/rules.d/80-drivers.rules"]
    /// Further initramfs in /boot, with the same content.
    public var otherInitramfs: [String] = []
    /// Behind ".ko" in the names of the guest's modules: ".xz".
    public var suffix = ""
    /// The same in the initramfs; nil: as in the guest.
    public var includedSuffix: String?
    /// How the initramfs is laid out.
    public var packing = Packing.compressed(.gzip)

    public enum Packing: Sendable {
        case none
        case plain
        case compressed(Compression)
        /// In front of the rest, a plain archive as Debian's intel-microcode makes it.
        indirect case behindMicrocode(Packing)
        case bytes([UInt8])
    }

    public var image: GuestPath { GuestPath("/boot").appending(imageName ?? "vmlinuz-\(version)") }
    public var initramfs: GuestPath { GuestPath("/boot").appending(initramfsName ?? "initrd.img-\(version)") }

    public static let virtio = [
        "kernel/drivers/virtio/virtio.ko", "kernel/drivers/virtio/virtio_ring.ko",
        "kernel/drivers/virtio/virtio_pci.ko", "kernel/drivers/block/virtio_blk.ko",
        "kernel/drivers/scsi/virtio_scsi.ko", "kernel/drivers/scsi/sd_mod.ko",
    ]

    public var kernel: Kernel {
        let hasInitramfs = if case .none = packing { false } else { true }
        return Kernel(
            version: version, image: image, initramfs: hasInitramfs ? initramfs : nil,
            otherInitramfs: otherInitramfs.map { "/boot/\($0)" }, modules: folder)
    }

    public init(version: String = "6.1.0-18-amd64") { self.version = version }

    /// Every file that it brings.
    public func files() throws -> [GuestPath: [UInt8]] {
        var files: [GuestPath: [UInt8]] = [image: Self.image(version: version)]
        for file in modules.keys { files[folder.appending(file + suffix)] = Array("ELF \(file)".utf8) }
        let dep = modules.sorted { $0.key < $1.key }.map { file, needs in
            "\(file)\(suffix): \(needs.map { $0 + suffix }.joined(separator: " "))\n"
        }
        files[folder.appending("modules.dep")] = Array(dep.joined().utf8)
        files[folder.appending("modules.dep.bin")] = [0xB0, 0x07, 0xF4, 0x57]
        files[folder.appending("modules.builtin")] = Array(builtIn.map { "\($0)\n" }.joined().utf8)
        files[folder.appending("modules.alias")] = Array("alias virtio:d00000002v* virtio_blk\n".utf8)
        if let bytes = try packed(packing) {
            for path in [initramfs] + otherInitramfs.map({ "/boot/\($0)" }) { files[path] = bytes }
        }
        return files
    }

    /// The start of a kernel image with a version in its header (Documentation/arch/x86/boot.rst).
    public static func image(version: String) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 0x400)
        bytes.replaceSubrange(0..<2, with: Array("MZ".utf8))
        bytes.replaceSubrange(0x202..<0x206, with: Array("HdrS".utf8))
        bytes.replaceSubrange(0x20E..<0x210, with: [0x80, 0x01])
        return Array(bytes[..<0x380]) + Array("\(version) (builder@host) #1 SMP".utf8) + [0]
    }

    public func put(into guest: MemoryGuest) throws {
        if try !guest.exists("/lib") { guest.link("/lib", to: "usr/lib") }
        for (path, bytes) in try files() { guest.put(path, bytes, permissions: path == initramfs ? 0o600 : 0o644) }
    }

    private func packed(_ packing: Packing) throws -> [UInt8]? {
        var entries: [Cpio.Entry] = [.directory("usr"), .file("init", Array("#!/bin/sh\n".utf8))]
        entries += others.map { .file($0, []) }
        entries += included.map {
            .file("usr/lib/modules/\(version)/\($0)\(includedSuffix ?? suffix)", Array("ELF \($0)".utf8))
        }
        entries.append(.file("usr/lib/modules/\(version)/modules.dep", []))
        let archive = Cpio.archive(entries)
        switch packing {
        case .none: return nil
        case .plain: return archive
        case .bytes(let bytes): return bytes
        case .behindMicrocode(let rest):
            let microcode = Cpio.archive([
                .file("kernel/x86/microcode/GenuineIntel.bin", [UInt8](repeating: 1, count: 99))
            ])
            let padding = [UInt8](repeating: 0, count: (512 - microcode.count % 512) % 512)
            return microcode + padding + (try packed(rest) ?? [])
        case .compressed(let compression):
            switch compression {
            case .gzip, .zstd: return try compression.encode(archive)
            case .xz: return try HostTool("xz").output(["--check=crc32", "-c"], input: archive)
            case .lzma: return try HostTool("xz").output(["--format=lzma", "-c"], input: archive)
            case .lz4: return try HostTool("lz4").output(["-l", "-c"], input: archive)
            case .bzip2: return try HostTool("bzip2").output(["-c"], input: archive)
            }
        }
    }
}
