import Guest
import GuestTesting
import Testing

@testable import Injectors

struct FstabTests {
    /// What becomes of an fstab.
    private func fstab(
        _ text: String, fileSystems: [FileSystem] = DeviceNamesGuest.single, root: String = "/dev/sda1",
        partitions: [[Int]] = [[1, 2, 5]]
    ) throws -> (text: String, plan: Plan) {
        let guest = DeviceNamesGuest(
            ["/etc/fstab": text], fileSystems: fileSystems, root: root, partitions: partitions)
        let plan = try guest.convert()
        return (try guest.text("/etc/fstab") ?? "", plan)
    }

    private let two =
        DeviceNamesGuest.single + [
            FileSystem(device: "/dev/sdb1", type: "xfs", uuid: "data-uuid", partitionUUID: "0badcafd-01")
        ]

    @Test(arguments: [
        "/dev/sda1", "/dev/hda1", "/dev/vda1", "/dev/xvda1", "/dev/nvme0n1p1",
        "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1",
        "/dev/disk/by-id/scsi-36000c29f6a0a3c3b7d7a0f4b5f3a1b2c-part1", "/dev/disk/by-id/wwn-0x6000c29f6a0a3c3b-part1",
        "/dev/disk/by-id/ata-VMware_Virtual_SATA_Hard_Drive_00000000000000000001-part1",
    ])
    func everyBusNameOfTheOnlyDiskBecomesAUUID(source: String) throws {
        let (text, plan) = try fstab("\(source) / ext4 errors=remount-ro 0 1\n")
        #expect(text == "UUID=root-uuid / ext4 errors=remount-ro 0 1\n")
        #expect(plan.findings.isEmpty)
        #expect(plan.formerSettings.first?.subject == source)
        #expect(plan.formerSettings.first?.values["was"] == ["\(source) / ext4 errors=remount-ro 0 1"])
    }

    @Test func everythingElseKeepsItsBytes() throws {
        let before =
            "# <file system>\t<mount>\n\n  /dev/sda1\t /    ext4   defaults\t0 1   # root\r\n"
            + "/dev/sda5       none            swap    sw              0       0\n#/dev/sda1 /old ext4\n"
            + "tmpfs /tmp tmpfs rw 0 0\nserver:/x /x nfs rw"
        let (text, _) = try fstab(before)
        #expect(
            text
                == before.replacing("  /dev/sda1", with: "  UUID=root-uuid").replacing(
                    "/dev/sda5", with: "UUID=swap-uuid"))
    }

    @Test(arguments: [
        "UUID=root-uuid / ext4 defaults 0 1\n", "LABEL=\"my root\" / ext4 defaults 0 1\n",
        "UUID=\"root-uuid\" / ext4 defaults 0 1\n", "PARTUUID=0badcafe-01 / ext4 defaults 0 1\n",
        "/dev/mapper/vg-root / ext4 defaults 0 1\n", "/dev/vg/root / ext4 defaults 0 1\n",
        "/dev/disk/by-uuid/root-uuid / ext4 defaults 0 1\n", "/dev/disk/by-label/root / ext4 defaults 0 1\n",
        "/dev/disk/by-id/dm-name-vg-root / ext4 defaults 0 1\n", "/dev/md0 / ext4 defaults 0 1\n",
        "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n", "/dev/hdc /media/cdrom0 auto user 0 0\n",
        "/dev/hdc /mnt/disc iso9660 ro 0 0\n", "/dev/fd0 /media/floppy0 auto rw,user,noauto 0 0\n",
        "/dev/cdrom /mnt auto ro 0 0\n", "/dev/sda1\n", "\n", "", "#/dev/sda1 / ext4 defaults 0 1",
    ])
    func otherNamesStay(line: String) throws {
        let (text, plan) = try fstab(line)
        #expect(text == line)
        #expect(plan == Plan())
    }

    @Test func aSecondDiskThatWasGivenIsFound() throws {
        let (text, plan) = try fstab(
            "/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /srv xfs defaults,nofail 0 2\n", fileSystems: two,
            partitions: [[1, 2, 5], [1]])
        #expect(text == "UUID=root-uuid / ext4 defaults 0 1\nUUID=data-uuid /srv xfs defaults,nofail 0 2\n")
        #expect(plan.findings.isEmpty)
    }

    @Test(arguments: [
        ("/dev/sdb1 /srv\\040data xfs defaults 0 2", "/dev/sdb1 /srv\\040data xfs defaults,nofail 0 2"),
        ("/dev/sdb1 /srv xfs", "/dev/sdb1 /srv xfs nofail"),
        ("/dev/sdb /srv xfs rw", "/dev/sdb /srv xfs rw,nofail"),
        ("/dev/sda3 none swap sw 0 0", "/dev/sda3 none swap sw,nofail 0 0"),
        ("/dev/sdb1 /usr xfs rw 0 2", "/dev/sdb1 /usr xfs rw 0 2"),
        ("/dev/sdb1 /srv xfs rw,noauto 0 2", "/dev/sdb1 /srv xfs rw,noauto 0 2"),
        ("/dev/sdb1 /srv xfs rw,nofail 0 2", "/dev/sdb1 /srv xfs rw,nofail 0 2"),
    ])
    func aDiskThatWasNotGivenCannotStopTheBoot(line: String, expected: String) throws {
        let (text, plan) = try fstab("/dev/sda1 / ext4 defaults 0 1\n\(line)\n")
        #expect(text == "UUID=root-uuid / ext4 defaults 0 1\n\(expected)\n")
        #expect(plan.findings.count == 1)
        let isTolerated = line.contains("noauto") || line.contains("nofail")
        #expect(plan.findings.first?.level == (isTolerated ? .note : .warning))
        #expect(plan.findings.first?.message.contains("was not given") == true)
        #expect(plan.formerSettings.contains { $0.values["was"] == [line] } == (line != expected))
    }

    @Test func severalDisksAndANameThatDoesNotTellWhich() throws {
        let path = "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0-part1"
        let (text, plan) = try fstab(
            "/dev/sda1 / ext4 rw 0 1\n\(path) /srv auto rw 0 2\n", fileSystems: two, partitions: [[1, 2, 5], [1]])
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\n\(path) /srv auto rw,nofail 0 2\n")
        #expect(plan.warnings.count == 1)
    }

    @Test func severalDisksAndTheOnlyPartitionThatHoldsWhatIsWanted() throws {
        let path = "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0-part1"
        let (text, plan) = try fstab(
            "/dev/sda1 / ext4 rw 0 1\n\(path) /srv xfs rw 0 2\n", fileSystems: two, partitions: [[1, 2, 5], [1]])
        #expect(text.hasSuffix("UUID=data-uuid /srv xfs rw 0 2\n"))
        #expect(plan.warnings.isEmpty)
    }

    @Test func theRootsOwnSerialNumberTellsItsDisk() throws {
        let id = "/dev/disk/by-id/scsi-36000c29f3a2b1c0d"
        let (text, _) = try fstab(
            "\(id)-part1 / ext4 rw 0 1\n\(id)-part5 none swap sw 0 0\n", fileSystems: two,
            partitions: [[1, 2, 5], [1]])
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\nUUID=swap-uuid none swap sw 0 0\n")
    }

    @Test(arguments: [
        ("UUID=gone /srv xfs rw 0 2", "UUID=gone /srv xfs rw,nofail 0 2"),
        ("/dev/disk/by-uuid/gone /srv xfs rw 0 2", "/dev/disk/by-uuid/gone /srv xfs rw,nofail 0 2"),
        ("LABEL=gone none swap sw 0 0", "LABEL=gone none swap sw,nofail 0 0"),
        ("UUID=gone /srv xfs nofail 0 2", "UUID=gone /srv xfs nofail 0 2"),
        ("UUID=ROOT-UUID /mnt xfs rw 0 2", "UUID=ROOT-UUID /mnt xfs rw 0 2"),
        ("PARTUUID=0badcafe-05 /mnt xfs rw 0 2", "PARTUUID=0badcafe-05 /mnt xfs rw 0 2"),
        ("LABEL=\"two words\" /mnt xfs rw 0 2", "LABEL=\"two words\" /mnt xfs rw 0 2"),
    ])
    func aFileSystemThatIsNowhereCannotStopTheBoot(line: String, expected: String) throws {
        let (text, plan) = try fstab("UUID=root-uuid / ext4 rw 0 1\n\(line)\n")
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\n\(expected)\n")
        #expect(plan.warnings.count == (line == expected ? 0 : 1))
    }

    @Test func anEncryptedDiskWithoutAKeyMayHoldWhatIsMissing() throws {
        let locked = DeviceNamesGuest.single + [FileSystem(device: "/dev/sdb1", type: "crypto_LUKS", uuid: "luks")]
        let before = "UUID=root-uuid / ext4 rw 0 1\nUUID=inside /srv xfs rw 0 2\n"
        #expect(try fstab(before, fileSystems: locked, partitions: [[1, 2, 5], [1]]).text == before)
    }

    @Test func theRootIsKnownWhateverItsName() throws {
        let path = "/dev/disk/by-id/wwn-0x6000c29f6a0a3c3b-part1"
        let (text, plan) = try fstab("\(path) / ext4 rw 0 1\n", fileSystems: two, partitions: [[1, 2, 5], [1]])
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\n")
        #expect(plan.findings.isEmpty)
    }

    @Test func theRootTellsTheOrderOfTheDisks() throws {
        let (text, plan) = try fstab(
            "/dev/sdb1 / ext4 rw 0 1\n/dev/sdb5 none swap sw 0 0\n/dev/sda1 /srv xfs rw 0 2\n", fileSystems: two,
            partitions: [[1, 2, 5], [1]])
        #expect(
            text == "UUID=root-uuid / ext4 rw 0 1\nUUID=swap-uuid none swap sw 0 0\nUUID=data-uuid /srv xfs rw 0 2\n")
        #expect(plan.findings.isEmpty)
    }

    @Test func anAbsentDiskIsNotTakenForTheRootsTheNextTime() throws {
        let (text, plan) = try fstab("/dev/sdb1 / ext4 rw 0 1\n/dev/sda1 /srv ext4 rw 0 2\n")
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\n/dev/vdb1 /srv ext4 rw,nofail 0 2\n")
        #expect(plan.warnings.count == 1)
    }

    @Test func twoNamesForOnePartitionAreNotBothRight() throws {
        let (text, plan) = try fstab("/dev/sda1 / ext4 rw 0 1\n/dev/nvme0n1p1 /srv ext4 rw 0 2\n")
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\n/dev/nvme0n1p1 /srv ext4 rw,nofail 0 2\n")
        #expect(plan.warnings.count == 1)
    }

    @Test func aPartitionWithOtherContentIsNotTheOne() throws {
        let (text, plan) = try fstab("UUID=root-uuid / ext4 rw 0 1\n/dev/sda5 /srv xfs rw 0 2\n")
        #expect(text == "UUID=root-uuid / ext4 rw 0 1\n/dev/sda5 /srv xfs rw,nofail 0 2\n")
        #expect(plan.warnings.first?.message.contains("it holds 'swap'") == true)
    }

    @Test func subvolumesShareADevice() throws {
        let systems = [FileSystem(device: "/dev/sda1", type: "btrfs", uuid: "b")]
        let (text, plan) = try fstab(
            "/dev/sda1 / btrfs subvol=@ 0 0\n/dev/sda1 /home btrfs subvol=@home 0 0\n", fileSystems: systems)
        #expect(text == "UUID=b / btrfs subvol=@ 0 0\nUUID=b /home btrfs subvol=@home 0 0\n")
        #expect(plan.findings.isEmpty)
    }

    @Test func aDeviceAmongTheOptionsBecomesAPath() throws {
        let systems =
            DeviceNamesGuest.single + [
                FileSystem(device: "/dev/sdb1", type: "xfs_external_log", partitionUUID: "0badcafd-01")
            ]
        let (text, _) = try fstab(
            "/dev/sda1 / ext4 rw,logdev=/dev/sdb1,x=1 0 1\n", fileSystems: systems, partitions: [[1, 2, 5], [1]])
        #expect(text == "UUID=root-uuid / ext4 rw,logdev=/dev/disk/by-partuuid/0badcafd-01,x=1 0 1\n")
    }

    @Test func withoutAUUIDThePartitionsOwnIsUsed() throws {
        let systems = [
            FileSystem(device: "/dev/sda1", type: "ext4"), FileSystem(device: "/dev/sda5", type: "swap"),
        ]
        let (text, plan) = try fstab("/dev/sda1 / ext4 rw 0 1\n/dev/sda5 none swap sw 0 0\n", fileSystems: systems)
        #expect(text == "PARTUUID=0badcafe-01 / ext4 rw 0 1\nPARTUUID=0badcafe-05 none swap sw 0 0\n")
        #expect(plan.findings.isEmpty)
    }

    @Test func withoutAnyIdentifierTheNewNameIsUsed() throws {
        let systems = [FileSystem(device: "/dev/sda", type: "ext4")]
        let (text, plan) = try fstab(
            "/dev/sda / ext4 rw 0 1\n", fileSystems: systems, root: "/dev/sda", partitions: [[]])
        #expect(text == "/dev/vda / ext4 rw 0 1\n")
        #expect(plan.warnings.count == 1)
    }

    @Test func copiesWithOneUUIDAreToldApartByTheirPartition() throws {
        let systems = [
            FileSystem(device: "/dev/sda1", type: "ext4", uuid: "same", partitionUUID: "p1"),
            FileSystem(device: "/dev/sda5", type: "ext4", uuid: "same", partitionUUID: "p5"),
        ]
        let (text, _) = try fstab("/dev/sda1 / ext4 rw 0 1\n/dev/sda5 /copy ext4 rw 0 1\n", fileSystems: systems)
        #expect(text == "PARTUUID=p1 / ext4 rw 0 1\nPARTUUID=p5 /copy ext4 rw 0 1\n")
    }

    @Test func anIdentifierWithASyntaxOfItsOwnIsNotWritten() throws {
        let systems = [FileSystem(device: "/dev/sda1", type: "ext4", uuid: "x /\n", partitionUUID: "0badcafe-01")]
        let (text, _) = try fstab("/dev/sda1 / ext4 rw 0 1\n", fileSystems: systems)
        #expect(text == "PARTUUID=0badcafe-01 / ext4 rw 0 1\n")
    }

    @Test(arguments: [
        (Firmware.bios, "UUID=AB-12 /boot/efi vfat umask=0077,nofail 0 1\n"),
        (Firmware.uefi, "UUID=AB-12 /boot/efi vfat umask=0077 0 1\n"),
    ])
    func theEFIPartitionIsOptionalForBIOS(firmware: Firmware, expected: String) throws {
        var guest = DeviceNamesGuest(["/etc/fstab": "UUID=AB-12 /boot/efi vfat umask=0077 0 1\n"])
        guest.injector = DeviceNames(diskPrefix: "vd", firmware: firmware)
        try guest.convert()
        #expect(try guest.text("/etc/fstab") == expected)
    }

    @Test func virtioSCSIKeepsSDNamesThatHaveNothingBetter() throws {
        var guest = DeviceNamesGuest(
            ["/etc/fstab": "/dev/sda / ext4 rw 0 1\n"], fileSystems: [FileSystem(device: "/dev/sda", type: "ext4")],
            root: "/dev/sda", partitions: [[]])
        guest.injector = DeviceNames(diskPrefix: "sd", firmware: .both)
        #expect(try guest.convert() == Plan())
    }

    // MARK: Hostile files

    @Test func bytesThatAreNoTextSurvive() throws {
        let guest = DeviceNamesGuest([:])
        let before: [UInt8] = [0xFF, 0x00, 0x0A, 0x23, 0xFE, 0x0A]
        let line = Array("/dev/sda1 / ext4 rw 0 1\n".utf8)
        guest.files.put("/etc/fstab", before + line + [0x00, 0x09, 0xFF, 0x09, 0x5C, 0x33])
        try guest.convert()
        #expect(
            try guest.files.read("/etc/fstab")
                == before + Array("UUID=root-uuid / ext4 rw 0 1\n".utf8) + [0x00, 0x09, 0xFF, 0x09, 0x5C, 0x33])
    }

    @Test func aHugeFileIsLeftAlone() throws {
        let guest = DeviceNamesGuest(["/etc/fstab": String(repeating: "/dev/sda1 / ext4 rw 0 1\n", count: 20_000)])
        let plan = try guest.convert()
        #expect(plan.isEmpty)
        #expect(plan.warnings.count == 1)
    }

    @Test func longLinesAndOddNamesDoNoHarm() throws {
        let long = String(repeating: "x", count: 100_000)
        let before = [
            "/dev/sda\(long) /a ext4 rw 0 0", "/dev/sda99999999999999999999 /b ext4 rw 0 0", "/dev/sd /c ext4 rw 0 0",
            "/dev/sda0 /d ext4 rw 0 0", "/dev/sda01 /e ext4 rw 0 0", "/dev/nvme0n1p /f ext4 rw 0 0",
            "/dev/nvmen /g ext4 rw 0 0", "/dev/ /h ext4 rw 0 0", "/dev/nvme0n1p1p1 /i ext4 rw", "\\",
            "\\0 \\04 \\999 \\777",
        ].joined(separator: "\n")
        let (text, _) = try fstab(before)
        #expect(text == before)
    }

    @Test func aFolderInTheFilesPlaceIsIgnored() throws {
        let guest = DeviceNamesGuest([:])
        guest.files.folder("/etc/fstab")
        #expect(try guest.convert() == Plan())
    }

    @Test func aTableFullOfAbsentDisksIsReadInReasonableTime() throws {
        let lines = (1...550).map { "/dev/sd\(GuestDisk.letters($0))1 /a x" }
        let (text, plan) = try fstab(lines.joined(separator: "\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.hasSuffix(" nofail") })
        #expect(plan.warnings.count == 500)
    }
}
