internal import Guest

/// Windows' boot configuration data: a registry hive with objects, each with elements. What is written for UEFI is made fit
/// for BIOS.
///
/// The format isn't published by its maker; this is how a store written by Windows 10 reads.
struct BootStore {
    /// The copy that is changed.
    let hive: Hive
    let layout: MBRLayout
    let diskID: GUID
    /// The partition that Windows starts from, in the GPT's numbers, and that with the EFI system: both are where the boot
    /// manager is, now.
    let bootPartitions: Set<Int>

    static func hive(_ file: GuestPath) -> Hive {
        Hive(file: file, mountPoint: #"HKEY_LOCAL_MACHINE\BCD00000000"#)
    }

    private static let bootManager = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}"

    /// Of objects.
    private enum Kind {
        static let firmwareBootManager: UInt32 = 0x1010_0001
        static let firmwareApplication: UInt32 = 0x101F_FFFF
        static let windowsLoader: UInt32 = 0x1020_0003
        static let windowsResume: UInt32 = 0x1020_0004
        static let memoryTest: UInt32 = 0x1020_0005
    }

    /// Of elements.
    private enum Element {
        static let device = "11000001"
        static let path = "12000002"
        static let defaultObject = "23000003"
        /// Context and graphics modes that a BIOS doesn't have.
        static let ofUEFI: Set<String> = ["16000060", "16000046"]
    }

    private func element(_ name: String, of object: String) -> RegistryPath {
        RegistryPath(hive, components: ["Objects", object, "Elements", name])
    }

    /// - Returns: how many entries start a Windows.
    func convert(in draft: inout Draft) throws -> Int {
        var loaders = 0
        for object in try draft.subkeys(of: RegistryPath(hive, "Objects")) ?? [] {
            let key = RegistryPath(hive, components: ["Objects", object])
            let kind = try draft.value("Type", of: key.child("Description"))?.number ?? 0
            guard kind != Kind.firmwareBootManager, kind != Kind.firmwareApplication else {
                try draft.remove(key)
                continue
            }
            try draft.removeValue("FirmwareVariable", of: key.child("Description"))
            for name in try draft.subkeys(of: key.child("Elements")) ?? [] {
                try convert(element(name, of: object), object: object, kind: kind, &draft)
            }
            if kind == Kind.windowsLoader { loaders += 1 }
        }
        return loaders
    }

    private func convert(_ key: RegistryPath, object: String, kind: UInt32, _ draft: inout Draft) throws {
        let name = key.name.lowercased()
        if Element.ofUEFI.contains(name) { return try draft.remove(key) }
        guard let old = try draft.value("Element", of: key) else { return }
        if name == Element.path {
            if object.lowercased() == Self.bootManager { return try draft.remove(key) }
            guard let path = old.text.flatMap({ Self.path($0, kind: kind) }) else { return }
            try draft.set("Element", RegistryValue(type: old.type, bytes: RegistryValue.string(path).bytes), of: key)
        } else if name.count == 8, name.dropFirst().first == "1" {
            // The second digit of an element's number is its format: 1 is a device.
            let new = RegistryValue(type: old.type, bytes: device(old.bytes))
            if new != old { try draft.set("Element", new, of: key) }
        }
    }

    private static func path(_ old: String, kind: UInt32) -> String? {
        switch kind {
        case Kind.memoryTest: #"\Boot\memtest.exe"#
        case Kind.windowsLoader, Kind.windowsResume:
            old.lowercased().hasSuffix(".efi") ? old.dropLast(4) + ".exe" : nil
        default: nil
        }
    }

    // MARK: Devices

    /// A descriptor: 16 bytes for what it is inside of, a header of 16 bytes, and what the header's kind needs.
    private enum Device {
        static let size = 88
        static let kind = 0x10
        static let partition = 0x20
        static let disk = 0x38
        /// The volume that the boot manager is on.
        static let boot: UInt32 = 5
        static let onPartition: UInt32 = 6
    }

    private func device(_ old: [UInt8]) -> [UInt8] {
        let number = LittleEndian(old)
        if old.count == Device.size, number.u32(Device.kind) == Device.onPartition {
            let id = GUID(bytes: Array(old[Device.partition..<Device.partition + 16]))
            let isBoot = (layout.partitions.map(\.old) + layout.dropped).contains {
                $0.id == id && bootPartitions.contains($0.number)
            }
            if isBoot {
                var new = [UInt8](repeating: 0, count: Device.size)
                new.replaceSubrange(Device.kind..<Device.kind + 4, with: LittleEndian.bytes(Device.boot))
                // The length of the header with what follows it, as of every kind.
                new.replaceSubrange(0x18..<0x1C, with: LittleEndian.bytes(UInt32(0x48)))
                return new
            }
        }
        return replacingPartitions(old)
    }

    /// Wherever a partition is named, in descriptors within others, too: its GUID, eight zeros, and the disk's GUID.
    private func replacingPartitions(_ old: [UInt8]) -> [UInt8] {
        var new = old
        for partition in layout.partitions {
            let pattern = partition.old.id.bytes + [UInt8](repeating: 0, count: 8) + diskID.bytes
            guard case .mbr(let signature, let offset) = layout.place(of: partition) else { continue }
            // The offset in 16 bytes; a reserved number; 1 for an MBR, where 0 is for a GPT; the signature.
            let replacement =
                LittleEndian.bytes(offset) + [UInt8](repeating: 0, count: 12) + LittleEndian.bytes(UInt32(1))
                + LittleEndian.bytes(signature) + [UInt8](repeating: 0, count: 12)
            for range in new.ranges(of: pattern) { new.replaceSubrange(range, with: replacement) }
        }
        return new
    }

    /// Whether the entry that is started by itself is on a partition that is there.
    func defaultIsThere(_ registry: any GuestRegistry) throws -> Bool {
        guard let id = try registry.value("Element", of: element(Element.defaultObject, of: Self.bootManager))?.text,
            let bytes = try registry.value("Element", of: element(Element.device, of: id))?.bytes
        else { return false }
        let number = LittleEndian(bytes)
        // 0x34: 1 for a partition of an MBR.
        return number.u32(Device.kind) != Device.onPartition || number.u32(0x34) == 1
    }
}
