internal import Foundation
internal import Guest

/// The disks and drives of a VMX file.
struct VMXDrives {
    let file: VMXFile
    let path: String

    /// The order in which VMware's firmware lists them where nothing else is said.
    private static let buses: [(String, MachineDescription.Bus)] = [
        ("scsi", .scsi), ("sata", .sata), ("nvme", .nvme), ("ide", .ide),
    ]

    func add(to described: inout DescribedMachine) {
        var places: [String] = []
        for (prefix, bus) in Self.buses {
            for (number, unit) in file.units(prefix) {
                let device = "\(prefix)\(number):\(unit)"
                // A controller that isn't there has no devices, whatever is left of them.
                guard file.flag(device + ".present") == true, file.flag("\(prefix)\(number).present") != false else {
                    continue
                }
                let type = file[device + ".deviceType"]?.lowercased() ?? "disk"
                let name = file[device + ".fileName"] ?? ""
                if type.contains("cdrom") || name.lowercased().hasSuffix(".iso") {
                    described.machine.removableDrives.append(.init(kind: .cdrom, bus: bus))
                } else if type.contains("harddisk") || type.contains("disk") {
                    guard !name.isEmpty else {
                        described.findings.append(left(device, "it has no file"))
                        continue
                    }
                    places.append(device)
                    addDisk(name, bus, file["\(prefix)\(number).virtualDev"]?.lowercased(), to: &described)
                } else {
                    described.findings.append(left(device, "it is a '\(type)'"))
                }
            }
        }
        for number in file.numbers("floppy") where file.flag("floppy\(number).present") == true {
            described.machine.removableDrives.append(.init(kind: .floppy, bus: .floppy))
        }
        setBootOrder(places, &described.machine)
    }

    private func addDisk(
        _ name: String, _ bus: MachineDescription.Bus, _ controller: String?, to described: inout DescribedMachine
    ) {
        let place = URL(fileURLWithPath: name, relativeTo: URL(fileURLWithPath: HostFile.folder(of: path) + "/"))
            .standardizedFileURL.path
        described.machine.disks.append(.init(file: place, bus: bus, controller: controller))
        let isThere = FileManager.default.fileExists(atPath: place)
        // VMware's disks are VMDKs. Anything else is a file of this host's that the description wants to have read.
        described.sources.append(
            DiskSource(
                name: name, parts: isThere ? [FilePart(file: place)] : [], format: "vmdk",
                absence: isThere ? nil : "'\(place)', a disk of '\(path)', is not there"))
    }

    /// "scsi0:1,scsi0:0"; bios.bootOrder tells kinds of devices only.
    private func setBootOrder(_ places: [String], _ machine: inout MachineDescription) {
        guard let order = file["bios.hddOrder"] else { return }
        let wanted = order.lowercased().split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        var next = 1
        for device in wanted {
            guard let index = places.firstIndex(of: device), machine.disks[index].bootOrder == nil else { continue }
            machine.disks[index].bootOrder = next
            next += 1
        }
    }

    private func left(_ device: String, _ reason: String) -> Finding {
        Finding(
            level: .warning, injector: "description", message: "\(device) is left out: \(reason)",
            hint: "name a disk that is missing with --disk")
    }
}
