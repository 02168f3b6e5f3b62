import Guest
import GuestTesting

@testable import Injectors

/// A Windows 10 in memory that starts by UEFI: Windows' own layout of a GPT, of which only the ends are in memory.
struct WindowsUEFIGuest {
    let windows = WindowsInstallation.sample(SampleWindows.windows10)
    let files = MemoryGuest(caseSensitivity: .insensitive)
    let disk: SparseDisk
    var inspection: Inspection
    var table: GPT

    static let basicData = GUID("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7")
    static let recovery = GUID("de94bba4-06d1-4d40-a16a-bfd50179d6ac")
    static let reserved = GUID("e3c9e316-0b5c-4db8-817d-f92df00215ae")
    static let system: GuestPath = "/System Volume Information"
    static let first: UInt64 = 239_616

    static func id(_ number: Int) -> GUID { GUID("10000000-2000-3000-4000-50000000000\(number)") }

    static func entry(_ number: Int, _ type: GUID, _ sectors: ClosedRange<UInt64>) -> GPT.Entry {
        GPT.Entry(
            number: number, type: type, id: id(number), firstSector: sectors.lowerBound, lastSector: sectors.upperBound,
            name: "")
    }

    static let usual = [
        entry(1, GPT.efiSystem, 2048...206_847), entry(2, reserved, 206_848...239_615),
        entry(3, basicData, first...10_000_383), entry(4, recovery, 10_000_384...11_000_831),
    ]

    init(_ entries: [GPT.Entry] = usual, sectors: UInt64 = 20_971_520, windowsOn number: Int = 3) {
        table = GPT(diskSectors: sectors, entries)
        disk = SparseDisk(sectors: sectors)
        disk.write(0, table.firstSectors)
        for edit in table.edits(disk: 0) { disk.write(edit.firstSector, edit.bytes) }
        var record = [UInt8](repeating: 0, count: 512)
        record.replaceSubrange(3..<11, with: "NTFS    ".utf8)
        record.replaceSubrange(0x48..<0x50, with: [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0xF1])
        let own = entries.first { $0.number == number }
        if let own { disk.write(own.firstSector, record) }
        inspection = .windows(windows)
        inspection.disks = [
            GuestDisk(
                index: 0, device: "/dev/sda", size: sectors * 512, table: .gpt(table), hasBootCode: false)
        ]
        inspection.fileSystems = entries.map {
            FileSystem(device: "/dev/sda\($0.number)", type: $0.type == GPT.efiSystem ? "vfat" : "ntfs")
        }
        inspection.mounts = [
            Mount(path: .root, device: "/dev/sda\(number)", type: "ntfs", free: 1 << 30),
            Mount(path: Self.system, device: "/dev/sda1", type: "vfat", free: 1 << 20),
        ]
        files.put("/Windows/Boot/PCAT/bootmgr", "manager")
        files.put("/Windows/Boot/PCAT/bootnxt", "next")
        files.put("/Windows/Boot/PCAT/memtest.exe", "test")
        files.put("/Windows/Boot/PCAT/en-US/bootmgr.exe.mui", "texts")
        files.put("/Windows/Boot/Fonts/wgl4_boot.ttf", "font")
        files.put("/Windows/Boot/Resources/bootres.dll", "pictures")
        files.put("/Windows/System32/winload.exe", "loader")
        files.put(Self.system.appending("EFI/Microsoft/Boot/BCD"), "store")
        putStore()
        files.contents.registry.put(
            DriveLetters.key(windows),
            [
                #"\DosDevices\C:"#: .binary(DriveLetters.Place.gpt(Self.id(3)).bytes),
                #"\??\Volume{00000000-0000-0000-0000-000000000001}"#: .binary(DriveLetters.Place.gpt(Self.id(4)).bytes),
                #"\DosDevices\E:"#: .binary(Array("USBSTOR".utf8)),
            ])
    }

    // MARK: The store

    static let store = BootStore.hive(system.appending("EFI/Microsoft/Boot/BCD"))
    static let manager = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"
    static let loader = "{00000000-0000-0000-0000-00000000000a}"

    /// On a partition of a GPT, as a store of Windows 10 has it.
    func device(_ number: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: 16) + [6, 0, 0, 0, 0, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0, 0] + Self.id(number).bytes
            + [UInt8](repeating: 0, count: 8) + table.diskID.bytes + [UInt8](repeating: 0, count: 16)
    }

    func put(_ object: String, _ type: UInt32, _ elements: [String: RegistryValue]) {
        let key = RegistryPath(Self.store, components: ["Objects", object])
        files.contents.registry.put(
            key.child("Description"), ["Type": .dword(type), "FirmwareVariable": .binary([1])])
        for (name, value) in elements {
            files.contents.registry.put(key.child("Elements").child(name), ["Element": value])
        }
    }

    private func putStore() {
        put(
            Self.manager, 0x1010_0002,
            [
                "11000001": .binary(device(1)), "12000002": .string(#"\EFI\Microsoft\Boot\bootmgfw.efi"#),
                "23000003": .string(Self.loader), "25000004": .binary([30, 0, 0, 0, 0, 0, 0, 0]),
            ])
        put(
            Self.loader, 0x1020_0003,
            [
                "11000001": .binary(device(3)), "12000002": .string(#"\Windows\system32\winload.efi"#),
                "21000001": .binary(device(3)), "16000060": .binary([1]), "22000002": .string(#"\Windows"#),
            ])
        put("{a5a30fa2-3d06-4e9f-b5f4-a01df9d1fcba}", 0x1010_0001, [:])
        put("{00000000-0000-0000-0000-00000000000b}", 0x101F_FFFF, ["11000001": .binary(device(1))])
        put(
            "{00000000-0000-0000-0000-00000000000c}", 0x3000_0000,
            // A file on the recovery partition, within another descriptor.
            ["31000003": .binary([1, 2, 3] + device(4) + [4, 5, 6])])
        put(
            "{00000000-0000-0000-0000-00000000000d}", 0x1020_0005,
            ["12000002": .string(#"\EFI\Microsoft\Boot\memtest.efi"#)])
    }

    // MARK: Planning

    func draft() throws -> Draft {
        var draft = Draft(over: files, disks: disk, registry: files)
        try WindowsBIOSBoot(grub: FakeGrub().grub).inject(into: &draft, guest: inspection)
        return draft
    }

    func plan() throws -> Plan { try draft().plan() }
}
