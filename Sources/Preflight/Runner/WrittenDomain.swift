internal import Foundation
internal import XML

/// The libvirt domain that stands beside an image: IMAGE.xml, as `convert` writes it.
public struct WrittenDomain: Sendable {
    public struct Unusable: Error, CustomStringConvertible {
        public var path: String
        public var reason: String
        public var description: String {
            "could not take the machine from '\(path)': \(reason)\nhint: move it away to boot the image in a machine of the options"
        }
    }

    public let path: String
    /// What it says of the machine; the rest are defaults.
    public let machine: Machine
    let text: [UInt8]
    private let diskCount: Int

    /// - Returns: nil where there is no such file.
    /// - Throws: ``Unusable``
    public init?(beside image: String) throws {
        let path = URL(fileURLWithPath: image).standardizedFileURL.path + ".xml"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw Unusable(path: path, reason: "it can't be read")
        }
        try self.init([UInt8](data), path: path)
    }

    init(_ text: [UInt8], path: String) throws {
        self.path = path
        self.text = text
        do {
            let domain = try Self.document(text).root
            machine = try Self.machine(domain)
            diskCount = Self.disks(domain).count
        } catch let invalid as XMLDocument.Invalid {
            throw Unusable(path: path, reason: invalid.reason)
        }
    }

    /// Whether a machine of these options and this many disks is the domain's own. Memory, processors, network and boot
    /// entry may be others.
    public func fits(_ other: Machine, diskCount: Int) -> Bool {
        machine.firmware == other.firmware && machine.chipset == other.chipset && machine.bus == other.bus
            && machine.bootDisk == other.bootDisk && self.diskCount == diskCount
    }

    /// - Throws: `XMLDocument.Invalid`
    static func document(_ text: [UInt8]) throws -> XMLDocument {
        let document = try XMLDocument(parsing: text)
        guard document.root.name == "domain" else { throw XMLDocument.Invalid("it is no libvirt domain") }
        return document
    }

    static func disks(_ domain: XMLElement) -> [XMLElement] {
        domain.first("devices")?.all("disk").filter { $0["device"] ?? "disk" == "disk" } ?? []
    }

    private static func machine(_ domain: XMLElement) throws -> Machine {
        guard let os = domain.first("os"), let type = os.first("type"), type["arch"] ?? "x86_64" == "x86_64" else {
            throw XMLDocument.Invalid("it is for no x86-64 machine")
        }
        var machine = Machine()
        machine.firmware = os["firmware"] == "efi" || os.first("loader")?["type"] == "pflash" ? .uefi : .bios
        machine.chipset = type["machine"]?.contains("q35") == true ? .q35 : .pc
        let disks = disks(domain)
        guard let target = disks.first?.first("target"), let bus = bus(target["bus"]) else {
            throw XMLDocument.Invalid("its first disk is on none of the buses virtio, scsi and sata")
        }
        machine.bus = bus
        let orders = disks.map { disk in disk.first("boot")?["order"].flatMap { Int($0) } ?? Int.max }
        machine.bootDisk = orders.indices.min { orders[$0] < orders[$1] } ?? 0
        let card = domain.first("devices")?.first("interface")
        if let card {
            guard let known = Machine.Card(rawValue: card.first("model")?["type"] ?? "") else {
                throw XMLDocument.Invalid("its network card is none of virtio, e1000 and e1000e")
            }
            machine.card = known
        } else {
            machine.card = .none
        }
        machine.mac = card?.first("mac")?["address"]?.lowercased()
        guard let memory = memory(domain.first("memory")), (64...1 << 20).contains(memory),
            let processors = Int(domain.first("vcpu")?.text ?? "1"), processors > 0
        else { throw XMLDocument.Invalid("its memory or processors are no size for a test") }
        machine.memoryMiB = memory
        // A test doesn't need all of a large machine's.
        machine.processors = min(processors, 64)
        return machine
    }

    private static func bus(_ name: String?) -> Machine.DiskBus? {
        switch name {
        case "virtio": .virtioBlk
        case "scsi": .virtioSCSI
        case "sata": .sata
        default: nil
        }
    }

    /// In MiB; libvirt's own unit is KiB (https://libvirt.org/formatdomain.html#memory-allocation).
    private static func memory(_ element: XMLElement?) -> Int? {
        guard let element, let number = Int(element.text), (0...1 << 40).contains(number) else { return nil }
        switch element["unit"] ?? "KiB" {
        case "KiB", "k": return number >> 10
        case "MiB", "M": return number
        case "GiB", "G": return number << 10
        default: return nil
        }
    }
}
