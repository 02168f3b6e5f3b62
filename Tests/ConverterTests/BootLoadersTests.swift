import Guest
import GuestTesting
import Testing

@testable import Converter

struct BootLoadersTests {
    private func find(_ files: [GuestPath: String], firmware: Firmware = .uefi) throws -> BootLoader {
        try BootLoaders.find(MemoryGuest(files), firmware: firmware)
    }

    @Test func grubOfDebianAndRedHat() throws {
        #expect(
            try find(["/boot/grub/grub.cfg": "x"]) == .grub2(configuration: "/boot/grub/grub.cfg", prefix: "/boot/grub")
        )
        let both: [GuestPath: String] = [
            "/boot/grub2/grub.cfg": "menuentry x {\n}\n",
            "/boot/efi/EFI/redhat/grub.cfg": "set x=1\nmenuentry 'a' {\n}\n",
        ]
        let partition = BootLoader.grub2(
            configuration: "/boot/efi/EFI/redhat/grub.cfg", prefix: "/boot/efi/EFI/redhat")
        let folder = BootLoader.grub2(configuration: "/boot/grub2/grub.cfg", prefix: "/boot/grub2")
        #expect(try find(both) == partition)
        #expect(try find(both, firmware: .both) == folder)
        #expect(try find(["/boot/efi/EFI/redhat/grub.cfg": "  blscfg\n"], firmware: .both) == partition)
        #expect(
            try find([
                "/boot/grub2/grub.cfg": "blscfg\n", "/boot/loader/entries/a.conf": "linux /k\n",
                "/boot/efi/EFI/fedora/grub.cfg": "search x\nset prefix=($dev)/grub2\nconfigfile $prefix/grub.cfg\n",
            ]) == folder)
    }

    @Test func olderLoaders() throws {
        #expect(
            try find(["/boot/grub/grub.conf": "x", "/boot/grub/grub.cfg": ""], firmware: .bios)
                == .grubLegacy(configuration: "/boot/grub/grub.conf"))
        #expect(
            try find(["/boot/extlinux.conf": "x"], firmware: .bios)
                == .syslinux(configuration: "/boot/extlinux.conf"))
        #expect(try find([:], firmware: .bios) == .unknown)
    }

    @Test func systemdBootBesideAGRUB() throws {
        let entries: [GuestPath: String] = [
            "/boot/efi/loader/entries/a.conf": "linux /k\n", "/boot/efi/EFI/systemd/systemd-bootx64.efi": "x",
            "/boot/grub/grub.cfg": "x",
        ]
        #expect(try find(entries) == .loaderEntries(["/boot/efi/loader/entries/a.conf"]))
        // A GRUB that the firmware can prefer.
        let grub = BootLoader.grub2(configuration: "/boot/grub/grub.cfg", prefix: "/boot/grub")
        #expect(try find(entries.merging(["/boot/efi/EFI/debian/grubx64.efi": "x"]) { $1 }) == grub)
        // BIOS can't start systemd-boot.
        #expect(try find(entries, firmware: .bios) == grub)
    }

    @Test func unifiedKernels() throws {
        #expect(
            try find(["/efi/EFI/Linux/arch.efi": "x", "/efi/EFI/systemd/systemd-bootx64.efi": "x"])
                == .unifiedKernels(["/efi/EFI/Linux/arch.efi"]))
    }
}
