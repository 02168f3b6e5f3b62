internal import Guest

/// What the beginning of a boot disk says about how it can start.
struct DiskStart: Sendable {
    /// The sector ends in 55AA, without which a BIOS doesn't start it.
    var hasSignature: Bool
    /// There is anything where boot code would be.
    var hasBootCode: Bool
    var hasEFISystemPartition: Bool
    /// There is nothing at all.
    var isEmpty: Bool

    /// - Parameter bytes: the disk's first 64 KiB, or all of a smaller disk.
    init(_ bytes: [UInt8]) {
        isEmpty = !bytes.contains { $0 != 0 }
        hasSignature = bytes.count >= 512 && bytes[510] == 0x55 && bytes[511] == 0xAA
        // Up to the disk signature: what a BIOS jumps into.
        hasBootCode = bytes.prefix(440).contains { $0 != 0 }
        let table: PartitionTable =
            if let gpt = try? GPT(sectors: bytes) {
                .gpt(gpt)
            } else if let mbr = MBR(sector: bytes) {
                .mbr(mbr)
            } else {
                .none
            }
        hasEFISystemPartition =
            GuestDisk(
                index: 0, device: "", size: 0, table: table, hasBootCode: hasBootCode
            ).hasEFISystemPartition
    }

    /// Why this disk can't start on a machine, told without a boot; nil where nothing speaks against it.
    func obstacle(on machine: Machine) -> (reason: String, remedy: String)? {
        if isEmpty { return ("the boot disk begins with nothing but zeros", "is it the right disk, and complete?") }
        switch machine.firmware {
        case .bios:
            let why =
                hasSignature
                ? (hasBootCode ? nil : "its first sector holds no boot code")
                : "its first sector is no boot sector (it does not end in 55 AA)"
            guard let why else { return nil }
            let remedy =
                hasEFISystemPartition
                ? "it is a UEFI disk: make it start under BIOS with rehost convert --firmware bios, or test it with "
                    + "--firmware uefi"
                : "is it the boot disk? name the machine's disks in their order, the boot disk first"
            return ("the BIOS cannot start the disk: \(why)", remedy)
        case .uefi:
            guard !hasEFISystemPartition else { return nil }
            return (
                "the UEFI cannot start the disk: it has no EFI system partition",
                hasBootCode
                    ? "it has boot code for BIOS: test it with --firmware bios" : "is it the boot disk of this machine?"
            )
        }
    }
}
