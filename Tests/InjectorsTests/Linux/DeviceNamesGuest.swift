import Guest
import GuestTesting
import Testing

@testable import Injectors

/// A guest for the tests of device names: what is on its disks, and its files.
struct DeviceNamesGuest {
    let files: MemoryGuest
    var inspection: Inspection
    var injector = DeviceNames(diskPrefix: "vd", firmware: .both)

    /// One MBR disk: 1 is "/", 2 is extended, 5 is swap.
    static let single: [FileSystem] = [
        FileSystem(device: "/dev/sda1", type: "ext4", uuid: "root-uuid", partitionUUID: "0badcafe-01"),
        FileSystem(device: "/dev/sda5", type: "swap", uuid: "swap-uuid", partitionUUID: "0badcafe-05"),
    ]

    init(
        _ files: [GuestPath: String], fileSystems: [FileSystem] = single, root: String = "/dev/sda1",
        partitions: [[Int]] = [[1, 2, 5]], hasInitramfs: Bool = true
    ) {
        self.files = MemoryGuest(files)
        let disks = partitions.enumerated().map { index, numbers in
            GuestDisk(
                index: index, device: "/dev/sd\(GuestDisk.letters(index))", size: 1 << 30,
                table: numbers.isEmpty ? .none : Self.table(numbers), hasBootCode: index == 0)
        }
        inspection = Inspection(
            osRelease: OSRelease(id: "debian"), architecture: "x86_64", hostName: nil, firmware: .bios, disks: disks,
            fileSystems: fileSystems, mounts: [Mount(path: "/", device: root, type: "ext4", free: 1 << 30)],
            kernels: [
                Kernel(
                    version: "6.1.0-18-amd64", image: "/boot/vmlinuz-6.1.0-18-amd64",
                    initramfs: hasInitramfs ? "/boot/initrd.img-6.1.0-18-amd64" : nil,
                    modules: "/usr/lib/modules/6.1.0-18-amd64")
            ],
            bootLoader: .grub2(configuration: "/boot/grub/grub.cfg", prefix: "/boot/grub"), networkFormats: [],
            tools: [])
    }

    private static func table(_ numbers: [Int]) -> PartitionTable {
        var sector = [UInt8](repeating: 0, count: 512)
        for number in numbers where number <= 4 { sector[446 + 16 * (number - 1) + 4] = number == 2 ? 5 : 0x83 }
        sector.replaceSubrange(0x1B8..<0x1BC, with: LittleEndian.bytes(UInt32(0x0BAD_CAFE)))
        sector[510] = 0x55
        sector[511] = 0xAA
        return MBR(sector: sector).map { .mbr($0) } ?? .none
    }

    func plan() throws -> Plan {
        var draft = Draft(over: files, disks: files)
        draft.injector = injector.name
        try injector.inject(into: &draft, guest: inspection)
        return try draft.plan()
    }

    /// Plans, applies, and expects that a second plan is empty.
    @discardableResult
    func convert(sourceLocation: SourceLocation = #_sourceLocation) throws -> Plan {
        let first = try plan()
        try files.apply(first) { _ in }
        let second = try plan()
        #expect(second.isEmpty, "the second plan: \(second.items)", sourceLocation: sourceLocation)
        #expect(second.formerSettings.isEmpty, sourceLocation: sourceLocation)
        return first
    }

    /// What a file holds after a conversion.
    func text(_ path: GuestPath) throws -> String? { try files.text(path) }
}
