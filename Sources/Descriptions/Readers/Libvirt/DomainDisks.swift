internal import Foundation
internal import Guest
internal import XML

/// The disks and drives of a libvirt domain.
struct DomainDisks {
    let reader: DomainReader
    let devices: XMLElement?
    let bootDevices: [String]

    func add(to described: inout DescribedMachine) throws {
        for disk in (devices?.all("disk") ?? []).prefix(DescriptionSource.deviceLimit + 1) {
            let target = disk.first("target")
            let bus = target?["bus"].flatMap { $0 == "fdc" ? .floppy : MachineDescription.Bus(rawValue: $0) }
            switch disk["device"] ?? "disk" {
            case "cdrom": described.machine.removableDrives.append(.init(kind: .cdrom, bus: bus))
            case "floppy": described.machine.removableDrives.append(.init(kind: .floppy, bus: bus ?? .floppy))
            default: try addDisk(disk, bus, target?["dev"], to: &described)
            }
        }
        // <os><boot dev='hd'/> is the first disk.
        if bootDevices.contains("hd"), !described.machine.disks.isEmpty,
            described.machine.disks.allSatisfy({ $0.bootOrder == nil })
        {
            described.machine.disks[0].bootOrder = 1
        }
    }

    private func addDisk(
        _ disk: XMLElement, _ bus: MachineDescription.Bus?, _ target: String?, to described: inout DescribedMachine
    ) throws {
        let device = target ?? "a disk"
        guard let source = disk.first("source") else {
            described.findings.append(
                Finding(level: .warning, injector: "description", message: "\(device) is left out: it has no source"))
            return
        }
        if (disk.first("encryption") ?? source.first("encryption")) != nil {
            throw Refusal(
                .blocked, "\(device) of '\(reader.name)' is encrypted by the host",
                hint: "write it out decrypted first: qemu-img convert with --object secret, as libvirt has it")
        }
        let path = try path(disk["type"] ?? "file", source, device)
        let format = disk.first("driver")?["type"]
        described.machine.disks.append(
            .init(
                file: path, format: format, bus: bus, controller: bus == .scsi ? controller(of: disk) : nil,
                bootOrder: disk.first("boot")?["order"].flatMap { Int($0) }))
        let isThere = FileManager.default.fileExists(atPath: path)
        described.sources.append(
            DiskSource(
                name: path, parts: isThere ? [FilePart(file: path)] : [], format: format,
                absence: isThere ? nil : "'\(path)', a disk of '\(reader.name)', is not there",
                target: target))
    }

    private func path(_ type: String, _ source: XMLElement, _ device: String) throws -> String {
        let named: String?
        switch type {
        case "file": named = source["file"]
        case "block": named = source["dev"]
        case "volume":
            let pool = source["pool"] ?? ""
            let volume = source["volume"] ?? ""
            named = reader.volume(pool, volume)
            guard named != nil else {
                throw Refusal(
                    .blocked,
                    "\(device) of '\(reader.name)' is the volume '\(volume)' of the pool '\(pool)', not a file",
                    hint: "name the domain of its libvirt, as in libvirt+qemu:///system?domain=…, or the disk's file")
            }
        default:
            throw Refusal(
                .blocked, "\(device) of '\(reader.name)' is of the type '\(type)', not a file or block device",
                hint: "copy it to a file with qemu-img convert, and name that as the disk")
        }
        guard let named, !named.isEmpty else {
            throw DescriptionFailure(
                "\(device) of '\(reader.name)' names no file", hint: "name the machine's disks yourself")
        }
        // VMware's datastores, as libvirt's esx driver writes them.
        guard !named.hasPrefix("[") else {
            throw Refusal(
                .blocked, "\(device) of '\(reader.name)' is on the datastore of a VMware host: '\(named)'",
                hint: "copy the machine's folder from the datastore, and name the .vmx in it")
        }
        return URL(fileURLWithPath: named, relativeTo: URL(fileURLWithPath: reader.folder + "/")).standardizedFileURL
            .path
    }

    private func controller(of disk: XMLElement) -> String? {
        let index = disk.first("address")?["controller"] ?? "0"
        return devices?.all("controller").first { $0["type"] == "scsi" && ($0["index"] ?? "0") == index }?["model"]
    }
}
