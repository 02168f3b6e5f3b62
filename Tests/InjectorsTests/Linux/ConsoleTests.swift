import Guest
import GuestTesting
import Testing

@testable import Injectors

struct ConsoleTests {
    @Test(arguments: [
        ("console=hvc0", "console=ttyS0"),
        ("console=tty0 console=ttyS1,115200n8", "console=tty0 console=ttyS0,115200n8"),
        ("console=ttyS0 console=hvc0 quiet", "console=ttyS0 quiet"), ("console=xvc0 console=hvc0", "console=ttyS0"),
        ("console=ttyS0,9600", "console=ttyS0,9600"), ("console=tty1", "console=tty1"),
        ("xconsole=hvc0", "xconsole=hvc0"),
        ("console=ttyS10", "console=ttyS0"), ("console=hvcx", "console=hvcx"), ("console=", "console="),
    ])
    func parameters(before: String, after: String) throws {
        for (path, format) in [
            ("/etc/kernel/cmdline", "root=x @\n"), ("/boot/loader/entries/a.conf", "linux /k\noptions root=x @\n"),
            ("/etc/default/grub", "GRUB_CMDLINE_LINUX=\"@\"\n"), ("/boot/grub/grub.cfg", "linux /k @\ninitrd /i\n"),
            ("/boot/grub/grub.cfg", "  set kernelopts=\"root=y @\"\n"),
        ] as [(GuestPath, String)] {
            let guest = DeviceNamesGuest([path: format.replacing("@", with: before)])
            try guest.convert()
            #expect(try guest.text(path) == format.replacing("@", with: after))
        }
    }

    @Test func theEnvironmentOfGRUB() throws {
        let guest = DeviceNamesGuest([:])
        var block = Array("# GRUB Environment Block\nkernelopts=root=/dev/sda1 console=hvc0 \nsaved_entry=x\n".utf8)
        block += [UInt8](repeating: 0x23, count: 1024 - block.count)
        guest.files.put("/boot/grub2/grubenv", block)
        guest.files.link("/boot/grub/grubenv", to: "../grub2/grubenv")
        let plan = try guest.convert()
        let text = try #require(try guest.text("/boot/grub2/grubenv"))
        #expect(text.utf8.count == 1024)
        #expect(text.contains("\nkernelopts=root=UUID=root-uuid console=ttyS0 \nsaved_entry=x\n#"))
        #expect(plan.formerSettings.count == 1)
    }

    @Test func anEnvironmentWithoutRoomStays() throws {
        let guest = DeviceNamesGuest([:])
        var block = Array("# GRUB Environment Block\nkernelopts=root=/dev/sda1 ".utf8)
        block += [UInt8](repeating: 0x61, count: 1023 - block.count) + [0x0A]
        guest.files.put("/boot/grub/grubenv", block)
        let plan = try guest.convert()
        #expect(plan.isEmpty && plan.warnings.count == 1)
    }

    @Test func menusOfOtherLoaders() throws {
        var legacy = DeviceNamesGuest([
            "/boot/grub/menu.lst":
                "# kopt=root=/dev/sda1 ro\ntitle a\nroot (hd0,0)\nkernel /k root=/dev/sda1 console=hvc0\n"
        ])
        legacy.inspection.bootLoader = .grubLegacy(configuration: "/boot/grub/menu.lst")
        try legacy.convert()
        #expect(
            try legacy.text("/boot/grub/menu.lst")
                == "# kopt=root=UUID=root-uuid ro\ntitle a\nroot (hd0,0)\nkernel /k root=UUID=root-uuid console=ttyS0\n"
        )
        var syslinux = DeviceNamesGuest([
            "/boot/extlinux.conf": "LABEL a\n  APPEND root=/dev/sda1 quiet\n",
            "/etc/update-extlinux.conf": "root=/dev/sda1\ndefault_kernel_opts=\"quiet console=ttyS1\"\n",
        ])
        syslinux.inspection.bootLoader = .syslinux(configuration: "/boot/extlinux.conf")
        try syslinux.convert()
        #expect(try syslinux.text("/boot/extlinux.conf") == "LABEL a\n  APPEND root=UUID=root-uuid quiet\n")
        #expect(
            try syslinux.text("/etc/update-extlinux.conf")
                == "root=UUID=root-uuid\ndefault_kernel_opts=\"quiet console=ttyS0\"\n")
    }

    @Test func aSwapThatIsGoneIsNotWaitedFor() throws {
        let guest = DeviceNamesGuest(["/etc/kernel/cmdline": "root=x resume=UUID=dead ro resume=UUID=SWAP-uuid\n"])
        let plan = try guest.convert()
        #expect(try guest.text("/etc/kernel/cmdline") == "root=x ro resume=UUID=SWAP-uuid\n")
        #expect(plan.warnings.count == 1)
        let locked = DeviceNamesGuest(
            ["/etc/kernel/cmdline": "resume=UUID=dead\n"],
            fileSystems: [FileSystem(device: "/dev/sda1", type: "crypto_LUKS", uuid: "l")])
        #expect(try locked.convert().isEmpty)
    }

    @Test func loginsOnXensConsole() throws {
        let guest = DeviceNamesGuest([
            "/etc/inittab":
                "id:3:initdefault:\n#x:2:respawn:/sbin/getty xvc0\nco:2345:respawn:/sbin/agetty xvc0 9600 vt100\n",
            "/etc/securetty": "tty1\nxvc0",
        ])
        let plan = try guest.convert()
        #expect(try guest.text("/etc/inittab")?.hasSuffix("co:2345:respawn:/sbin/agetty ttyS0 9600 vt100\n") == true)
        #expect(try guest.text("/etc/securetty") == "tty1\nxvc0\nttyS0\n")
        #expect(plan.formerSettings.count == 1)
        let other = DeviceNamesGuest([
            "/etc/inittab": "s:2:respawn:/sbin/getty -L ttyS0 9600\nco:2345:respawn:/sbin/agetty xvc0\n",
            "/etc/securetty": "tty1\n",
        ])
        #expect(try other.convert().isEmpty)
    }
}
