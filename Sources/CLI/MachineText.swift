import Converter
import Descriptions
import Guest

/// A machine's description for people: one line a fact.
enum MachineText {
    static func render(_ described: DescribedMachine) -> String {
        let machine = described.machine
        var rows: [(String, String)] = [("machine", machine.name + (machine.hypervisor.map { " (\($0))" } ?? ""))]
        if let system = machine.guestSystem { rows.append(("described as", system)) }
        if let processors = machine.processors { rows.append(("processors", "\(processors)\(topology(machine))")) }
        if let memory = machine.memory { rows.append(("memory", "\(memory >> 20) MiB")) }
        if let firmware = machine.firmware {
            let secure = machine.secureBoot == true ? ", Secure Boot" : ""
            rows.append(("firmware", (firmware == .uefi ? "UEFI" : "BIOS") + secure))
        }
        for (disk, source) in zip(machine.disks, described.sources) {
            let facts: [String?] = [
                disk.bus?.rawValue, disk.controller, disk.capacity.map { "\($0 >> 20) MiB" },
                disk.bootOrder.map { "boot order \($0)" }, source.parts.isEmpty ? "not there" : nil,
            ]
            rows.append(("disk", listed(disk.file, facts)))
        }
        for drive in machine.removableDrives {
            rows.append(("drive", listed(drive.kind == .cdrom ? "CD-ROM" : "floppy", [drive.bus?.rawValue])))
        }
        for card in machine.networkCards {
            rows.append(("card", listed(card.mac ?? "no address", [card.model, card.network.map { "on \($0)" }])))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + PlanText.harmless(value) + "\n"
        }.joined()
    }

    private static func topology(_ machine: MachineDescription) -> String {
        guard let topology = machine.topology else { return "" }
        let threads = topology.threadsPerCore > 1 ? ", \(topology.threadsPerCore) threads each" : ""
        return " (\(topology.sockets) sockets of \(topology.coresPerSocket) cores\(threads))"
    }

    private static func listed(_ name: String, _ facts: [String?]) -> String {
        let facts = facts.compactMap { $0 }
        return facts.isEmpty ? name : "\(name): \(facts.joined(separator: ", "))"
    }
}
