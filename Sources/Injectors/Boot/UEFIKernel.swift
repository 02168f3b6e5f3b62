import Guest

/// Whether kernels can be started by 64-bit UEFI firmware, by what they were built with.
enum UEFIKernel {
    private static let configurationLimit: UInt64 = 2 << 20

    /// Why a kernel can't be started; nil where it can.
    static func obstacle(_ kernel: Kernel, in files: some GuestFiles) throws -> String? {
        let boot = kernel.image.parent.appending("config-\(kernel.version)")
        for path in [boot, kernel.modules.appending("config")] {
            guard let size = try files.status(path)?.size, size <= configurationLimit,
                let text = try files.text(path)
            else { continue }
            let lines = Set(text.split(whereSeparator: \.isNewline).map(String.init))
            if lines.isDisjoint(with: ["CONFIG_X86_64=y", "CONFIG_64BIT=y"]) { return "it is a 32-bit kernel" }
            return lines.contains("CONFIG_EFI=y") ? nil : "it was built without CONFIG_EFI"
        }
        return try obstacle(ofImage: files.read(kernel.image) ?? [])
    }

    /// By the image's own headers: Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
    private static func obstacle(ofImage image: [UInt8]) -> String? {
        let bytes = LittleEndian(image)
        // "HdrS"; the flags came with protocol 2.12.
        guard bytes.u32(0x202) == 0x5372_6448 else { return "it has no header that tells what it is" }
        if bytes.u16(0x206) >= 0x020C, bytes.u16(0x236) & 1 == 0 { return "it is a 32-bit kernel" }
        // "MZ": with CONFIG_EFI_STUB, which needs CONFIG_EFI, a kernel is a program for UEFI, too.
        return bytes.u16(0) == 0x5A4D ? nil : "it has no EFI stub, and no file says that it was built with CONFIG_EFI"
    }
}
