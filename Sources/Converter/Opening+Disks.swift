internal import Guest

extension Opening {
    func readDisks() throws -> [GuestDisk] {
        var disks: [GuestDisk] = []
        for (index, device) in try machine.diskDevices().enumerated() {
            let total = device.size / UInt64(SectorEdit.sectorSize)
            // Room for 1,024 partitions; 128 are usual.
            let count = Int(min(total, 258))
            let start = try machine.sectors(disk: index, first: 0, count: count)
            let boot = Array(start.prefix(SectorEdit.sectorSize))
            var table = PartitionTable.none
            do {
                table = .gpt(try GPT(sectors: start))
            } catch GPT.ParseError.damaged(let reason) {
                throw Refusal(
                    .blocked, "disk \(index) has a GPT that can't be trusted: \(reason)",
                    hint: "repair it on a copy of the disk: 'sgdisk --verify', then option 'r' of gdisk")
            } catch {
                if start.count >= 16 * SectorEdit.sectorSize, start[4096..<4104].elementsEqual("EFI PART".utf8) {
                    throw Refusal(
                        .unsupported, "disk \(index) has sectors of 4,096 bytes (4Kn), which no cloud's disks have",
                        hint: "copy its content to a disk with sectors of 512 bytes in the source, and capture that")
                }
                if let mbr = MBR(sector: boot), !mbr.isEmpty { table = .mbr(mbr) }
            }
            var hasCode = boot.prefix(440).contains { $0 != 0 }
            if case .gpt(let gpt) = table {
                guard gpt.alternateSector < total else {
                    throw Refusal(
                        .blocked, "disk \(index) is shorter than its partition table says: it was cut off",
                        hint: "capture it again; it should have \((gpt.alternateSector + 1) * 512) bytes")
                }
                hasCode = try hasCode && loadsCore(boot, gpt, disk: index)
            }
            disks.append(
                GuestDisk(index: index, device: device.device, size: device.size, table: table, hasBootCode: hasCode))
        }
        return disks
    }

    /// On a GPT, boot code is worth something when the BIOS boot partition that it loads has something in it.
    private func loadsCore(_ boot: [UInt8], _ table: GPT, disk: Int) throws -> Bool {
        guard let partition = table.entries.first(where: { $0.type == GPT.biosBoot }) else { return false }
        let core = try machine.sectors(disk: disk, first: partition.firstSector, count: 1)
        return core.contains { $0 != 0 }
    }
}
