import Guest
import GuestTesting
import Testing

@testable import Injectors

/// A guest that is to start by UEFI: a disk of which little is in memory, and its files, the EFI system partition's
/// below /boot/efi.
final class UEFITarget {
    static let rootID = "aaaaaaaa-0000-0000-0000-000000000001"
    let files = MemoryGuest([
        "/boot/grub/grub.cfg": "menuentry 'Debian' {\n}\n", "/etc/fstab": "UUID=\(rootID) / ext4 rw 0 1",
        "/boot/config-6.1": "CONFIG_X86_64=y\nCONFIG_EFI=y\n",
    ])
    let disk: SparseDisk
    var inspection: Inspection

    static let kernel = Kernel(
        version: "6.1", image: "/boot/vmlinuz-6.1", initramfs: nil, modules: "/usr/lib/modules/6.1")

    /// A BIOS guest with an MBR.
    /// - Parameters:
    ///   - partitions: type, first sector, count.
    ///   - sectors: of the disk.
    init(mbr partitions: [(UInt8, UInt32, UInt32)], sectors: UInt64) {
        var boot = [UInt8](repeating: 0, count: 512)
        boot[0] = 0xEB
        boot.replaceSubrange(0x1B8..<0x1BC, with: [0xDE, 0xC0, 0xAD, 0x0B])
        boot[510] = 0x55
        boot[511] = 0xAA
        for (place, partition) in partitions.enumerated() {
            boot = MBR.adding(
                MBR.Entry(type: partition.0, firstSector: partition.1, sectorCount: partition.2), at: place, to: boot)
        }
        disk = SparseDisk(sectors: sectors)
        disk.write(0, boot)
        inspection = Self.inspection(sectors, MBR(sector: boot).map { .mbr($0) } ?? .none, hasBootCode: true)
    }

    init(gpt entries: [GPT.Entry], sectors: UInt64, tableSectors: UInt64? = nil, hasBootCode: Bool = true) {
        let table = GPT(diskSectors: tableSectors ?? sectors, entries)
        disk = SparseDisk(sectors: sectors)
        disk.write(0, table.firstSectors)
        for edit in table.edits(disk: 0) { disk.write(edit.firstSector, edit.bytes) }
        inspection = Self.inspection(sectors, .gpt(table), hasBootCode: hasBootCode)
    }

    private static func inspection(_ sectors: UInt64, _ table: PartitionTable, hasBootCode: Bool) -> Inspection {
        .sample(
            kernels: [kernel],
            disks: [
                GuestDisk(index: 0, device: "/dev/sda", size: sectors * 512, table: table, hasBootCode: hasBootCode)
            ], fileSystems: [FileSystem(device: "/dev/sda2", type: "ext4", uuid: rootID)],
            mounts: [Mount(path: "/", device: "/dev/sda2", type: "ext4", free: 1 << 30)],
            bootLoader: .grub2(configuration: "/boot/grub/grub.cfg", prefix: "/boot/grub"),
            firmware: hasBootCode ? .bios : .uefi)
    }

    /// A UEFI guest with its EFI system partition mounted.
    static func withSystemPartition(_ names: [String: [UInt8]] = [:]) -> UEFITarget {
        let guest = UEFITarget(
            gpt: [
                GPT.Entry(
                    number: 1, type: GPT.efiSystem, id: GPT.linuxData, firstSector: 2048, lastSector: 1_050_623,
                    name: ""),
                GPT.Entry(
                    number: 2, type: GPT.linuxData, id: GPT.linuxData, firstSector: 1_050_624, lastSector: 20_000_000,
                    name: ""),
            ], sectors: 20_971_520, hasBootCode: false)
        guest.mountSystemPartition("/dev/sda1")
        for (name, bytes) in names {
            guest.files.put(GuestPath("/boot/efi/EFI").appending(name), bytes, permissions: 0o755)
        }
        return guest
    }

    func mountSystemPartition(_ device: String) {
        inspection.fileSystems.append(FileSystem(device: device, type: "vfat", uuid: "AAAA-0001"))
        inspection.mounts.append(Mount(path: "/boot/efi", device: device, type: "vfat", free: 1 << 28))
        files.folder("/boot/efi")
    }

    static let grub = UEFIGrub(
        modules: [
            "normal.mod": [1, 2], "linux16.mod": [3],
            "command.lst": Array("*initrd16: linux16\nlinux: linux\nlinux16: linux16\n\0".utf8),
        ]
    ) { modules, prefix in
        program("GRUB \(prefix) \(modules.joined(separator: " "))")
    }

    func plan(_ extent: UEFIBoot.Extent = .bootLoader, grub: UEFIGrub? = grub) throws -> Plan {
        var draft = Draft(over: files, disks: disk)
        let injector = UEFIBoot(firmware: .uefi, extent: extent, grub: grub)
        draft.injector = injector.name
        try injector.inject(into: &draft, guest: inspection)
        return try draft.plan()
    }

    /// Plans, applies, sees what is on the disk now, and expects that a second plan is empty.
    @discardableResult
    func convert(
        _ extent: UEFIBoot.Extent = .bootLoader, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Plan {
        let first = try plan(extent)
        try #require(first.blockers.isEmpty, "\(first.blockers)", sourceLocation: sourceLocation)
        try files.apply(Plan(items: first.items.filter { $0.change.kind != "sectors" })) { _ in }
        for case .disk(let edit) in first.items.map(\.change) { disk.write(edit.firstSector, edit.bytes) }
        let start = try disk.sectors(disk: 0, first: 0, count: 40)
        if let table = try? GPT(sectors: start) {
            inspection.disks[0].table = .gpt(table)
        } else if let table = MBR(sector: Array(start[..<512])) {
            inspection.disks[0].table = .mbr(table)
        }
        if UEFISystemPartition(of: inspection) == nil, let device = inspection.disks[0].systemPartitions.first {
            mountSystemPartition(device)
            files.put("/boot/efi/EFI/BOOT/BOOTX64.EFI", Self.program("GRUB"), permissions: 0o755)
        }
        let second = try plan(extent)
        #expect(second.isEmpty, "the second plan: \(second.items.map(\.change))", sourceLocation: sourceLocation)
        return first
    }

    /// What starts a program for UEFI.
    static func program(_ text: String = "", machine: UInt16 = 0x8664, says wide: [String] = []) -> [UInt8] {
        Array("MZ".utf8) + [UInt8](repeating: 0, count: 58) + [64, 0, 0, 0] + Array("PE".utf8) + [0, 0]
            + LittleEndian.bytes(machine) + Array(text.utf8) + [0]
            + wide.flatMap { $0.utf16.flatMap { LittleEndian.bytes($0) } + [0, 0] }
    }
}
