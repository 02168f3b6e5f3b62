import Guest
import GuestTesting
import Testing

@testable import Injectors

struct ArrayTests {
    private func convert(_ text: String, path: GuestPath = "/etc/mdadm/mdadm.conf") throws -> (text: String?, Plan) {
        let guest = DeviceNamesGuest([path: text])
        let plan = try guest.convert()
        return (try guest.text(path), plan)
    }

    @Test(arguments: [
        ("DEVICE /dev/sda* /dev/sdb*\n", "DEVICE partitions\n"), ("DEVICE partitions\n", "DEVICE partitions\n"),
        ("DEVICE partitions /dev/sdc\n", "DEVICE partitions /dev/sdc\n"), ("dev /dev/sd*[0-9]\n", "dev partitions\n"),
        ("DEVICE /dev/mapper/x /dev/sda1 containers\n", "DEVICE /dev/mapper/x partitions containers\n"),
        ("# DEVICE /dev/sda1\n", "# DEVICE /dev/sda1\n"), ("MAILADDR /dev/sda1\n", "MAILADDR /dev/sda1\n"),
        ("ARRAY /dev/md0 UUID=1:2:3:4 devices=/dev/sda1,/dev/sdb1\n", "ARRAY /dev/md0 UUID=1:2:3:4\n"),
        ("ARRAY /dev/md0 UUID=1:2:3:4\n", "ARRAY /dev/md0 UUID=1:2:3:4\n"),
        // Nothing else says which array it is.
        ("ARRAY /dev/md0 devices=/dev/sda1,/dev/sdb1\n", "ARRAY /dev/md0 devices=/dev/sda1,/dev/sdb1\n"),
        (
            "ARRAY /dev/md0\n  UUID=1:2:3:4\n  devices=/dev/sda1 level=raid1\n",
            "ARRAY /dev/md0\n  UUID=1:2:3:4\n  level=raid1\n"
        ),
        ("ARRAY /dev/md0 super-minor=0 devices=/dev/sda1\n", "ARRAY /dev/md0 super-minor=0\n"),
    ])
    func lines(before: String, after: String) throws {
        for path: GuestPath in ["/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"] {
            let (text, plan) = try convert(before, path: path)
            #expect(text == after)
            #expect(plan.formerSettings.isEmpty == (before == after))
        }
    }

    @Test func aLineThatGoesOn() throws {
        let (text, _) = try convert("DEVICE /dev/md*\n  /dev/sda1\nHOMEHOST x\n")
        #expect(text == "DEVICE /dev/md*\n  partitions\nHOMEHOST x\n")
    }

    @Test func devicesFileOfLVMIsWrittenAnewByPhysicalVolumes() throws {
        let systems = [
            FileSystem(device: "/dev/sda1", type: "ext4", uuid: "boot-uuid"),
            FileSystem(device: "/dev/sda5", type: "LVM2_member", uuid: "abcdef-0123-4567-89ab-cdef-0123-456789"),
        ]
        let id = "abcdef0123456789abcdef0123456789"
        let guest = DeviceNamesGuest(
            [
                "/etc/lvm/devices/system.devices":
                    "VERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.6000c29 DEVNAME=/dev/sda5 PVID=\(id) PART=5\n"
                    + "IDTYPE=sys_wwid IDNAME=naa.6000c30 DEVNAME=/dev/sdb PVID=elsewhere\n"
                    + "IDTYPE=md_uuid IDNAME=x DEVNAME=/dev/md0 PVID=y\n"
            ], fileSystems: systems, root: "/dev/vg/root")
        let plan = try guest.convert()
        #expect(
            try guest.text("/etc/lvm/devices/system.devices")
                == "VERSION=1.1.2\nIDTYPE=devname IDNAME=/dev/vda5 DEVNAME=/dev/vda5 PVID=\(id) PART=5\n"
                + "IDTYPE=sys_wwid IDNAME=naa.6000c30 DEVNAME=/dev/sdb PVID=elsewhere\n"
                + "IDTYPE=md_uuid IDNAME=x DEVNAME=/dev/md0 PVID=y\n")
        #expect(plan.formerSettings.count == 1)
    }

    // MARK: Mount units

    @Test(arguments: [
        ("What=/dev/sda1\n", "What=/dev/disk/by-partuuid/0badcafe-01\n"), ("What=UUID=x\n", "What=UUID=x\n"),
        ("What=/dev/disk/by-uuid/x\n", "What=/dev/disk/by-uuid/x\n"), ("Where=/dev/sda1\n", "Where=/dev/sda1\n"),
        ("What=/dev/sdq1\n", "What=/dev/sdq1\n"), ("What=/dev/sda5\n", "What=/dev/sda5\n"),
    ])
    func mountUnits(before: String, after: String) throws {
        let path: GuestPath = "/etc/systemd/system/srv.mount"
        let guest = DeviceNamesGuest([path: "[Mount]\n\(before)Type=ext4\n"])
        let plan = try guest.convert()
        #expect(try guest.text(path) == "[Mount]\n\(after)Type=ext4\n")
        #expect(plan.warnings.count == (before.contains("sdq") || before.contains("sda5") ? 1 : 0))
    }

    @Test func aSwapUnitIsNamedByItsDevice() throws {
        let guest = DeviceNamesGuest(["/etc/systemd/system/dev-sda5.swap": "[Swap]\nWhat=/dev/sda5\n"])
        let plan = try guest.convert()
        #expect(plan.isEmpty && plan.warnings.count == 1)
    }

    // MARK: Anything

    /// Whatever a configuration file holds, nothing traps, and a second conversion finds nothing to do.
    @Test(arguments: [
        ("/etc/fstab", "/dev/sda1 / ext4 errors=remount-ro 0 1\nUUID=\"a b\" /srv xfs defaults,x=/dev/sdb1 0 2\n"),
        ("/etc/crypttab", "a /dev/sda5 none luks,header=/dev/sdb1\nb UUID=x /key:/dev/sda1 tpm2-device=auto\n"),
        ("/etc/lvm/lvm.conf", "devices {\n filter = [ \"a|/dev/sda.*|\", \"r|.*|\" ]\n}\n"),
        ("/etc/mdadm/mdadm.conf", "DEVICE /dev/sd*\nARRAY /dev/md0 UUID=1:2\n  devices=/dev/sda1,/dev/sdb1\n"),
        ("/etc/lvm/devices/system.devices", "IDTYPE=sys_wwid IDNAME=naa.6 DEVNAME=/dev/sda2 PVID=x PART=2\n"),
        ("/etc/systemd/system/a.mount", "[Mount]\nWhat=/dev/sda1\nWhere=/a\nType=ext4\n"),
    ])
    func mutations(path: String, sample: String) throws {
        var random = Seeded(UInt64(path.utf8.count))
        for _ in 0..<250 {
            var bytes = Array(sample.utf8)
            for _ in 0..<Int.random(in: 1..<8, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(contentsOf: bytes[at...].prefix(12), at: at)
                default: bytes.insert("\"=|,[]# \n\t/\\".utf8.randomElement(using: &random) ?? 0, at: at)
                }
            }
            let guest = DeviceNamesGuest([:])
            guest.files.put(GuestPath(path), bytes)
            try guest.convert()
        }
    }

    @Test(.timeLimit(.minutes(1))) func tenThousandLines() throws {
        let line = "/dev/sdb%d /srv/%d xfs defaults 0 2\n"
        let text = (0..<2000).map { line.replacing("%d", with: "\($0)") }.joined()
        let guest = DeviceNamesGuest(["/etc/fstab": "/dev/sda1 / ext4 rw 0 1\n" + text])
        #expect(try guest.convert().findings.count <= 501)
        let huge = DeviceNamesGuest(["/etc/fstab": (0..<10_000).map { _ in line }.joined()])
        #expect(try huge.convert().warnings.count == 1)
    }
}
