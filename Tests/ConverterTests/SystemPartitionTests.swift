import Guest
import GuestTesting
import Testing

@testable import Converter

/// Where a guest's EFI system partition is mounted for a result that starts by UEFI.
struct SystemPartitionTests {
    private typealias Volume = FakeMachine.Volume

    /// A disk whose first partition is one.
    private func machine(_ root: MemoryGuest, failure: String? = nil) throws -> FakeMachine {
        let sector = MBR.adding(
            MBR.Entry(type: MBR.efiSystem, firstSector: 2048, sectorCount: 4096), at: 0,
            to: [UInt8](repeating: 0, count: 510) + [0x55, 0xAA])
        let disk = MemoryGuest()
        disk.contents.disks = [sector + [UInt8](repeating: 0, count: 300 * 512)]
        let machine = FakeMachine(disks: disk, sizes: [301 * 512])
        var system = Volume("/dev/sda1", "vfat", uuid: "A-1", MemoryGuest(["/EFI/debian/grubx64.efi": "MZ"]))
        system.failure = failure
        machine.volumes = [system, Volume("/dev/sda2", "ext4", uuid: "r", root)]
        return machine
    }

    private func open(_ machine: FakeMachine, isNeeded: Bool = true) throws -> OpenedGuest {
        var options = OpeningOptions()
        options.mountsSystemPartition = isNeeded
        return try Opening.open(machine, options: options)
    }

    private func place(_ root: MemoryGuest) throws -> GuestPath? {
        try open(machine(root)).mounts.first { $0.device == "/dev/sda1" }?.path
    }

    private let menu: [GuestPath: String] = ["/boot/grub/grub.cfg": "x"]

    @Test func whereFstabSays() throws {
        let root = debian(fstab: "UUID=A-1 /efi vfat rw 0 1\n", menu)
        root.folder("/efi")
        #expect(try place(root) == "/efi")
        #expect(try open(machine(root), isNeeded: false).mounts.count == 1)
    }

    @Test func whereFstabSaysNothing() throws {
        #expect(try place(debian(menu)) == "/boot/efi")
        // Never over files of the root's own.
        let taken = debian(["/boot/efi/EFI/old": "x", "/boot/grub/grub.cfg": "x"])
        #expect(try place(taken) == "/mnt")
        let linked = debian(menu)
        linked.contents.nodes["/boot/efi"] = nil
        linked.link("/boot/efi", to: "../../efi")
        linked.folder("/efi")
        #expect(try place(linked) == "/efi")
        let nowhere = debian(["/boot/efi/x": "", "/mnt/x": "", "/boot/grub/grub.cfg": "x"])
        #expect(try place(nowhere) == nil)
    }

    @Test func oneThatFailsIsAWarning() throws {
        let opened = try open(machine(debian(menu), failure: "wrong fs type\nand more"))
        #expect(opened.mounts.count == 1)
        #expect(opened.findings.map(\.level) == [.warning])
        #expect(opened.findings[0].message.hasSuffix("can't be mounted: wrong fs type; it is left as it is"))
    }
}

private func debian(_ files: [GuestPath: String]) -> MemoryGuest { debian(fstab: "", files) }
