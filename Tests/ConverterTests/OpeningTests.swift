import Guest
import GuestTesting
import Testing

@testable import Converter

struct OpeningTests {
    private typealias Volume = FakeMachine.Volume

    private func open(
        _ machine: FakeMachine, root: String? = nil, keys: [String: String] = [:]
    ) throws -> OpenedGuest {
        try Opening.open(machine, options: OpeningOptions(root: root, keys: keys.mapValues { Array($0.utf8) }))
    }

    private func refusal(_ machine: FakeMachine, root: String? = nil, keys: [String: String] = [:]) -> Refusal? {
        do {
            _ = try open(machine, root: root, keys: keys)
            return nil
        } catch { return error as? Refusal }
    }

    private func described(_ opened: OpenedGuest) -> [String] {
        opened.mounts.map { "\($0.device)\($0.subvolume.map { ":\($0)" } ?? "") at \($0.path)" }
    }

    // MARK: The root

    @Test func oneRoot() throws {
        let machine = FakeMachine([
            Volume("/dev/sda1", "vfat", uuid: "A-1"), Volume("/dev/sda2", "ext4", uuid: "r", debian()),
            Volume("/dev/sda3", "swap"), Volume("/dev/sdb1", "xfs", MemoryGuest(["/data/x": ""])),
        ])
        let opened = try open(machine)
        #expect(described(opened) == ["/dev/sda2 at /"])
        #expect(opened.mounts[0].free == 4 << 30 && opened.mounts[0].freeInodes == 100_000)
        #expect(opened.mounts[0].type == "ext4")
        #expect(opened.fileSystems.count == 4)
        #expect(opened.findings == [])
        #expect(try machine.exists("/etc/os-release"))
    }

    @Test func anEmptyDisk() {
        let found = refusal(FakeMachine([]))
        #expect(found?.kind == .unsupported)
        #expect(found?.message.contains("the disks are empty") == true)
    }

    @Test func noRoot() {
        let found = refusal(FakeMachine([Volume("/dev/sda1", "xfs", MemoryGuest(["/data/x": ""]))]))
        #expect(found?.kind == .unsupported)
        #expect(found?.message.contains("/dev/sda1 (xfs)") == true)
        #expect(found?.hint.contains("--disk") == true)
    }

    @Test func bitLockerAndLargeSectorsAreNamed() {
        let locked = refusal(FakeMachine([Volume("/dev/sda3", "BitLocker")]))
        #expect(locked?.kind == .blocked && locked?.message.contains("'/dev/sda3' is encrypted by BitLocker") == true)
        #expect(locked?.hint.contains("manage-bde -off") == true)
        // A GPT where sectors of 4,096 bytes put it.
        let disk = MemoryGuest()
        var bytes = [UInt8](repeating: 0, count: 64 * 512)
        bytes.replaceSubrange(4096..<4104, with: "EFI PART".utf8)
        disk.contents.disks = [bytes]
        let large = refusal(FakeMachine(disks: disk, sizes: [64 * 512]))
        #expect(large?.kind == .unsupported && large?.message.contains("4Kn") == true)
    }

    @Test func windows() {
        let found = refusal(FakeMachine([Volume("/dev/sda1", "ntfs", MemoryGuest())]))
        #expect(found?.kind == .unsupported)
        #expect(found?.message.contains("NTFS") == true)
    }

    @Test func severalRoots() throws {
        let volumes = [
            Volume("/dev/sda1", "ext4", uuid: "one", debian()),
            Volume("/dev/sda2", "xfs", uuid: "two", debian(["/etc/os-release": "ID=rocky\nNAME='Rocky'\n"])),
        ]
        let found = refusal(FakeMachine(volumes))
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("/dev/sda1 (Debian GNU/Linux 12 (bookworm)), /dev/sda2 (Rocky)") == true)
        #expect(found?.hint.contains("--root /dev/sda1") == true)
        for name in ["/dev/sda2", "UUID=two"] {
            let machine = FakeMachine(volumes)
            #expect(described(try open(machine, root: name)) == ["/dev/sda2 at /"])
            #expect(try machine.text("/etc/os-release")?.contains("rocky") == true)
        }
        let wrong = refusal(FakeMachine(volumes), root: "/dev/sdb1")
        #expect(wrong?.message.contains("'/dev/sdb1'") == true)
        #expect(wrong?.hint.contains("/dev/sda1, /dev/sda2") == true)
    }

    @Test func aRootThatCannotBeMounted() {
        var volume = Volume("/dev/sda1", "ext4", debian())
        volume.failure = "wrong fs type, bad superblock\nsecond line"
        let found = refusal(FakeMachine([volume]))
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("'/dev/sda1' (ext4) can't be mounted: wrong fs type, bad superblock") == true)
        #expect(found?.message.contains("second line") == false)
        #expect(found?.hint.contains("shut it down cleanly") == true)
    }

    @Test func aBrokenDataVolumeDoesNotMatter() throws {
        var data = Volume("/dev/sdb1", "xfs")
        data.failure = "dirty log"
        #expect(described(try open(FakeMachine([data, Volume("/dev/sda1", "ext4", debian())]))) == ["/dev/sda1 at /"])
    }

    @Test func aHibernatedGuestIsRefused() {
        let found = refusal(
            FakeMachine([Volume("/dev/sda1", "ext4", debian()), Volume("/dev/sda5", "swsuspend")]))
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("'/dev/sda5'") == true)
    }

    @Test func aLoopOfLinksInTheGuestDoesNotHang() {
        let guest = debian()
        guest.contents.nodes["/etc/os-release"] = nil
        guest.link("/etc/os-release", to: "os-release")
        // No file at all: the guest has others that say what it is.
        #expect(throws: Never.self) { try open(FakeMachine([Volume("/dev/sda1", "ext4", guest)])) }
    }

    // MARK: Encryption

    private func encrypted() -> FakeMachine {
        var locked = Volume("/dev/sda3", "crypto_LUKS", uuid: "luks")
        let fstab = "/dev/mapper/cryptroot / ext4 defaults 0 1\nUUID=b /boot ext4 defaults 0 2\n"
        locked.inside = (
            Array("geheim".utf8), FileSystem(device: "/dev/mapper/rehost-sda3", type: "ext4"), debian(fstab: fstab)
        )
        return FakeMachine([Volume("/dev/sda2", "ext4", uuid: "b", MemoryGuest(["/vmlinuz-6.1": ""])), locked])
    }

    @Test func withoutAKey() {
        let found = refusal(encrypted())
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("'/dev/sda3' is encrypted") == true)
        #expect(found?.hint.contains("--key /dev/sda3:file:PATH") == true)
    }

    @Test(arguments: ["/dev/sda3", "luks"]) func withAKey(name: String) throws {
        let opened = try open(encrypted(), keys: [name: "geheim"])
        #expect(described(opened) == ["/dev/mapper/rehost-sda3 at /", "/dev/sda2 at /boot"])
    }

    @Test func withAWrongKey() {
        let found = refusal(encrypted(), keys: ["/dev/sda3": "falsch"])
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("doesn't open it") == true)
        #expect(found?.message.contains("falsch") == false)
    }

    // MARK: The tree

    @Test func theTreeIsMountedAsFstabSays() throws {
        let fstab = """
            # /etc/fstab
            UUID=r / ext4 errors=remount-ro 0 1
            LABEL=boot\t/boot ext4 defaults 0 2
            UUID=A-1 /boot/efi vfat umask=0077 0 1
            PARTUUID="P-5" /var xfs defaults 0 2
            /dev/sdb1 /srv/data xfs defaults 0 2
            UUID=gone /mnt/usb ext4 defaults 0 2
            tmpfs /tmp tmpfs defaults 0 0
            """
        let machine = FakeMachine([
            Volume("/dev/sda1", "vfat", uuid: "A-1", MemoryGuest(["/EFI/x": ""])),
            Volume("/dev/sda2", "ext4", uuid: "b", label: "boot", MemoryGuest(["/grub/grub.cfg": "x"])),
            Volume("/dev/sda3", "ext4", uuid: "R", debian(fstab: fstab)),
            Volume("/dev/sda5", "xfs", partitionUUID: "p-5", MemoryGuest(["/lib/x": ""])),
            Volume("/dev/sdb1", "xfs", MemoryGuest(["/x": ""])),
        ])
        let opened = try open(machine)
        #expect(described(opened) == ["/dev/sda3 at /", "/dev/sda2 at /boot", "/dev/sda5 at /var"])
        #expect(try machine.text("/boot/grub/grub.cfg") == "x")
        #expect(opened.findings == [])
    }

    @Test func theSystemPartitionIsMountedWhereNoMenuIsElsewhere() throws {
        let root = debian(fstab: "UUID=r / ext4 rw 0 1\nUUID=A-1 /boot/efi vfat rw 0 1\n")
        let machine = FakeMachine([
            Volume("/dev/sda1", "vfat", uuid: "a-1", MemoryGuest(["/loader/entries/x.conf": ""])),
            Volume("/dev/sda2", "ext4", uuid: "r", root),
        ])
        #expect(described(try open(machine)) == ["/dev/sda2 at /", "/dev/sda1 at /boot/efi"])
    }

    @Test func aSystemPartitionThatFailsIsAWarning() throws {
        let root = debian(fstab: "UUID=r / ext4 rw 0 1\nUUID=A-1 /boot/efi vfat rw 0 1\n")
        var system = Volume("/dev/sda1", "vfat", uuid: "A-1")
        system.failure = "wrong fs type"
        let opened = try open(FakeMachine([system, Volume("/dev/sda2", "ext4", uuid: "r", root)]))
        #expect(described(opened) == ["/dev/sda2 at /"])
        #expect(opened.findings.map(\.level) == [.warning])
        #expect(opened.findings[0].message.contains("'/boot/efi' can't be mounted: wrong fs type; it is left as it is"))
    }

    @Test func aBootThatFailsIsRefused() {
        let root = debian(fstab: "UUID=r / ext4 rw 0 1\nUUID=b /boot ext4 rw 0 1\n")
        var boot = Volume("/dev/sda1", "ext4", uuid: "b")
        boot.failure = "bad superblock"
        let found = refusal(FakeMachine([boot, Volume("/dev/sda2", "ext4", uuid: "r", root)]))
        #expect(found?.kind == .blocked)
        #expect(found?.message == "the guest's '/boot' can't be mounted: bad superblock")
    }

    @Test func aBootOnADiskThatWasNotGivenIsRefused() {
        let root = debian(fstab: "UUID=r / ext4 rw 0 1\nUUID=gone /boot ext4 rw 0 1\n")
        let found = refusal(FakeMachine([Volume("/dev/sda2", "ext4", uuid: "r", root)]))
        #expect(found?.message.contains("'UUID=gone' is on none of the given disks") == true)
        #expect(found?.hint.contains("--disk") == true)
    }

    @Test func aBootWithNoautoMayFail() throws {
        let root = debian(fstab: "UUID=r / ext4 rw 0 1\nUUID=gone /boot ext4 rw,noauto 0 1\n")
        let opened = try open(FakeMachine([Volume("/dev/sda2", "ext4", uuid: "r", root)]))
        #expect(opened.findings.map(\.level) == [.warning])
    }

    @Test func aSeparateUsr() throws {
        let root = MemoryGuest([
            "/etc/fstab": "/dev/sda1 / ext4 rw 0 1\n/dev/sda5 /usr ext4 rw 0 1\n", "/etc/debian_version": "12.5\n",
        ])
        root.link("/etc/os-release", to: "../usr/lib/os-release")
        root.link("/sbin", to: "usr/sbin")
        root.folder("/usr")
        let usr = MemoryGuest(["/lib/os-release": "ID=debian\nPRETTY_NAME=Debian\n", "/sbin/mkinitramfs": ""])
        let machine = FakeMachine([Volume("/dev/sda1", "ext4", root), Volume("/dev/sda5", "ext4", usr)])
        #expect(described(try open(machine)) == ["/dev/sda1 at /", "/dev/sda5 at /usr"])
        #expect(try machine.exists("/sbin/mkinitramfs"))
        #expect(try machine.text("/etc/os-release")?.contains("Debian") == true)
    }

    /// As Fedora's: os-release and every other name are on /usr.
    @Test func aSeparateUsrWithTheNameOnIt() throws {
        let root = MemoryGuest([
            "/etc/fstab": "UUID=r / xfs defaults 0 0\nUUID=u /usr xfs defaults 0 0\n", "/etc/machine-id": "x\n",
        ])
        root.link("/etc/os-release", to: "../usr/lib/os-release")
        root.folder("/usr")
        let usr = MemoryGuest(["/lib/os-release": "ID=rocky\nPRETTY_NAME=Rocky\n", "/lib/systemd/systemd": ""])
        let machine = FakeMachine([
            Volume("/dev/sda1", "xfs", uuid: "r", root), Volume("/dev/sda5", "xfs", uuid: "u", usr),
        ])
        #expect(described(try open(machine)) == ["/dev/sda1 at /", "/dev/sda5 at /usr"])
    }

    @Test(arguments: [
        ("/dev/mapper/my--vg-root--fs", "/dev/my-vg/root-fs"), ("/dev/my-vg/root-fs", "/dev/my-vg/root-fs"),
        ("/dev/mapper/vg-boot", "/dev/vg/boot"),
    ])
    func logicalVolumes(name: String, device: String) throws {
        let root = debian(fstab: "/dev/mapper/vg-root / ext4 rw 0 1\n\(name) /boot ext4 rw 0 2\n")
        let machine = FakeMachine([
            Volume("/dev/sda1", "LVM2_member"), Volume("/dev/vg/root", "ext4", root),
            Volume(device, "ext4", MemoryGuest(["/vmlinuz": ""])),
        ])
        #expect(described(try open(machine)) == ["/dev/vg/root at /", "\(device) at /boot"])
    }

    @Test(arguments: [
        "/dev/hda1", "/dev/vda1", "/dev/xvda1", "/dev/sda1", "/dev/disk/by-uuid/B", "/dev/disk/by-label/l",
    ])
    func otherNamesOfAPartition(name: String) throws {
        let root = debian(fstab: "\(name) /boot ext4 rw 0 2\n")
        let machine = FakeMachine([
            Volume("/dev/sda1", "ext4", uuid: "b", label: "l", MemoryGuest(["/vmlinuz": ""])),
            Volume("/dev/sda2", "ext4", root),
        ])
        #expect(described(try open(machine)).last == "/dev/sda1 at /boot")
    }

    @Test func aMountPointBehindALinkStaysInTheGuest() throws {
        let root = debian(fstab: "/dev/sda1 /boot ext4 rw 0 2\n")
        root.contents.nodes["/boot"] = nil
        root.link("/boot", to: "../../mnt")
        let machine = FakeMachine([
            Volume("/dev/sda1", "ext4", MemoryGuest(["/vmlinuz": ""])), Volume("/dev/sda2", "ext4", root),
        ])
        _ = try open(machine)
        #expect(machine.log.last == "/dev/sda1 at /mnt")
        #expect(try machine.exists("/boot/vmlinuz"))
    }

    // MARK: btrfs

    private func btrfs(_ trees: [String?: any GuestEditor]) -> FakeMachine {
        var volume = Volume("/dev/sda2", "btrfs", uuid: "r")
        volume.trees = trees
        if volume.trees[nil] == nil { volume.trees[nil] = MemoryGuest() }
        return FakeMachine([volume])
    }

    @Test func aSubvolumeAsRoot() throws {
        let root = debian(fstab: "UUID=r / btrfs subvol=@ 0 0\nUUID=r /var btrfs rw,subvol=/@var 0 0\n")
        let machine = btrfs(["@": root, "@home": MemoryGuest(), "@var": MemoryGuest(["/lib/x": ""])])
        #expect(described(try open(machine)) == ["/dev/sda2:@ at /", "/dev/sda2:@var at /var"])
    }

    @Test func theTopLevelAsRoot() throws {
        let opened = try open(btrfs([nil: debian(), "var/lib/machines/x": debian()]))
        #expect(described(opened) == ["/dev/sda2 at /"])
    }

    @Test func snapshotsAreNoRoots() throws {
        let root = debian(fstab: "UUID=r / btrfs defaults 0 0\n")
        let machine = btrfs([
            "@": root, "@/.snapshots/1/snapshot": root, ".snapshots/2/snapshot": root,
            "timeshift-btrfs/snapshots/2024/@": root,
        ])
        #expect(described(try open(machine)) == ["/dev/sda2:@ at /"])
    }

    @Test func theSubvolumeThatItsOwnFstabNamesIsTheRoot() throws {
        let root = debian(fstab: "UUID=r / btrfs subvol=/@rootfs,compress=zstd 0 0\n")
        let machine = btrfs(["@before-upgrade": root, "@rootfs": root, "zz-copy": root])
        #expect(described(try open(machine)) == ["/dev/sda2:@rootfs at /"])
    }

    @Test func severalSubvolumesThatCouldBeRoots() throws {
        let machine = btrfs(["a": debian(), "b": debian()])
        let found = refusal(machine)
        #expect(found?.hint.contains("--root /dev/sda2:a") == true)
        #expect(described(try open(machine, root: "/dev/sda2:b")) == ["/dev/sda2:b at /"])
    }

    // MARK: Disks

    @Test func tables() throws {
        let table = GPT(
            diskSectors: 40960,
            [
                GPT.Entry(
                    number: 1, type: GPT.biosBoot, id: GPT.linuxData, firstSector: 34, lastSector: 40, name: "bios"),
                GPT.Entry(
                    number: 2, type: GPT.efiSystem, id: GPT.linuxData, firstSector: 2048, lastSector: 4095, name: "EFI"),
            ])
        var gpt = table.firstSectors + [UInt8](repeating: 0, count: (40960 - 34) * 512)
        gpt[0] = 0xEB
        var mbr = [UInt8](repeating: 0, count: 64 * 512)
        mbr[0] = 0xEB
        mbr[450] = 0x83
        mbr[510] = 0x55
        mbr[511] = 0xAA
        let disks = MemoryGuest()
        disks.contents.disks = [gpt, mbr, [UInt8](repeating: 0, count: 512), []]
        func opened() throws -> OpenedGuest {
            let machine = FakeMachine(
                disks: disks, sizes: disks.contents.disks.map { UInt64($0.count) })
            machine.volumes = [Volume("/dev/sda2", "ext4", debian())]
            return try open(machine)
        }
        var found = try opened().disks
        #expect(found.map(\.device) == ["/dev/sda", "/dev/sdb", "/dev/sdc", "/dev/sdd"])
        #expect(found[0].table == .gpt(table))
        // Boot code without a core to load.
        #expect(found.map(\.hasBootCode) == [false, true, false, false])
        #expect(found[2].table == .none && found[3].table == .none)
        #expect(found[1].table == MBR(sector: mbr).map { .mbr($0) })

        disks.contents.disks[0][34 * 512] = 0x52
        found = try opened().disks
        #expect(found[0].hasBootCode)
        disks.contents.disks[0][1024] ^= 1
        #expect(throws: Refusal.self) { try opened() }
    }
}
