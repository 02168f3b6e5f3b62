import Guest
import GuestTesting
import Testing

@testable import Converter

/// Subvolumes, keys, arrays, and several disks.
struct StorageOpeningTests {
    private typealias Volume = FakeMachine.Volume

    private func open(
        _ machine: FakeMachine, root: String? = nil, keys: [String: [UInt8]] = [:]
    ) throws -> OpenedGuest {
        try Opening.open(machine, options: OpeningOptions(root: root, keys: keys))
    }

    private func refusal(_ machine: FakeMachine, keys: [String: [UInt8]] = [:]) -> Refusal? {
        do {
            _ = try open(machine, keys: keys)
            return nil
        } catch { return error as? Refusal }
    }

    private func described(_ opened: OpenedGuest) -> [String] {
        opened.mounts.map { "\($0.device)\($0.subvolume.map { ":\($0)" } ?? "") at \($0.path)" }
    }

    private func btrfs(_ trees: [String?: MemoryGuest], preferred: String? = nil) -> Volume {
        var volume = Volume("/dev/sda2", "btrfs", uuid: "b")
        for (name, tree) in trees { volume.trees[name] = tree }
        if volume.trees[nil] == nil { volume.trees[nil] = MemoryGuest() }
        volume.defaultSubvolume = preferred
        return volume
    }

    private func suse(_ more: [GuestPath: String] = [:]) -> MemoryGuest {
        debian(fstab: "UUID=b / btrfs defaults 0 0\nUUID=b /var btrfs subvol=/@/var 0 0\n", more)
    }

    // MARK: btrfs

    @Test func snappersRootIsTheDefaultSubvolume() throws {
        var trees: [String?: MemoryGuest] = ["@": MemoryGuest(), "@/var": MemoryGuest(["/lib/x": ""])]
        for number in 1...300 { trees["@/.snapshots/\(number)/snapshot"] = suse() }
        let machine = FakeMachine([btrfs(trees, preferred: "@/.snapshots/7/snapshot")])
        let opened = try open(machine)
        #expect(described(opened) == ["/dev/sda2:@/.snapshots/7/snapshot at /", "/dev/sda2:@/var at /var"])
        #expect(opened.findings.map(\.level) == [.note])
        #expect(opened.findings[0].message.contains("'@/.snapshots/7/snapshot' of '/dev/sda2'"))
        #expect(machine.log.count < 10, "\(machine.log)")
    }

    @Test func theKernelsParametersCountMoreThanTheDefault() throws {
        let menu: [GuestPath: String] = [
            "/boot/grub2/grub.cfg": "\tlinux /vmlinuz root=UUID=b ro rootflags=subvol=@,compress=zstd quiet\n"
        ]
        let machine = FakeMachine([
            btrfs(["@": suse(menu), "old": suse(menu), "@/var": MemoryGuest()], preferred: "old")
        ])
        #expect(described(try open(machine))[0] == "/dev/sda2:@ at /")
    }

    @Test func fedora() throws {
        let fstab = "UUID=b / btrfs subvol=root,compress=zstd:1 0 0\nUUID=b /home btrfs subvol=home 0 0\n"
        let machine = FakeMachine([
            btrfs(["root": debian(fstab: fstab), "home": MemoryGuest(), "root-before-upgrade": debian(fstab: fstab)])
        ])
        #expect(described(try open(machine)) == ["/dev/sda2:root at /"])
    }

    @Test func aSubvolumeByItsNumber() throws {
        // In the order of their names: "@" is 256, "@var" 257.
        let fstab = "UUID=b / btrfs subvolid=256 0 0\nUUID=b /var btrfs subvolid=257 0 0\n"
        let machine = FakeMachine([btrfs(["@": debian(fstab: fstab), "@var": MemoryGuest(["/lib/x": ""])])])
        #expect(described(try open(machine)) == ["/dev/sda2:@ at /", "/dev/sda2:@var at /var"])
    }

    @Test func twoSystemsOnOneFileSystem() throws {
        let trees: [String?: MemoryGuest] = [
            "@debian": debian(fstab: "UUID=b / btrfs subvol=@debian 0 0\n"),
            "@rocky": debian(fstab: "UUID=b / btrfs subvol=/@rocky 0 0\n"),
            "@copy": debian(fstab: "UUID=b / btrfs subvol=@debian 0 0\n"),
        ]
        let found = refusal(FakeMachine([btrfs(trees)]))
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("2 operating systems") == true)
        #expect(described(try open(FakeMachine([btrfs(trees)]), root: "/dev/sda2:@copy")) == ["/dev/sda2:@copy at /"])
        #expect(described(try open(FakeMachine([btrfs(trees)]), root: "UUID=b:/@rocky")) == ["/dev/sda2:@rocky at /"])
    }

    @Test func aFileSystemOnTwoDevicesHasOneRoot() throws {
        var second = btrfs(["@": debian(fstab: "UUID=b / btrfs subvol=@ 0 0\n")])
        second.system.device = "/dev/sdb1"
        let machine = FakeMachine([btrfs(["@": debian(fstab: "UUID=b / btrfs subvol=@ 0 0\n")]), second])
        #expect(described(try open(machine)) == ["/dev/sda2:@ at /"])
    }

    // MARK: Keys

    private func locked(_ key: [UInt8], uuid: String = "4c554b53-0001", device: String = "/dev/sda3") -> Volume {
        var volume = Volume(device, "crypto_LUKS", uuid: uuid)
        volume.inside = (key, FileSystem(device: FileSystem.unlockedName(of: device), type: "ext4"), debian())
        return volume
    }

    @Test(arguments: [
        ("geheim", "geheim"), ("geheim", "geheim\n"), ("geheim", "geheim\r\n"), ("geheim\n", "geheim\n"),
        ("bin\u{0}ary\n", "bin\u{0}ary\n"), ("bin\u{0}ary", "bin\u{0}ary\n"),
    ])
    func aFileIsAPassphraseOrAKeyFile(key: String, file: String) throws {
        let machine = FakeMachine([locked(Array(key.utf8))])
        #expect(described(try open(machine, keys: ["/dev/sda3": Array(file.utf8)])).count == 1)
    }

    @Test func keyFilesOfAnyBytes() throws {
        let key = (0..<512).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) } + [0x0A]
        #expect(described(try open(FakeMachine([locked(key)]), keys: ["all": key])).count == 1)
    }

    @Test(arguments: ["4c554b53-0001", "UUID=4c554b53-0001", "4C554B53-0001", "all", "/dev/sda3"])
    func theNamesOfADevice(name: String) throws {
        #expect(try open(FakeMachine([locked([1])]), keys: [name: [1]]).mounts.count == 1)
    }

    @Test func aKeyForAllNeedNotFitEach() throws {
        let other = locked([2], uuid: "other", device: "/dev/sdb1")
        #expect(try open(FakeMachine([locked([1]), other]), keys: ["all": [1]]).mounts.count == 1)
        let found = refusal(FakeMachine([locked([1]), other]), keys: ["all": [9]])
        #expect(found?.message.contains("is encrypted") == true)
    }

    @Test func encryptionInsideOfEncryption() throws {
        var outer = Volume("/dev/sda3", "crypto_LUKS", uuid: "outer")
        let inner = FileSystem(device: "/dev/mapper/rehost-sda3", type: "crypto_LUKS", uuid: "inner")
        outer.inside = ([1], inner, MemoryGuest())
        let machine = FakeMachine([outer])
        let found = refusal(machine, keys: ["outer": [1]])
        #expect(found?.message.contains("'/dev/mapper/rehost-sda3' is encrypted") == true)
    }

    // MARK: Arrays and volume groups

    private func array(missing: [String] = [], isKnown: Bool = false) -> FakeMachine {
        let fstab = "/dev/md0 / ext4 rw 0 1\n/dev/md/boot /boot ext4 rw 0 2\n"
        let root = debian(
            fstab: fstab, ["/etc/mdadm/mdadm.conf": "ARRAY /dev/md0 metadata=1.2 UUID=AAAA:bbbb name=old:9\n"])
        let machine = FakeMachine([
            Volume("/dev/sda1", "linux_raid_member", uuid: "aaaa-bbbb"),
            Volume("/dev/sda2", "linux_raid_member", uuid: "cccc-dddd"),
            Volume("/dev/md127", "ext4", uuid: "r", root), Volume("/dev/md126", "ext4", uuid: "x", MemoryGuest()),
        ])
        machine.sets = [
            VolumeSet(
                kind: .array, name: "old:9", uuid: "aaaa:bbbb", device: "/dev/md127", members: ["/dev/sda1"],
                missing: missing, isKnownIncomplete: isKnown),
            VolumeSet(
                kind: .array, name: "web:boot", uuid: "cccc:dddd", device: "/dev/md126", members: ["/dev/sda2"]),
        ]
        return machine
    }

    @Test func arraysByTheirNames() throws {
        #expect(described(try open(array())) == ["/dev/md127 at /", "/dev/md126 at /boot"])
    }

    @Test func aMirrorWhoseOtherHalfWasNotGiven() throws {
        let found = refusal(array(missing: ["member 2 of 2"]))
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("'old:9' (UUID aaaa:bbbb) lacks member 2 of 2") == true)
        #expect(found?.hint.contains("--disk") == true)
        let opened = try open(array(missing: ["member 2 of 2"], isKnown: true))
        #expect(opened.findings.map(\.level) == [.warning])
    }

    @Test func aPhysicalVolumeThatWasNotGiven() {
        let machine = FakeMachine([Volume("/dev/sda2", "LVM2_member", uuid: "p")])
        machine.sets = [
            VolumeSet(
                kind: .volumeGroup, name: "vg0", uuid: "v", members: ["/dev/sda2"],
                missing: ["physical volume k0p3Jq-7XvQ"])
        ]
        let found = refusal(machine)
        #expect(found?.kind == .blocked)
        #expect(found?.message.contains("'vg0' lacks physical volume k0p3Jq-7XvQ") == true)
    }

    @Test func groupsOfOneName() {
        let machine = FakeMachine([
            Volume("/dev/sda2", "LVM2_member", uuid: "p"), Volume("/dev/sdb2", "LVM2_member", uuid: "q"),
        ])
        machine.sets = ["sda2", "sdb2"].map {
            VolumeSet(kind: .volumeGroup, name: "vg0", uuid: "of-\($0)", members: ["/dev/\($0)"])
        }
        let found = refusal(machine)
        #expect(found?.message.contains("2 volume groups are called 'vg0', on /dev/sda2 and /dev/sdb2") == true)
    }

    @Test func oneCompleteGroupCostsNoLookup() throws {
        let machine = FakeMachine([
            Volume("/dev/sda2", "LVM2_member"), Volume("/dev/vg/root", "ext4", uuid: "r", debian()),
        ])
        _ = try open(machine)
        #expect(machine.setLookups == 0)
    }

    // MARK: Names in fstab

    @Test(arguments: [
        "/dev/nvme0n1p1", "/dev/xvda1", "/dev/hda1", "PARTUUID=\"P1\"", "/dev/disk/by-partuuid/p1",
        "/dev/disk/by-label/two\\x20words", "LABEL=two\\040words", "/dev/disk/by-id/scsi-36000-part1",
        "/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:0:0-part1",
    ])
    func waysToNameABoot(source: String) throws {
        let root = debian(fstab: "UUID=r / xfs rw 0 1\n\(source) /boot ext4 rw 0 2\n")
        let machine = FakeMachine([
            Volume("/dev/sda1", "ext4", uuid: "b", label: "two words", partitionUUID: "p1", MemoryGuest(["/x": ""])),
            Volume("/dev/sda2", "xfs", uuid: "r", root),
        ])
        #expect(described(try open(machine)) == ["/dev/sda2 at /", "/dev/sda1 at /boot"])
    }

    @Test func disksInAnotherOrder() throws {
        let root = debian(fstab: "/dev/sda2 / xfs rw 0 1\n/dev/sda1 /boot ext4 rw 0 2\n")
        let disk = MemoryGuest()
        disk.contents.disks = Array(repeating: [UInt8](repeating: 0, count: 64 * 512), count: 2)
        let machine = FakeMachine(disks: disk, sizes: [64 * 512, 64 * 512])
        machine.volumes = [
            Volume("/dev/sda1", "ext4", MemoryGuest(["/wrong": ""])), Volume("/dev/sdb1", "ext4", MemoryGuest()),
            Volume("/dev/sdb2", "xfs", root),
        ]
        #expect(described(try open(machine)) == ["/dev/sdb2 at /", "/dev/sdb1 at /boot"])
    }

    @Test func whatIsOnNoDeviceDoesNotStopAnything() throws {
        let fstab = """
            UUID=r / ext4 rw 0 1
            tmpfs /var tmpfs size=1G 0 0
            /data/local /usr/local none bind 0 0
            nas:/boot /var nfs ro 0 0
            """
        let opened = try open(FakeMachine([Volume("/dev/sda1", "ext4", uuid: "r", debian(fstab: fstab))]))
        #expect(described(opened) == ["/dev/sda1 at /"])
        #expect(opened.findings.map(\.level) == [.warning, .warning])
        let found = refusal(
            FakeMachine([Volume("/dev/sda1", "ext4", debian(fstab: "/x / ext4 rw 0 0\n/esp /boot none bind 0 0\n"))]))
        #expect(found?.message.contains("'/boot' is the folder '/esp' in another place") == true)
    }

    @Test func aMissingDiskIsNamedWithWhatItWas() {
        let machine = FakeMachine([
            Volume(
                "/dev/sda1", "ext4", uuid: "r", debian(fstab: "UUID=r / ext4 rw 0 1\n/dev/vg/var /var ext4 rw 0 2\n"))
        ])
        machine.sets = [
            VolumeSet(kind: .volumeGroup, name: "vg", uuid: "v", members: [], missing: ["physical volume aBc"])
        ]
        let found = refusal(machine)
        #expect(
            found?.message.contains("'/dev/vg/var' is on none of the given disks; 'vg' lacks physical volume aBc")
                == true)
    }
}
