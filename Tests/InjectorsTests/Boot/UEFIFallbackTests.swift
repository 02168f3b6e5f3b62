import Guest
import GuestTesting
import Testing

@testable import Injectors

/// UEFI guests that were started by an entry in the firmware's variables.
struct UEFIFallbackTests {
    private static let shim = UEFITarget.program("shim", says: ["\\fbx64.efi", "\\grubx64.efi"])
    private static let grub = UEFITarget.program("grub /EFI/debian")
    private static let keys = UEFITarget.program("keys")
    private static let debian: [String: [UInt8]] = [
        "debian/shimx64.efi": shim, "debian/grubx64.efi": grub, "debian/mmx64.efi": keys,
        "debian/fbx64.efi": UEFITarget.program("fallback"), "debian/BOOTX64.CSV": [0xFF, 0xFE],
        "debian/grub.cfg": Array("configfile x\n".utf8),
    ]

    private func boot(_ guest: UEFITarget, _ name: String) throws -> [UInt8]? {
        try guest.files.read(GuestPath("/boot/efi/EFI/BOOT").appending(name))
    }

    @Test(arguments: [UEFIBoot.Extent.fallbackPath, .bootLoader]) func shimGoesWithWhatItStarts(
        extent: UEFIBoot.Extent
    ) throws {
        let guest = UEFITarget.withSystemPartition(Self.debian)
        let plan = try guest.convert(extent)
        #expect(try guest.files.list("/boot/efi/EFI/BOOT") == ["BOOTX64.EFI", "grubx64.efi", "mmx64.efi"])
        #expect(try boot(guest, "BOOTX64.EFI") == Self.shim)
        #expect(try boot(guest, "grubx64.efi") == Self.grub)
        // FAT has no permissions that could be set.
        for item in plan.items {
            if case .write(_, _, let permissions) = item.change { #expect(permissions == 0o755) }
        }
        #expect(plan.findings.first?.message.contains(#"\EFI\debian\shimx64.efi"#) == true)
    }

    @Test func namesCompareWithoutCase() throws {
        let guest = UEFITarget.withSystemPartition(["Boot/bootx64.efi": Self.grub])
        #expect(try guest.plan().isEmpty)
        let other = UEFITarget.withSystemPartition(["boot/readme": [1], "Debian/GRUBX64.EFI": Self.grub])
        try other.convert()
        #expect(try other.files.list("/boot/efi/EFI") == ["Debian", "boot"])
        #expect(try other.files.list("/boot/efi/EFI/boot") == ["BOOTX64.EFI", "readme"])
    }

    @Test func withoutAShimGRUBItself() throws {
        let guest = UEFITarget.withSystemPartition(["arch/grubx64.efi": Self.grub])
        try guest.convert()
        #expect(try guest.files.list("/boot/efi/EFI/BOOT") == ["BOOTX64.EFI"])
    }

    @Test func aGRUBThatLooksBesideItselfGetsItsFewLines() throws {
        let stub = Array("search --fs-uuid --set=root X\nsource x\n".utf8)
        let guest = UEFITarget.withSystemPartition([
            "opensuse/shim.efi": UEFITarget.program("s", says: ["\\fallback.efi"]),
            "opensuse/grub.efi": UEFITarget.program("grub"), "opensuse/MokManager.efi": Self.keys,
            "opensuse/grub.cfg": stub,
        ])
        try guest.convert()
        #expect(
            try guest.files.list("/boot/efi/EFI/BOOT") == ["BOOTX64.EFI", "MokManager.efi", "grub.cfg", "grub.efi"])
        #expect(try boot(guest, "grub.cfg") == stub)
        // A whole menu would be out of date with the next kernel.
        let menu = UEFITarget.withSystemPartition([
            "x/grubx64.efi": Self.grub, "x/grub.cfg": [UInt8](repeating: 0x20, count: 5000),
        ])
        try menu.convert()
        #expect(try boot(menu, "grub.cfg") == nil)
    }

    @Test func theGuestsOwnOfSeveral() throws {
        let guest = UEFITarget.withSystemPartition([
            "alma/grubx64.efi": UEFITarget.program("alma"), "redhat/grubx64.efi": UEFITarget.program("redhat"),
            "Microsoft/Boot/bootmgfw.efi": UEFITarget.program("windows"),
        ])
        guest.inspection.osRelease = OSRelease(id: "rhel", like: ["fedora"])
        try guest.convert()
        #expect(try boot(guest, "BOOTX64.EFI") == UEFITarget.program("redhat"))
    }

    @Test func bootManagersAndUnifiedKernels() throws {
        let manager = UEFITarget.program("systemd-boot")
        let guest = UEFITarget.withSystemPartition([
            "systemd/systemd-bootx64.efi": manager, "debian/grubx64.efi": Self.grub,
        ])
        guest.inspection.bootLoader = .loaderEntries(["/boot/efi/loader/entries/a.conf"])
        try guest.convert()
        #expect(try boot(guest, "BOOTX64.EFI") == manager)
        let refind = UEFITarget.withSystemPartition([
            "refind/refind_x64.efi": UEFITarget.program("r"), "refind/refind.conf": [1],
            "refind/drivers_x64/ext4_x64.efi": [2],
        ])
        try refind.convert()
        #expect(try refind.files.list("/boot/efi/EFI/BOOT") == ["BOOTX64.EFI", "drivers_x64", "refind.conf"])
        let unified = UEFITarget.withSystemPartition([
            "Linux/arch-6.9.7.efi": UEFITarget.program("old"), "Linux/arch-6.10.2.efi": UEFITarget.program("new"),
        ])
        #expect(try unified.convert().warnings.first?.message.contains("whatever kernels are installed later") == true)
        #expect(try boot(unified, "BOOTX64.EFI") == UEFITarget.program("new"))
    }

    // MARK: What is there already

    @Test func whatIsThereStays() throws {
        let other = UEFITarget.program("memtest")
        let guest = UEFITarget.withSystemPartition(Self.debian.merging(["BOOT/BOOTX64.EFI": other]) { $1 })
        let plan = try guest.plan()
        #expect(plan.isEmpty)
        #expect(plan.findings.first?.message.contains("isn't the boot loader of") == true)
        let same = UEFITarget.withSystemPartition(["debian/grubx64.efi": Self.grub, "BOOT/BOOTX64.EFI": Self.grub])
        #expect(try same.plan().findings == [])
    }

    @Test func aShimAloneGetsItsGRUB() throws {
        let guest = UEFITarget.withSystemPartition(Self.debian.merging(["BOOT/BOOTX64.EFI": Self.shim]) { $1 })
        try guest.convert()
        #expect(try boot(guest, "grubx64.efi") == Self.grub)
        let red = UEFITarget.withSystemPartition(
            Self.debian.merging(["BOOT/BOOTX64.EFI": Self.shim, "BOOT/fbx64.efi": Self.keys]) { $1 })
        #expect(try red.plan().isEmpty)
        let lost = UEFITarget.withSystemPartition(["BOOT/BOOTX64.EFI": Self.shim])
        #expect(try lost.plan().warnings.first?.message.contains("may not start") == true)
    }

    @Test func thirtyTwoBitsBlock() throws {
        let small = UEFITarget.program("grub", machine: 0x014C)
        for name in ["BOOT/BOOTIA32.EFI", "debian/grubia32.efi"] {
            let plan = try UEFITarget.withSystemPartition([name: small]).plan(.fallbackPath)
            #expect(plan.blockers.first?.message.contains("32-bit UEFI") == true)
        }
        // By another name it is no boot loader for us, either.
        let plan = try UEFITarget.withSystemPartition(["debian/grubx64.efi": small]).plan(.fallbackPath)
        #expect(plan.isEmpty && plan.warnings.count == 1)
    }

    // MARK: Nothing there

    @Test func anEmptyOneGetsOurs() throws {
        let guest = UEFITarget.withSystemPartition()
        #expect(try guest.plan(.fallbackPath).warnings.first?.hint?.contains("--firmware uefi") == true)
        try guest.convert()
        #expect(try guest.files.list("/boot/efi/EFI/BOOT") == ["BOOTX64.EFI", "grub.cfg"])
        #expect(try guest.files.exists("/boot/grub/x86_64-efi/normal.mod"))
        // fstab is as it was: the partition isn't new.
        #expect(try guest.files.text("/etc/fstab")?.contains("vfat") == false)
    }

    @Test func oneThatIsNotMountedIsSaid() throws {
        let guest = UEFITarget.withSystemPartition()
        guest.inspection.mounts.removeLast()
        let plan = try guest.plan()
        #expect(plan.isEmpty && plan.warnings.first?.message.contains("can't be looked at") == true)
    }

    // MARK: Hostile programs

    @Test func programsOfAnyBytes() {
        for length in 0..<80 {
            let bytes = [0x4D, 0x5A] + [UInt8](repeating: 0xFF, count: length)
            #expect(!UEFIProgram.isForX64(bytes))
            #expect(!UEFIProgram.isShim(bytes))
        }
        #expect(UEFIProgram.contains([1, 2, 3], [2, 3]) && !UEFIProgram.contains([1, 2, 3], [3, 4]))
        #expect(!UEFIProgram.contains([], [1]) && !UEFIProgram.contains([1], []))
    }
}
