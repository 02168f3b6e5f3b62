import Converter
import Foundation
import Guest
import GuestTesting
import Injectors

/// A folder of Tests/Fixtures/guests, copied and made a machine: its trees as file systems, and a disk file with the
/// partition table that its guest.json describes.
struct FixtureGuest {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/guests")

    static var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    private struct Description: Decodable {
        struct Disk: Decodable {
            var sectors: UInt64
            /// "gpt" or "mbr".
            var table: String
            var bootCode: Bool
            var firstUsable: UInt64?
            var partitions: [Partition]
        }
        struct Partition: Decodable {
            var number: Int
            /// A GUID, or two hexadecimal digits.
            var type: String
            var first: UInt64
            var last: UInt64
        }
        struct Volume: Decodable {
            var device: String
            var type: String
            var uuid: String?
            var partitionUUID: String?
            /// The folder beside guest.json that is on it.
            var tree: String?
            /// The subvolume that the tree is.
            var subvolume: String?
            var subvolumes: [String: String]?
            /// What a btrfs mounts where none is asked for.
            var defaultSubvolume: String?
            var label: String?
        }
        /// An array or a volume group, as inspection asks for them.
        struct Set: Decodable {
            var array: String?
            var volumeGroup: String?
            var uuid: String
            var device: String?
            var members: [String]
        }
        struct Kernel: Decodable {
            /// Where the virtio drivers are; nil: only among the guest's modules.
            enum Virtio: String, Decodable {
                case builtin
                case included
                /// In the initramfs are modules whose names modules.dep doesn't know.
                case renamed
            }
            var version: String
            /// Its name in /boot; nil: it has none.
            var initramfs: String?
            /// The kernel's name in /boot; nil: "vmlinuz-<version>".
            var image: String?
            var folder: String?
            var virtio: Virtio?
            /// Further initramfs in /boot.
            var otherInitramfs: [String]?
            /// Behind the names of modules: ".xz".
            var suffix: String?
            /// The same in the initramfs: "" where the tool unpacks them.
            var includedSuffix: String?
            /// What the initramfs holds beside modules; nil: udev's rule.
            var holds: [String]?
            /// Names of modules that this kernel doesn't have.
            var without: [String]?
        }
        /// What the conversion is asked for, in the words of the command line.
        struct Options: Decodable {
            var firmware: String?
            var network: String?
            var diskBus: String?
            var mac: [String]?
        }
        /// One disk, or several in their order.
        var disk: Disk?
        var disks: [Disk]?
        var sets: [Set]?
        var volumes: [Volume]
        var kernels: [Kernel]
        var options: Options?
    }

    let adaptation: Adaptation
    let machine: FakeMachine
    private let scratch: ScratchFolder
    private let disks: DirectoryGuest
    var commands: [GuestCommand] { disks.commands.run }

    init(_ name: String) throws {
        scratch = try ScratchFolder()
        let source = Self.folder.appendingPathComponent(name)
        let json = try Data(contentsOf: source.appendingPathComponent("guest.json"))
        let description = try JSONDecoder().decode(Description.self, from: json)
        let parts = description.disks ?? description.disk.map { [$0] } ?? []
        let files = parts.indices.map { [scratch] in scratch.file("disk-\($0).raw") }
        disks = DirectoryGuest(root: scratch.path, diskFiles: files)
        adaptation = Self.adaptation(description.options)
        machine = FakeMachine(disks: disks, sizes: parts.map { $0.sectors * 512 })
        for (index, disk) in parts.enumerated() { try Self.make(disk, index, files[index], disks) }
        machine.sets = (description.sets ?? []).map { set in
            VolumeSet(
                kind: set.array == nil ? .volumeGroup : .array, name: set.array ?? set.volumeGroup ?? "",
                uuid: set.uuid, device: set.device, members: set.members)
        }
        for volume in description.volumes { machine.volumes.append(try Self.volume(volume, source, scratch)) }
        let trees = Set(description.volumes.compactMap(\.tree))
        // git keeps no empty folders, and these are mounted on.
        let inBoot = trees.contains("boot") && trees.contains("esp") ? ["boot/efi"] : []
        for folder in ["root/boot/efi", "root/var", "root/usr/bin"] + inBoot {
            try FileManager.default.createDirectory(atPath: scratch.file(folder), withIntermediateDirectories: true)
        }
        for kernel in description.kernels { try lay(kernel, hasBoot: trees.contains("boot")) }
    }

    /// What a plan has put on a disk appears among the volumes, as blkid would see it; mtools, which knows nothing of
    /// us, reads its files.
    func findNewSystemPartitions() throws {
        let start = try disks.sectors(disk: 0, first: 0, count: 40)
        var found: [(number: Int, first: UInt64)] = []
        if let table = try? GPT(sectors: start) {
            found = table.entries.filter { $0.type == GPT.efiSystem }.map { ($0.number, $0.firstSector) }
        } else if let table = MBR(sector: Array(start[..<512])) {
            let places = table.entries.indices.filter { table.entries[$0].type == MBR.efiSystem }
            found = places.map { ($0 + 1, UInt64(table.entries[$0].firstSector)) }
        }
        for (number, first) in found where !machine.volumes.contains(where: { $0.system.device == "/dev/sda\(number)" })
        {
            let boot = try disks.sectors(disk: 0, first: first, count: 1)
            guard boot[82..<90].elementsEqual("FAT32   ".utf8) else { continue }
            let serial = LittleEndian(boot).u32(67)
            let tree = scratch.file("system-\(number)")
            try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
            try HostTool("mcopy").output(["-s", "-i", "\(disks.diskFiles[0])@@\(first * 512)", "::/EFI", tree])
            let uuid = String(format: "%04X-%04X", serial >> 16, serial & 0xFFFF)
            machine.volumes.append(
                FakeMachine.Volume("/dev/sda\(number)", "vfat", uuid: uuid, DirectoryGuest(root: tree)))
        }
    }

    private static func adaptation(_ options: Description.Options?) -> Adaptation {
        var adaptation = Adaptation()
        if let choice = options?.firmware.flatMap(Adaptation.FirmwareChoice.init) { adaptation.firmware = choice }
        adaptation.cards = (options?.mac ?? []).compactMap { CardMatch($0) }
        if let choice = options?.network.flatMap(Adaptation.NetworkChoice.init) { adaptation.network = choice }
        if let bus = options?.diskBus.flatMap(Adaptation.DiskBus.init) { adaptation.diskBus = bus }
        return adaptation
    }

    private static func volume(
        _ description: Description.Volume, _ source: URL, _ scratch: ScratchFolder
    ) throws -> FakeMachine.Volume {
        var volume = FakeMachine.Volume(
            description.device, description.type, uuid: description.uuid, label: description.label,
            partitionUUID: description.partitionUUID)
        volume.defaultSubvolume = description.defaultSubvolume
        func tree(_ name: String) throws -> DirectoryGuest {
            let copy = scratch.file(name)
            if !FileManager.default.fileExists(atPath: copy) {
                try FileManager.default.copyItem(atPath: source.appendingPathComponent(name).path, toPath: copy)
            }
            return DirectoryGuest(root: copy)
        }
        if let name = description.tree { volume.trees[description.subvolume] = try tree(name) }
        for (subvolume, name) in description.subvolumes ?? [:] { volume.trees[subvolume] = try tree(name) }
        if description.subvolume != nil { volume.trees[nil] = MemoryGuest() }
        return volume
    }

    /// Kernels are made here: a few bytes each, laid out as real ones are.
    private func lay(_ description: Description.Kernel, hasBoot: Bool) throws {
        var kernel = SampleKernel(version: description.version)
        kernel.packing = .plain
        kernel.initramfsName = description.initramfs
        if description.initramfs == nil { kernel.packing = .none }
        if let image = description.image { kernel.imageName = image }
        if let folder = description.folder { kernel.modulesFolder = GuestPath(folder) }
        kernel.otherInitramfs = description.otherInitramfs ?? []
        kernel.suffix = description.suffix ?? ""
        kernel.includedSuffix = description.includedSuffix
        kernel.others = description.holds ?? kernel.others
        for name in description.without ?? [] {
            kernel.modules = kernel.modules.filter { !$0.key.hasSuffix("/\(name).ko") }
        }
        switch description.virtio {
        case .builtin: kernel.builtIn = SampleKernel.virtio
        case .included: kernel.included += SampleKernel.virtio
        case .renamed: kernel.included = ["kernel/fs/xfs/xfs_unpacked.ko"]
        case nil: break
        }
        for (path, bytes) in try kernel.files() {
            let inBoot = hasBoot ? path.relative(to: "/boot") : nil
            let file = scratch.file(inBoot.map { "boot/\($0)" } ?? "root\(path)")
            let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: file))
        }
    }

    private static func make(_ disk: Description.Disk, _ index: Int, _ file: String, _ guest: DirectoryGuest) throws {
        try Data().write(to: URL(fileURLWithPath: file))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        try handle.truncate(atOffset: disk.sectors * 512)
        try handle.close()
        var edits: [SectorEdit] = []
        var boot = [UInt8](repeating: 0, count: 512)
        if disk.table == "gpt" {
            let table = GPT(
                diskSectors: disk.sectors, firstUsable: disk.firstUsable ?? 34,
                disk.partitions.map { partition in
                    GPT.Entry(
                        number: partition.number, type: GUID(partition.type),
                        id: GUID(bytes: [UInt8](repeating: UInt8(partition.number), count: 16)),
                        firstSector: partition.first, lastSector: partition.last, name: "")
                })
            boot = Array(table.firstSectors[..<512])
            edits += table.edits(disk: index)
            if disk.bootCode, let core = table.entries.first(where: { $0.type == GPT.biosBoot }) {
                let code = [UInt8](repeating: 0x52, count: 512)
                edits.append(SectorEdit(disk: index, firstSector: core.firstSector, bytes: code, what: "core"))
            }
        } else {
            for partition in disk.partitions {
                let at = 446 + 16 * (partition.number - 1)
                boot[at + 4] = UInt8(partition.type, radix: 16) ?? 0
                boot.replaceSubrange(at + 8..<at + 12, with: LittleEndian.bytes(UInt32(partition.first)))
                boot.replaceSubrange(
                    at + 12..<at + 16, with: LittleEndian.bytes(UInt32(partition.last - partition.first + 1)))
            }
            boot.replaceSubrange(0x1B8..<0x1BC, with: LittleEndian.bytes(UInt32(0x0BAD_C0DE + index)))
            boot[510] = 0x55
            boot[511] = 0xAA
        }
        if disk.bootCode { boot[0] = 0xEB }
        edits.append(SectorEdit(disk: index, firstSector: 0, bytes: boot, what: "boot sector"))
        try guest.apply(Plan(items: edits.map { .init(injector: "fixture", change: .disk($0), before: .nothing) })) {
            _ in
        }
    }
}
