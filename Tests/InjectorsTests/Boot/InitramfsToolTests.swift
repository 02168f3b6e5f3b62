import Guest
import GuestTesting
import Testing

@testable import Injectors

struct InitramfsToolTests {
    private let modules = ["virtio_pci", "virtio_blk"]
    private let index = ModuleIndex(
        dep: "kernel/drivers/block/virtio_blk.ko.gz: kernel/drivers/virtio/virtio.ko.gz\n"
            + "kernel/drivers/virtio/virtio_pci.ko.gz: kernel/drivers/virtio/virtio.ko.gz\n"
            + "kernel/drivers/virtio/virtio.ko.gz:\n",
        builtin: "")

    /// What a tool's drop-in is, after a second time that changes nothing.
    private func kept(_ tool: InitramfsTool, _ files: [GuestPath: String]) throws -> MemoryGuest {
        let guest = MemoryGuest(files)
        for round in 0..<2 {
            var draft = Draft(over: guest, disks: guest)
            try tool.keep(modules, index, in: &draft)
            let plan = try draft.plan()
            #expect(round == 0 || plan.isEmpty, "\(plan.items.map(\.change))")
            try guest.apply(plan) { _ in }
        }
        return guest
    }

    @Test func dracutWithAndWithoutDropIns() throws {
        let file: GuestPath = "/etc/dracut.conf.d/rehost-virtio.conf"
        let new = try kept(.dracut, ["/usr/bin/dracut": "#!/bin/bash\nconfdir=\"/etc/dracut.conf.d\"\n"])
        #expect(try new.text(file)?.hasSuffix("add_drivers+=\" virtio_pci virtio_blk \"\n") == true)
        let old = try kept(
            .dracut, ["/sbin/dracut": "#!/bin/bash\nconffile=/etc/dracut.conf\n", "/etc/dracut.conf": "#x=\"\""])
        #expect(try !old.exists(file))
        #expect(
            try old.text("/etc/dracut.conf") == """
                #x=""
                # Written by rehost: this machine's disks are virtio devices.
                add_drivers+=" virtio_pci virtio_blk "

                """)
    }

    @Test(arguments: [
        ("MODULES=()\nHOOKS=(base udev)\n", "MODULES=(virtio_pci virtio_blk)\nHOOKS=(base udev)\n"),
        ("MODULES=\"ext4\"\n", "MODULES=\"ext4 virtio_pci virtio_blk\"\n"),
        ("MODULES=(\n  virtio_blk # disks)\n)\n", "MODULES=(\n  virtio_blk # disks)\nvirtio_pci)\n"),
        ("#MODULES=()\n", "#MODULES=()\nMODULES=(virtio_pci virtio_blk)\n"),
        ("MODULES=(a\n", "MODULES=(a\nMODULES=(virtio_pci virtio_blk)\n"), ("", "MODULES=(virtio_pci virtio_blk)\n"),
        ("MODULES=ext4 # x\n", "MODULES=(ext4 virtio_pci virtio_blk) # x\n"),
        ("MODULES=(a)\nMODULES=('virtio_pci' virtio_blk)", "MODULES=(a)\nMODULES=('virtio_pci' virtio_blk)"),
    ])
    func mkinitcpio(_ before: String, _ after: String) throws {
        let guest = try kept(.mkinitcpio, ["/usr/bin/mkinitcpio": "#!/bin/bash\n", "/etc/mkinitcpio.conf": before])
        #expect(try guest.text("/etc/mkinitcpio.conf") == after)
    }

    @Test func mkinitfs() throws {
        let guest = try kept(
            .mkinitfs, ["/sbin/mkinitfs": "", "/etc/mkinitfs/mkinitfs.conf": "features=\"ata base\"\n"])
        #expect(try guest.text("/etc/mkinitfs/mkinitfs.conf") == "features=\"ata base rehost-virtio\"\n")
        #expect(
            try guest.text("/etc/mkinitfs/features.d/rehost-virtio.modules") == """
                kernel/drivers/virtio/virtio_pci.ko*
                kernel/drivers/virtio/virtio.ko*
                kernel/drivers/block/virtio_blk.ko*

                """)
    }

    @Test func susesMkinitrd() throws {
        let guest = try kept(
            .suseMkinitrd,
            ["/etc/sysconfig/kernel": "INITRD_MODULES=\"mptspi virtio_blk\"\nDOMU_INITRD_MODULES=\"a\"\n"])
        #expect(
            try guest.text("/etc/sysconfig/kernel")
                == "INITRD_MODULES=\"mptspi virtio_blk virtio_pci\"\nDOMU_INITRD_MODULES=\"a\"\n")
    }

    @Test func redHatsMkinitrd() throws {
        let guest = try kept(
            .redHatMkinitrd, ["/etc/modprobe.conf": "alias eth0 e1000\nalias scsi_hostadapter3 mptspi\n"])
        #expect(
            try guest.text("/etc/modprobe.conf") == """
                alias eth0 e1000
                alias scsi_hostadapter3 mptspi
                # Added by rehost: this machine's disks are virtio devices.
                alias scsi_hostadapter4 virtio_pci
                alias scsi_hostadapter5 virtio_blk

                """)
    }

    @Test func whichMkinitrdItIs() throws {
        let suse = MemoryGuest(["/sbin/mkinitrd": "", "/lib/mkinitrd/scripts/setup-udev.sh": ""])
        #expect(try InitramfsTool.inUse(suse, for: nil)?.companion == "/lib/mkinitrd/scripts")
        let redHat = MemoryGuest(["/sbin/mkinitrd": "", "/sbin/nash": ""])
        #expect(try InitramfsTool.inUse(redHat, for: nil)?.companion == "/sbin/nash")
        // A wrapper around dracut.
        let new = MemoryGuest(["/sbin/mkinitrd": "", "/sbin/dracut": ""])
        #expect(try InitramfsTool.inUse(new, for: nil)?.name == "dracut")
        #expect(try InitramfsTool.inUse(MemoryGuest(["/sbin/mkinitrd": ""]), for: nil) == nil)
    }

    @Test func oldModulesDepNamesWholePaths() {
        let index = ModuleIndex(
            dep: "/lib/modules/2.6.18-8.el5/kernel/fs/ext3/ext3.ko: /lib/modules/2.6.18-8.el5/kernel/fs/jbd/jbd.ko\n",
            builtin: "")
        #expect(index.closure(of: "ext3") == ["kernel/fs/ext3/ext3.ko", "kernel/fs/jbd/jbd.ko"])
    }

    @Test func aCircleOfSoftDependenciesEnds() {
        let index = ModuleIndex(
            dep: "a.ko:\nb.ko: a.ko\n", builtin: "", softdep: "softdep a post: b\nsoftdep b pre: a b\n")
        #expect(index.closure(of: "a") == ["a.ko", "b.ko"])
    }
}
