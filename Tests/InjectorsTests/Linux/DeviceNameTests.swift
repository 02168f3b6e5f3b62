import Guest
import Testing

@testable import Injectors

struct DeviceNameTests {
    @Test(arguments: [
        ("/dev/sda", DeviceName.Kind.ordered(bus: "sd", disk: 0, partition: nil)),
        ("/dev/sdz15", .ordered(bus: "sd", disk: 25, partition: 15)),
        ("/dev/sdaa1", .ordered(bus: "sd", disk: 26, partition: 1)),
        ("/dev/sdzz1", .ordered(bus: "sd", disk: 701, partition: 1)),
        ("/dev/sdaaa", .ordered(bus: "sd", disk: 702, partition: nil)),
        ("/dev/xvdb2", .ordered(bus: "xvd", disk: 1, partition: 2)),
        ("/dev/nvme1n1", .ordered(bus: "nvme", disk: 1, partition: nil)),
        ("/dev/nvme10n1p12", .ordered(bus: "nvme", disk: 10, partition: 12)),
        ("/dev/nvme0n2p1", .hardware(partition: 1)),
        ("/dev/disk/by-id/nvme-VMware_Virtual_NVMe_Disk_VMware_NVME_0000-part2", .hardware(partition: 2)),
        ("/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:0:0", .hardware(partition: nil)),
    ])
    func names(text: String, kind: DeviceName.Kind) {
        #expect(DeviceName(text)?.kind == kind)
    }

    @Test(arguments: [
        "sda1", "/dev/sd", "/dev/sdA1", "/dev/sda1x", "/dev/sda-1", "/dev/sda256", "/dev/sr0", "/dev/md0",
        "/dev/mapper/sda1",
        "/dev/disk/by-id/lvm-pv-uuid-x", "/dev/disk/by-id/md-uuid-x", "/dev/nvme0", "/dev/nvme0n1p1p1", "/dev/sdé1", "",
    ])
    func otherNames(text: String) {
        #expect(DeviceName(text) == nil)
    }

    @Test(arguments: [0, 1, 25, 26, 51, 52, 701, 702, 18277])
    func lettersAndIndexesMatch(index: Int) {
        #expect(
            DeviceName("/dev/vd\(GuestDisk.letters(index))")?.kind == .ordered(bus: "vd", disk: index, partition: nil))
    }
}
