import Foundation
import Guest
import GuestTesting
import Testing

@testable import Injectors

struct WindowsBIOSBootTests {
    private func element(_ name: String, of object: String, _ draft: Draft) throws -> RegistryValue? {
        let hive = BootStore.hive("/Boot/BCD")
        return try draft.value(
            "Element", of: RegistryPath(hive, components: ["Objects", object, "Elements", name]))
    }

    @Test func theTableBecomesAnMBR() throws {
        let sample = WindowsUEFIGuest()
        let draft = try sample.draft()
        #expect(draft.findings.allSatisfy { $0.level == .note })
        let sector = try draft.sectors(disk: 0, first: 0, count: 1)
        let table = try #require(MBR(sector: sector))
        #expect(table.entries.map(\.type) == [0xEF, 0x07, 0x27, 0])
        #expect(table.entries.map(\.isActive) == [false, true, false, false])
        #expect(table.entries.map(\.firstSector) == [2048, 239_616, 10_000_384, 0])
        // The disk had one.
        #expect(table.signature == 0x0BAD_C0DE)
        for at in [1, sample.table.alternateSector] {
            let old = try sample.disk.sectors(disk: 0, first: at, count: 1)
            #expect(old.starts(with: Array("EFI PART".utf8)))
            #expect(try draft.sectors(disk: 0, first: at, count: 1).starts(with: Array("EFI PART".utf8)) == false)
        }
        #expect(throws: GPT.ParseError.notGPT) { try GPT(sectors: draft.sectors(disk: 0, first: 0, count: 34)) }
        #expect(BIOSGrub.coreSector(of: sector) == 1)
        // The volume didn't say where it is.
        let record = try draft.sectors(disk: 0, first: WindowsUEFIGuest.first, count: 1)
        #expect(LittleEndian(record).u32(0x1C) == UInt32(WindowsUEFIGuest.first))
    }

    @Test func theBootStoreIsMadeToFit() throws {
        let sample = WindowsUEFIGuest()
        let draft = try sample.draft()
        var boot = [UInt8](repeating: 0, count: 88)
        boot[0x10] = 5
        boot[0x18] = 0x48
        for object in [WindowsUEFIGuest.manager, WindowsUEFIGuest.loader] {
            #expect(try element("11000001", of: object, draft) == .binary(boot))
        }
        #expect(try element("21000001", of: WindowsUEFIGuest.loader, draft) == .binary(boot))
        #expect(try element("12000002", of: WindowsUEFIGuest.manager, draft) == nil)
        #expect(
            try element("12000002", of: WindowsUEFIGuest.loader, draft) == .string(#"\Windows\system32\winload.exe"#))
        #expect(try element("16000060", of: WindowsUEFIGuest.loader, draft) == nil)
        #expect(try element("22000002", of: WindowsUEFIGuest.loader, draft) == .string(#"\Windows"#))
        let nested = try #require(
            try element("31000003", of: "{00000000-0000-0000-0000-00000000000c}", draft)?.bytes)
        #expect(nested.count == 94 && nested.starts(with: [1, 2, 3]) && nested.suffix(3) == [4, 5, 6])
        let inner = LittleEndian(Array(nested[3...]))
        #expect(inner.u64(0x20) == 10_000_384 * 512 && inner.u32(0x34) == 1 && inner.u32(0x38) == 0x0BAD_C0DE)
        #expect(
            try element("12000002", of: "{00000000-0000-0000-0000-00000000000d}", draft)
                == .string(#"\Boot\memtest.exe"#))
        let objects = try draft.subkeys(of: RegistryPath(BootStore.hive("/Boot/BCD"), "Objects"))
        #expect(objects?.count == 4)
        // The one that UEFI starts by stays as it is: it is the way back.
        let plan = try draft.plan()
        #expect(!plan.items.contains { $0.change.path?.isInside(WindowsUEFIGuest.system) == true })
    }

    @Test func lettersFollowTheirPartitions() throws {
        let draft = try WindowsUEFIGuest().draft()
        let key = DriveLetters.key(WindowsUEFIGuest().windows)
        let place = DriveLetters.Place.mbr(signature: 0x0BAD_C0DE, offset: WindowsUEFIGuest.first * 512)
        #expect(try draft.value(#"\DosDevices\C:"#, of: key) == .binary(place.bytes))
        #expect(try draft.value(#"\DosDevices\E:"#, of: key) == .binary(Array("USBSTOR".utf8)))
        #expect(
            try draft.value(#"\??\Volume{00000000-0000-0000-0000-000000000001}"#, of: key)?.bytes.prefix(4)
                == [0xDE, 0xC0, 0xAD, 0x0B])
    }

    @Test func theBootFilesAreWindowsOwn() throws {
        let plan = try WindowsUEFIGuest().plan()
        let files = plan.items.compactMap { item -> String? in
            if case .write(let path, _, _) = item.change { path.description } else { nil }
        }
        #expect(
            Set(files) == [
                "/bootmgr", "/BOOTNXT", "/Boot/BCD", "/Boot/memtest.exe", "/Boot/en-US/bootmgr.exe.mui",
                "/Boot/Fonts/wgl4_boot.ttf", "/Boot/Resources/bootres.dll",
            ])
        #expect(plan.attributes == ["/bootmgr": 0x27, "/BOOTNXT": 0x0004_0026, "/Boot": 0x1000_0006])
    }

    @Test func theEFISystemPartitionGivesWay() throws {
        let more = [
            WindowsUEFIGuest.entry(5, WindowsUEFIGuest.basicData, 11_000_832...12_000_255),
            WindowsUEFIGuest.entry(6, WindowsUEFIGuest.basicData, 12_000_256...13_000_703),
        ]
        let draft = try WindowsUEFIGuest(WindowsUEFIGuest.usual + more).draft()
        #expect(draft.findings.allSatisfy { $0.level == .note })
        let table = try #require(MBR(sector: try draft.sectors(disk: 0, first: 0, count: 1)))
        #expect(table.entries.map(\.type) == [0x07, 0x27, 0x07, 0x07])
        #expect(table.entries.map(\.isActive) == [true, false, false, false])
    }

    @Test func whatCanNotBeDoneIsRefused() throws {
        typealias Sample = WindowsUEFIGuest
        func blockers(_ sample: Sample) throws -> [String] { try sample.plan().blockers.map(\.message) }
        func expect(_ sample: Sample, _ text: String) throws {
            let found = try blockers(sample)
            #expect(found.count == 1 && found[0].contains(text), "\(found)")
        }
        let five = (5...7).map { number -> GPT.Entry in
            let first = UInt64(number) * 1_000_000 + 7_000_000
            return Sample.entry(number, Sample.basicData, first...first + 999)
        }
        try expect(Sample(Sample.usual + five), "5 partitions")
        let dynamic = GUID("af9b60a0-1431-4f62-bc68-3311714a69ad")
        try expect(Sample(Sample.usual + [Sample.entry(5, dynamic, 12_000_000...12_000_999)]), "dynamic")
        let spaces = GUID("e75caf8f-f680-4cee-afa3-b001e56efc2d")
        try expect(Sample(Sample.usual + [Sample.entry(5, spaces, 12_000_000...12_000_999)]), "of the type e75caf8f")
        try expect(
            Sample(
                Array(Sample.usual.prefix(3)) + [Sample.entry(4, Sample.basicData, 10_000_384...5_000_000_000)],
                sectors: 6_000_000_000), "2 TiB")
        for (path, text) in [
            ("/Windows/Boot/PCAT/bootmgr", "PCAT/bootmgr"), ("/Windows/System32/winload.exe", "loader"),
        ] {
            let sample = Sample()
            sample.files.delete(GuestPath(path))
            try expect(sample, text)
        }
        let large = Sample()
        large.files.put("/Windows/Boot/PCAT/bootmgr", String(repeating: "x", count: 600 << 10))
        try expect(large, "no boot manager of Windows")
        let packed = Sample()
        packed.files.delete("/Windows/Boot/PCAT/bootmgr")
        packed.files.link("/Windows/Boot/PCAT/bootmgr", to: "unsupported reparse tag 0x80000017")
        try expect(packed, "CompactOS")
        let storeless = Sample()
        storeless.files.delete(Sample.system.appending("EFI/Microsoft/Boot/BCD"))
        try expect(storeless, "no boot configuration")
        let foreign = Sample()
        foreign.put(Sample.loader, 0x1020_0003, ["11000001": .binary(foreign.device(9))])
        try expect(foreign, "no entry that starts")
        var alone = Sample()
        alone.inspection.mounts.removeLast()
        try expect(alone, "can't be read")
    }

    @Test func aStoreOfNonsenseEndsWell() throws {
        let sample = WindowsUEFIGuest()
        for (index, bytes) in [[], [6], [UInt8](repeating: 6, count: 88), [UInt8](repeating: 0xFF, count: 5000)]
            .enumerated()
        {
            sample.put(
                "{\(index)}", UInt32(index), ["11000001": .binary(bytes), "1": .dword(1), "12000002": .dword(2)])
        }
        #expect(try sample.plan().blockers.isEmpty)
    }

    /// A store that Windows 10 wrote: every descriptor of a partition of its disk is one of an MBR, or the boot volume.
    @Test(.enabled(if: RealHives.has("BCD-uefi-win10"), "no real hives are here"))
    func aRealStore() throws {
        let scratch = try ScratchFolder()
        let folder = scratch.file("Boot")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(RealHives.bytes("BCD-uefi-win10")).write(to: URL(filePath: folder + "/BCD"))
        let guest = DirectoryGuest(root: scratch.path, caseSensitivity: .insensitive)
        let hive = BootStore.hive("/Boot/BCD")
        // Its partitions: the EFI system, Windows, and the recovery partition.
        let ids = [
            "36be3955-63bf-4068-a6ab-00195cca3a22", "8e0f2c38-e4ea-47ba-b7fc-9d8c74dccf0b",
            "6cdfcd69-de75-4490-8f99-5a84bf264917",
        ]
        let types = [GPT.efiSystem, WindowsUEFIGuest.basicData, WindowsUEFIGuest.recovery]
        let entries = ids.enumerated().map { index, id in
            GPT.Entry(
                number: index + 1, type: types[index], id: GUID(id), firstSector: UInt64(index + 1) * 1_000_000,
                lastSector: UInt64(index + 1) * 1_000_000 + 999_999, name: "")
        }
        let disk = GUID("0b2394a9-095e-487d-8d48-719ecd4d78ca")
        let table = GPT(diskSectors: 8_000_000, id: disk, entries)
        let layout = try MBRLayout(
            table,
            of: GuestDisk(index: 0, device: "/dev/sda", size: 8_000_000 * 512, table: .gpt(table), hasBootCode: false),
            active: 2, isFAT: { _ in false }, signature: 0x1234_5678)
        let store = BootStore(hive: hive, layout: layout, diskID: disk, bootPartitions: [1, 2])
        func plan() throws -> (Plan, loaders: Int, hasDefault: Bool) {
            var draft = Draft(over: guest, disks: guest, registry: guest)
            let count = try store.convert(in: &draft)
            return (try draft.plan(), count, try store.defaultIsThere(draft))
        }
        let (first, loaders, hasDefault) = try plan()
        #expect(loaders == 2 && hasDefault)
        try guest.apply(first) { _ in }
        #expect(try plan().0.isEmpty)
        // Nothing in it names the disk any more, but other disks.
        let bytes = try guest.contents(ofFile: "/Boot/BCD")
        let objects = RegistryPath(hive, "Objects")
        var named = 0
        for object in try guest.subkeys(of: objects) ?? [] {
            for name in try guest.subkeys(of: objects.child(object).child("Elements")) ?? [] {
                let value = try guest.value("Element", of: objects.child(object).child("Elements").child(name))
                if let value, value.bytes.firstRange(of: disk.bytes) != nil { named += 1 }
                #expect(value?.text?.lowercased().hasSuffix(".efi") != true)
            }
        }
        #expect(named == 0)
        #expect(bytes.starts(with: Array("regf".utf8)))
    }

    @Test func theFallbackPathOfUEFIIsFilled() throws {
        let sample = WindowsUEFIGuest()
        func plan() throws -> Plan {
            var draft = Draft(over: sample.files, disks: sample.disk, registry: sample.files)
            try WindowsUEFIBoot(firmware: .uefi).inject(into: &draft, guest: sample.inspection)
            return try draft.plan()
        }
        #expect(try plan().blockers.count == 1)
        sample.files.put(WindowsUEFIGuest.system.appending("EFI/Microsoft/Boot/bootmgfw.efi"), "manager")
        try sample.files.apply(plan()) { _ in }
        #expect(
            try sample.files.text(WindowsUEFIGuest.system.appending("EFI/BOOT/BOOTX64.EFI")) == "manager")
        #expect(try plan().isEmpty)
    }
}
