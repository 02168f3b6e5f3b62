import Guest
import GuestTesting
import Testing

@testable import Injectors

struct CrypttabTests {
    private let systems = [
        FileSystem(device: "/dev/sda1", type: "ext4", uuid: "boot-uuid", partitionUUID: "p1"),
        FileSystem(device: "/dev/sda3", type: "crypto_LUKS", uuid: "luks-uuid", partitionUUID: "p3"),
        FileSystem(device: "/dev/sda5", type: "swap", uuid: "swap-uuid", partitionUUID: "p5"),
    ]

    private func convert(_ crypttab: String, fstab: String = "") throws -> (crypttab: String, fstab: String, plan: Plan)
    {
        let guest = DeviceNamesGuest(
            ["/etc/crypttab": crypttab, "/etc/fstab": fstab], fileSystems: systems, root: "/dev/mapper/root",
            partitions: [[1, 2, 3, 5]])
        let plan = try guest.convert()
        return (try guest.text("/etc/crypttab") ?? "", try guest.text("/etc/fstab") ?? "", plan)
    }

    @Test(arguments: [
        ("root /dev/sda3 none luks\n", "root UUID=luks-uuid none luks\n"),
        ("root\t/dev/sda3   none  luks,discard\n", "root\tUUID=luks-uuid   none  luks,discard\n"),
        ("root /dev/sda3\n", "root UUID=luks-uuid\n"),
        ("root UUID=luks-uuid none luks\n", "root UUID=luks-uuid none luks\n"),
        ("root /dev/vg/crypt none luks\n", "root /dev/vg/crypt none luks\n"),
        // What has no header has no UUID that lasts.
        ("plain /dev/sda4 /etc/key plain\n", "plain /dev/sda4 /etc/key plain,nofail\n"),
        ("cswap /dev/sda5 /dev/urandom swap\n", "cswap /dev/disk/by-partuuid/p5 /dev/urandom swap\n"),
        ("cswap /dev/sda6 /dev/urandom swap\n", "cswap /dev/disk/by-partuuid/0badcafe-06 /dev/urandom swap\n"),
        // A key on another file system, a header on another partition.
        ("root /dev/sda3 /key:/dev/sda1 luks\n", "root UUID=luks-uuid /key:/dev/disk/by-partuuid/p1 luks\n"),
        ("root /dev/sda3 none header=/dev/sda1\n", "root UUID=luks-uuid none header=/dev/disk/by-partuuid/p1\n"),
    ])
    func sources(before: String, after: String) throws {
        #expect(try convert(before).crypttab == after)
    }

    @Test func aVolumeThatEveryBootOverwritesIsNeverGuessed() throws {
        let (text, _, plan) = try convert("cswap /dev/sda1 /dev/urandom swap\n")
        #expect(text == "cswap /dev/sda1 /dev/urandom swap,nofail\n")
        #expect(plan.warnings.first?.message.contains("it holds 'ext4'") == true)
    }

    @Test func whatIsOnAnAbsentVolumeCannotStopTheBoot() throws {
        let (text, fstab, plan) = try convert(
            "data /dev/sdb1 none\nroot /dev/sda3 none\nold /dev/sdc1\n",
            fstab: "/dev/mapper/root / ext4 rw 0 1\n/dev/mapper/data /srv xfs rw 0 2\n")
        #expect(text == "data /dev/sdb1 none nofail\nroot UUID=luks-uuid none\nold /dev/sdc1 none nofail\n")
        #expect(fstab == "/dev/mapper/root / ext4 rw 0 1\n/dev/mapper/data /srv xfs rw,nofail 0 2\n")
        #expect(plan.warnings.count == 3)
    }
}
