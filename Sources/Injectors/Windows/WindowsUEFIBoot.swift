public import Guest

/// Sees that firmware without boot entries, as a cloud's is, finds a Windows that goes on starting by UEFI: its boot
/// manager's copy in \EFI\BOOT, which installers lay there and some images lack.
public struct WindowsUEFIBoot: Injector {
    public let name = "uefi-boot"
    private let firmware: Firmware

    /// - Parameter firmware: what the result starts by.
    public init(firmware: Firmware) { self.firmware = firmware }

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil && firmware == .uefi }

    private static let hint = "start the source by UEFI once, and run 'bcdboot C:\\Windows /f UEFI' there"
    /// In bytes; Windows 11's has 3 MiB.
    private static let limit: UInt64 = 32 << 20

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let system = UEFISystemPartition(of: guest) else {
            guard guest.firmware == .uefi || guest.firmware == .both else { return }
            draft.warn("the EFI system partition can't be read; whether Windows starts from it isn't known")
            return
        }
        let name = guest.architecture == "i686" ? "BOOTIA32.EFI" : "BOOTX64.EFI"
        let target = try system.path("EFI", "BOOT", name, in: draft)
        if let there = try draft.status(target) {
            let bytes = there.size <= Self.limit ? try draft.read(target) ?? [] : []
            if UEFIProgram.isShim(bytes) || UEFIProgram.contains(bytes, Array("GRUB".utf8)) {
                draft.warn(
                    "'\(system.name(of: target))' is another system's boot loader, which firmware without boot entries starts",
                    hint: "where Windows is to start, put a copy of \\EFI\\Microsoft\\Boot\\bootmgfw.efi there")
            }
            return
        }
        let manager = try system.path("EFI", "Microsoft", "Boot", "bootmgfw.efi", in: draft)
        guard let size = try draft.status(manager)?.size, size <= Self.limit, let bytes = try draft.read(manager) else {
            draft.block(
                "the EFI system partition has neither '\(system.name(of: target))' nor '\(system.name(of: manager))'",
                hint: Self.hint)
            return
        }
        try draft.write(target, bytes, permissions: UEFISystemPartition.permissions)
        draft.note(
            "'\(system.name(of: target))' is a copy of '\(system.name(of: manager))': firmware without boot entries, as a"
                + " cloud's is, starts that")
    }
}
