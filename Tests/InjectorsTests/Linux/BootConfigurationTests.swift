import Guest
import GuestTesting
import Testing

@testable import Injectors

struct BootConfigurationTests {
    private func convert(
        _ path: GuestPath, _ text: String, fileSystems: [FileSystem] = DeviceNamesGuest.single,
        hasInitramfs: Bool = true
    ) throws -> (text: String?, plan: Plan) {
        let guest = DeviceNamesGuest([path: text], fileSystems: fileSystems, hasInitramfs: hasInitramfs)
        let plan = try guest.convert()
        return (try guest.text(path), plan)
    }

    private let menu = """
        set root='hd0,msdos1'
        search --no-floppy --fs-uuid --set=root --hint-bios=hd0,msdos1 root-uuid
        # linux root=/dev/sda1
        menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-/dev/sda1' {
        \tinsmod part_msdos
        \tlinux\t/boot/vmlinuz-6.1 root=/dev/sda1 ro  quiet resume=/dev/sda5 $vt_handoff
        \tinitrd\t/boot/initrd.img-6.1
        }
        menuentry 'without' {
        \tlinux16 /vmlinuz "root=/dev/sda1" rootflags=device=/dev/sda1
        }
        """

    @Test func onlyKernelLinesOfTheMenuChange() throws {
        let (text, plan) = try convert("/boot/grub/grub.cfg", menu)
        let expected =
            menu
            .replacing("-6.1 root=/dev/sda1", with: "-6.1 root=UUID=root-uuid")
            .replacing("resume=/dev/sda5", with: "resume=UUID=swap-uuid")
            .replacing("\"root=/dev/sda1\"", with: "\"root=PARTUUID=0badcafe-01\"")
            .replacing("device=/dev/sda1", with: "device=/dev/disk/by-partuuid/0badcafe-01")
        #expect(text == expected)
        #expect(plan.findings.isEmpty)
        #expect(plan.formerSettings.first?.values["was"]?.count == 2)
        #expect(plan.formerSettings.first?.file == "/boot/grub/grub.cfg")
    }

    @Test func theMenuTellsTheRootWhereFstabDoesNot() throws {
        let guest = DeviceNamesGuest([
            "/boot/grub/grub.cfg": "linux /vmlinuz root=/dev/sdb1\ninitrd /i\n",
            "/etc/fstab": "UUID=root-uuid / ext4 rw 0 1\n",
        ])
        try guest.convert()
        #expect(try guest.text("/boot/grub/grub.cfg") == "linux /vmlinuz root=UUID=root-uuid\ninitrd /i\n")
    }

    @Test(arguments: [
        ("GRUB_CMDLINE_LINUX=\"root=/dev/sda1 quiet\"", "GRUB_CMDLINE_LINUX=\"root=UUID=root-uuid quiet\""),
        ("GRUB_CMDLINE_LINUX='resume=/dev/sda5'", "GRUB_CMDLINE_LINUX='resume=UUID=swap-uuid'"),
        (
            "  export GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT resume=/dev/sda5\" # resume=/dev/sda5",
            "  export GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT resume=UUID=swap-uuid\" # resume=/dev/sda5"
        ),
        ("GRUB_CMDLINE_LINUX+=root=/dev/sda1", "GRUB_CMDLINE_LINUX+=root=UUID=root-uuid"),
        ("#GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"", "#GRUB_CMDLINE_LINUX=\"root=/dev/sda1\""),
        ("GRUB_CMDLINE_LINUX=\"root=/dev/mapper/vg-root\"", "GRUB_CMDLINE_LINUX=\"root=/dev/mapper/vg-root\""),
        ("GRUB_CMDLINE_LINUX=\"root=UUID=x\"", "GRUB_CMDLINE_LINUX=\"root=UUID=x\""),
        ("GRUB_TERMINAL=/dev/sda1", "GRUB_TERMINAL=/dev/sda1"),
        ("GRUB_CMDLINE_LINUX=\"root=/dev/sda1", "GRUB_CMDLINE_LINUX=\"root=UUID=root-uuid"),
    ])
    func grubDefaults(before: String, after: String) throws {
        #expect(try convert("/etc/default/grub", before).text == after)
        #expect(try convert("/etc/default/grub.d/50-own.cfg", before + "\n").text == after + "\n")
    }

    @Test func encryptedRoots() throws {
        let systems = [FileSystem(device: "/dev/sda3", type: "crypto_LUKS", uuid: "luks", partitionUUID: "p3")]
        let path = "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part3"
        let (text, _) = try convert(
            "/etc/default/grub",
            "GRUB_CMDLINE_LINUX=\"cryptdevice=/dev/sda3:root:allow-discards cryptopts=target=root,source=/dev/sda3,key=none\"\n"
                + "GRUB_CMDLINE_LINUX=\"cryptdevice=\(path):root\"\n",
            fileSystems: systems)
        #expect(
            text
                == "GRUB_CMDLINE_LINUX=\"cryptdevice=UUID=luks:root:allow-discards cryptopts=target=root,source=UUID=luks,key=none\"\n"
                + "GRUB_CMDLINE_LINUX=\"cryptdevice=UUID=luks:root\"\n")
    }

    @Test func aKernelWithoutInitramfsKnowsNoUUIDs() throws {
        #expect(
            try convert("/etc/kernel/cmdline", "root=/dev/sda1 ro\n", hasInitramfs: false).text
                == "root=PARTUUID=0badcafe-01 ro\n")
        #expect(try convert("/etc/kernel/cmdline", "root=/dev/sda1 ro\n").text == "root=UUID=root-uuid ro\n")
    }

    @Test func loaderEntries() throws {
        let entry = "title Debian\nlinux /x/linux\noptions  root=/dev/sda1 quiet\n"
        let expected = "title Debian\nlinux /x/linux\noptions  root=UUID=root-uuid quiet\n"
        #expect(try convert("/boot/loader/entries/a.conf", entry).text == expected)
        var guest = DeviceNamesGuest(["/efi/loader/entries/b.conf": entry])
        guest.inspection.bootLoader = .loaderEntries(["/efi/loader/entries/b.conf"])
        try guest.convert()
        #expect(try guest.text("/efi/loader/entries/b.conf") == expected)
    }

    @Test(arguments: [
        ("RESUME=/dev/sda5\n", "RESUME=UUID=swap-uuid\n"), ("RESUME=\"/dev/sda5\"\n", "RESUME=\"UUID=swap-uuid\"\n"),
        ("RESUME=none\n", "RESUME=none\n"), ("RESUME=/dev/mapper/vg-swap\n", "RESUME=/dev/mapper/vg-swap\n"),
    ])
    func resume(before: String, after: String) throws {
        #expect(try convert("/etc/initramfs-tools/conf.d/resume", before).text == after)
    }

    @Test func resumeFromADiskThatWasNotGivenStays() throws {
        let (text, plan) = try convert("/etc/initramfs-tools/conf.d/resume", "RESUME=/dev/sdb1\n")
        #expect(text == "RESUME=/dev/sdb1\n")
        #expect(plan.warnings.count == 1)
    }

    @Test func aParameterWithoutAMatchStays() throws {
        let (text, plan) = try convert("/etc/kernel/cmdline", "root=/dev/sda5 resume=/dev/sda1")
        #expect(text == "root=/dev/sda5 resume=/dev/sda1")
        #expect(plan.warnings.count == 2)
    }

    @Test func grubWithoutUUIDsIsNoted() throws {
        let (_, plan) = try convert("/etc/default/grub", "GRUB_DISABLE_LINUX_UUID=\"true\"\n")
        #expect(plan.findings.map(\.level) == [.note])
        #expect(try convert("/etc/default/grub", "#GRUB_DISABLE_LINUX_UUID=true\n").plan.findings.isEmpty)
    }

    @Test(arguments: [
        ("(hd0)\t/dev/disk/by-id/ata-VMware_Virtual_SATA_Hard_Drive_0001\n", true), ("(hd0) /dev/sda\n", true),
        ("(fd0) /dev/fd0\n(hd0)   /dev/hda\n", true), ("(hd0) /dev/vda\n", false), ("# this device map\n", false),
        ("(hd0)\n", false),
    ])
    func deviceMap(text: String, goes: Bool) throws {
        let (after, plan) = try convert("/boot/grub/device.map", text)
        #expect(after == (goes ? nil : text))
        #expect(plan.formerSettings.isEmpty != goes)
    }

    @Test func aHostileMenuDoesNoHarm() throws {
        let lines = [
            "linux", "linux ", "\tlinux /dev/", "linux root=", "linux root=/dev/sda", "linux \u{0}root=/dev/sda1\u{0}",
            "linux root=/dev/sda" + String(repeating: "9", count: 50_000),
            "linux " + String(repeating: "/dev/", count: 20_000),
            "linux " + String(repeating: "=", count: 20_000) + "/dev/sda1",
        ]
        let (text, _) = try convert("/boot/grub/grub.cfg", lines.joined(separator: "\n"))
        #expect(text?.split(separator: "\n").count == lines.count)
    }

    @Test func aMenuFullOfDisksIsReadInReasonableTime() throws {
        let lines = (0..<1_200).map { "linux root=/dev/sd\(GuestDisk.letters($0 % 18_000 + 1))\($0 % 200 + 2)" }
        let (_, plan) = try convert(
            "/boot/grub/grub.cfg", lines.joined(separator: "\n"))
        #expect(plan.items.count == 0)
        #expect(plan.warnings.count == 500)
    }
}
