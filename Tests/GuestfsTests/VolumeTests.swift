import Foundation
import Guest
import GuestTesting
import Guestfs
import Host
import Testing

/// Arrays, encrypted devices and subvolumes that are real. `REHOST_TEST_APPLIANCE=1` asks for it.
@Suite(
    .enabled(
        if: ProcessInfo.processInfo.environment["REHOST_TEST_APPLIANCE"] == "1", "REHOST_TEST_APPLIANCE=1 is not set"),
    .enabled(if: HostTool("guestfish").isInstalled, "libguestfs-tools is not installed"))
struct VolumeTests {
    /// A mirror on two disks, and a third disk with two encrypted partitions, a btrfs and half of a volume group.
    private func makeDisks(in scratch: ScratchFolder, key: [UInt8]) throws -> [String] {
        let files = ["a", "b", "c", "d"].map { scratch.file($0) }
        for (file, size) in zip(files, [128, 128, 512, 64]) {
            try Data().write(to: URL(fileURLWithPath: file))
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
            try handle.truncate(atOffset: UInt64(size) << 20)
            try handle.close()
        }
        try scratch.write("key", key)
        let luks = "cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000"
        let script =
            """
            set-backend direct
            set-backend-settings force_tcg
            \(files.map { "add-drive \($0) format:raw" }.joined(separator: "\n"))
            launch
            part-disk /dev/sda mbr
            part-disk /dev/sdb mbr
            debug sh "modprobe raid1; mdadm --create /dev/md0 --metadata=1.2 --homehost=web01 --name=root --level=1 --raid-devices=2 --assume-clean --run /dev/sda1 /dev/sdb1; mkfs.ext4 -q /dev/md0; mdadm --stop /dev/md0"
            part-init /dev/sdc gpt
            part-add /dev/sdc p 2048 133119
            part-add /dev/sdc p 133120 264191
            part-add /dev/sdc p 264192 526335
            part-add /dev/sdc p 526336 -34
            debug sh "modprobe dm-crypt"
            debug-upload \(scratch.file("key")) /tmp/key 0600
            debug sh "\(luks) /dev/sdc1 /tmp/key"
            debug sh "echo -n geheim | \(luks) /dev/sdc2 -"
            mkfs btrfs /dev/sdc3
            mount-options "" /dev/sdc3 /
            btrfs-subvolume-create /@
            mkdir-p /@/.snapshots/1
            btrfs-subvolume-create /@/.snapshots/1/snapshot
            btrfs-subvolume-set-default 257 /
            umount /
            pvcreate /dev/sdc4
            pvcreate /dev/sdd
            vgcreate half "/dev/sdc4 /dev/sdd"
            lvcreate all half 80
            """
        _ = try HostTool("guestfish").output([], input: Array((script + "\n").utf8))
        return files
    }

    private func withAppliance<Result: Sendable>(
        _ files: [String], _ body: @Sendable (ApplianceGuest) throws -> Result
    ) async throws -> Result {
        let work = try ScratchFolder()
        let appliance = Appliance(memory: .passphrases)
        try await appliance.launch(
            disks: files.map { ApplianceDisk(path: $0, format: "raw", access: .readOnly) },
            accelerator: AcceleratorProbe.run().accelerator, scratch: work.path
        ) { _ in }
        let result = try await appliance.run(body)
        try await appliance.shutDown()
        return result
    }

    @Test func allOfThem() async throws {
        let scratch = try ScratchFolder()
        // With zeros and a closing newline, which no C string and no passphrase prompt could carry.
        let key = (0..<63).map { UInt8(truncatingIfNeeded: $0 &* 41) } + [0x0A]
        let files = try makeDisks(in: scratch, key: key)

        let (sets, subvolumes, opened, systems) = try await withAppliance(files) { guest in
            let sets = try guest.volumeSets()
            let subvolumes = try guest.subvolumes(on: "/dev/sdc3")
            #expect(throws: GuestfsError.self) { try guest.unlock("/dev/sdc1", key: [1, 0, 2]) }
            let opened = [
                try guest.unlock("/dev/sdc1", key: key), try guest.unlock("/dev/sdc2", key: Array("geheim".utf8)),
            ]
            return (sets, subvolumes, opened, try guest.fileSystems())
        }
        let array = sets.first { $0.kind == .array }
        #expect(array?.name == "web01:root")
        #expect(array?.members == ["/dev/sda1", "/dev/sdb1"])
        #expect(array?.missing == [])
        #expect(systems.contains { $0.device == array?.device && $0.type == "ext4" })
        let group = sets.first { $0.kind == .volumeGroup }
        #expect(group?.name == "half" && group?.members == ["/dev/sdc4", "/dev/sdd"] && group?.missing == [])
        #expect(subvolumes.map(\.path) == ["@", "@/.snapshots/1/snapshot"])
        #expect(subvolumes.map(\.isDefault) == [false, true])
        #expect(opened == ["/dev/mapper/rehost-sdc1", "/dev/mapper/rehost-sdc2"])

        // Without the mirror's other half, and without a physical volume.
        let lacking = try await withAppliance([files[0], files[2]]) { try $0.volumeSets() }
        let half = lacking.first { $0.kind == .array }
        #expect(half?.members == ["/dev/sda1"])
        #expect(half?.missing.isEmpty == false && half?.isKnownIncomplete == false, "\(lacking)")
        let rest = lacking.first { $0.kind == .volumeGroup }
        #expect(rest?.missing.count == 1 && rest?.members == ["/dev/sdb4"], "\(lacking)")
    }
}
