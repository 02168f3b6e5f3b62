import Guest
import GuestTesting
import Testing

@testable import Injectors

struct DefaultKernelTests {
    private static let kernels = ["5.10.0-9", "6.1.0-18", "6.1.0-20"].map {
        Kernel(version: $0, image: "/boot/vmlinuz-\($0)", initramfs: nil, modules: "/lib/modules/\($0)")
    }

    private func version(_ files: [GuestPath: String]) throws -> String? {
        try DefaultKernel.version(in: MemoryGuest(files), of: .sample(kernels: Self.kernels))
    }

    private static func menu(_ start: String) -> String {
        """
        function savedefault {
          if [ -z "${boot_once}" ]; then
            saved_entry="${chosen}"
          fi
        }
        \(start)
        menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {
        \tif [ x$grub_platform = xxen ]; then insmod xzio; fi
        \tlinux\t/boot/vmlinuz-6.1.0-20 root=UUID=1 ro quiet
        }
        submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
        \tmenuentry 'Debian, with Linux 6.1.0-20' --class debian $menuentry_id_option 'gnulinux-6.1.0-20' {
        \t\tlinux\t/boot/vmlinuz-6.1.0-20 root=UUID=1
        \t}
        \tmenuentry 'Debian, with Linux 5.10.0-9' --class debian $menuentry_id_option 'gnulinux-5.10.0-9' {
        \t\tlinux\t/boot/vmlinuz-5.10.0-9 root=UUID=1
        \t}
        }
        menuentry "Last" {
        \tlinux16 /vmlinuz-6.1.0-18 root=UUID=1
        }
        """
    }

    @Test(arguments: [
        ("0", "6.1.0-20"), ("2", "6.1.0-18"), ("1>1", "5.10.0-9"), ("Last", "6.1.0-18"),
        ("gnulinux-advanced-1>gnulinux-5.10.0-9", "5.10.0-9"), ("nothing like it", "6.1.0-20"),
    ])
    func grubsDefault(_ value: String, _ wanted: String) throws {
        let text = Self.menu(
            "if [ \"${next_entry}\" ] ; then\n set default=\"${next_entry}\"\nelse\n set default=\"\(value)\"\nfi")
        #expect(try version(["/boot/grub/grub.cfg": text]) == wanted)
        let saved = Self.menu("set default=\"${saved_entry}\"")
        #expect(
            try version(["/boot/grub2/grub.cfg": saved, "/boot/grub2/grubenv": "# GRUB\nsaved_entry=\(value)\n###"])
                == wanted)
        #expect(try version(["/boot/grub2/grub.cfg": saved]) == "6.1.0-20")
    }

    @Test func loaderEntries() throws {
        var files: [GuestPath: String] = ["/boot/grub2/grub.cfg": "set default=\"${saved_entry}\"\nblscfg\n"]
        for kernel in Self.kernels {
            files["/boot/loader/entries/id-\(kernel.version).conf"] = "title X\nlinux /vmlinuz-\(kernel.version)\n"
        }
        #expect(try version(files) == "6.1.0-20")
        files["/boot/grub2/grubenv"] = "saved_entry=id-5.10.0-9\n"
        #expect(try version(files) == "5.10.0-9")
    }

    @Test func grubLegacy() throws {
        let text = """
            default=1
            title One
            \troot (hd0,0)
            \tkernel /vmlinuz-6.1.0-20 ro
            title Two
            \tkernel --no-mem-option (hd0,0)/vmlinuz-6.1.0-18 ro
            """
        #expect(try version(["/boot/grub/menu.lst": text]) == "6.1.0-18")
        #expect(try version(["/boot/grub/grub.conf": text.replacing("=1", with: " 7")]) == nil)
    }

    @Test func extlinux() throws {
        let text =
            "DEFAULT menu.c32\nLABEL a\n  LINUX ../vmlinuz-6.1.0-20\nLABEL b\n  MENU DEFAULT\n  KERNEL /boot/vmlinuz-6.1.0-18\n"
        #expect(try version(["/boot/extlinux/extlinux.conf": text]) == "6.1.0-18")
        #expect(
            try version(["/boot/extlinux.conf": text.replacing("DEFAULT menu.c32", with: "default a")]) == "6.1.0-18")
    }

    @Test func linksAreFollowed() throws {
        let guest = MemoryGuest(["/boot/grub/grub.cfg": "menuentry x {\n linux /vmlinuz root=1\n}\n"])
        guest.link("/vmlinuz", to: "boot/vmlinuz-6.1.0-18")
        #expect(try DefaultKernel.version(in: guest, of: .sample(kernels: Self.kernels)) == "6.1.0-18")
    }

    @Test func unknownIsNil() throws {
        #expect(try version([:]) == nil)
        #expect(try version(["/boot/grub/grub.cfg": "source somewhere"]) == nil)
        #expect(try version(["/boot/grub/grub.cfg": "menuentry x {\n linux /other\n}\n"]) == nil)
    }

    @Test func mutationsDoNoHarm() throws {
        let text = Array(Self.menu("set default=\"1>1\"").utf8)
        var random = Seeded(31)
        for _ in 0..<200 {
            var broken = text
            for _ in 0..<8 {
                let byte = Array("{}'\" >\n0".utf8).randomElement(using: &random) ?? 0
                broken[.random(in: 0..<text.count, using: &random)] = byte
            }
            _ = try version(["/boot/grub/grub.cfg": String(decoding: broken, as: UTF8.self)])
        }
    }
}
