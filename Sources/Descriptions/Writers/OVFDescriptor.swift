public import Foundation
internal import Guest
internal import XML

/// An OVF envelope for the converted disks (DMTF DSP0243 1.1, as VMware, VirtualBox, Proxmox and virt-v2v read it).
///
/// Its devices are the ones that every importer knows, as in the OVAs of distributions: an LSI Logic controller, E1000
/// cards. Who imports into KVM puts virtio in their place; elsewhere the guest still has its drivers for them.
public struct OVFDescriptor: Sendable {
    /// A disk's file in the package.
    public struct File: Equatable, Sendable {
        public var name: String
        /// In bytes.
        public var size: UInt64

        public init(name: String, size: UInt64) {
            self.name = name
            self.size = size
        }
    }

    private static let ovf = XMLNamespace("http://schemas.dmtf.org/ovf/envelope/1", prefix: "ovf")
    private static let rasd = XMLNamespace(
        "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData", prefix: "rasd")
    private static let vssd = XMLNamespace(
        "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData", prefix: "vssd")
    private static let vmw = XMLNamespace("http://www.vmware.com/schema/ovf", prefix: "vmw")
    private static let streamOptimized =
        "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
    /// ESXi 6.5's: the first whose UEFI is no experiment.
    private static let hardware = "vmx-13"

    private let machine: ConvertedMachine
    private let files: [File]

    /// - Parameter files: one for each of the machine's disks.
    public init(_ machine: ConvertedMachine, files: [File]) {
        self.machine = machine
        self.files = files
    }

    public func xml() -> Data {
        let document = XMLDocument(
            root: "Envelope", in: Self.ovf, declaring: [Self.rasd, Self.vssd, Self.vmw])
        let envelope = document.root
        let references = envelope.add("References")
        for (index, file) in files.enumerated() {
            let element = references.add("File")
            element.set("href", Self.reference(file.name), in: Self.ovf)
            element.set("id", "file\(index + 1)", in: Self.ovf)
            element.set("size", "\(file.size)", in: Self.ovf)
        }
        let disks = envelope.add("DiskSection")
        disks.add("Info", "The virtual disks")
        for (index, disk) in machine.disks.enumerated() {
            let element = disks.add("Disk")
            element.set("capacity", "\(disk.size)", in: Self.ovf)
            element.set("capacityAllocationUnits", "byte", in: Self.ovf)
            element.set("diskId", "vmdisk\(index + 1)", in: Self.ovf)
            element.set("fileRef", "file\(index + 1)", in: Self.ovf)
            element.set("format", Self.streamOptimized, in: Self.ovf)
        }
        if !networkNames.isEmpty {
            let networks = envelope.add("NetworkSection")
            networks.add("Info", "The networks")
            for name in networkNames {
                let network = networks.add("Network")
                network.set("name", name, in: Self.ovf)
                network.add("Description", "The network '\(name)' of the source")
            }
        }
        addSystem(to: envelope)
        return document.serialized()
    }

    /// Each once, in the cards' order.
    private var networkNames: [String] {
        machine.networkCards.map(Self.network).reduce(into: []) { names, name in
            if !names.contains(name) { names.append(name) }
        }
    }

    private static func network(of card: MachineDescription.NetworkCard) -> String {
        let name = (card.network ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        return name.isEmpty ? "VM Network" : name
    }

    /// A relative reference (RFC 3986): all but unreserved characters in percents.
    static func reference(_ name: String) -> String {
        var unreserved = CharacterSet(charactersIn: "a"..."z")
        unreserved.insert(charactersIn: "A"..."Z")
        unreserved.insert(charactersIn: "0"..."9")
        unreserved.insert(charactersIn: "-._~")
        return name.addingPercentEncoding(withAllowedCharacters: unreserved) ?? name
    }

    private func addSystem(to envelope: XMLElement) {
        let system = envelope.add("VirtualSystem")
        system.set("id", machine.name, in: Self.ovf)
        system.add("Info", "A virtual machine")
        system.add("Name", machine.name)
        let operating = system.add("OperatingSystemSection")
        operating.set("id", "\(Self.system(machine))", in: Self.ovf)
        if let guest = machine.vmwareGuestSystem { operating.set("osType", guest, in: Self.vmw) }
        operating.add("Info", "The guest operating system")
        operating.add("Description", machine.system.prettyName)
        let section = system.add("VirtualHardwareSection")
        section.add("Info", "Virtual hardware requirements")
        let settings = section.add("System")
        settings.add("ElementName", "Virtual Hardware Family", in: Self.vssd)
        settings.add("InstanceID", "0", in: Self.vssd)
        settings.add("VirtualSystemIdentifier", machine.name, in: Self.vssd)
        settings.add("VirtualSystemType", Self.hardware, in: Self.vssd)
        addDevices(to: section)
        addConfiguration("firmware", machine.firmware == .uefi ? "efi" : "bios", to: section)
        if machine.firmware == .uefi { addConfiguration("bootOptions.efiSecureBootEnabled", "false", to: section) }
        if machine.bootDisk > 0 {
            // OVF itself has no order of disks; VMware's BIOS takes this, others start from the first.
            let (controller, unit) = Self.place(of: machine.bootDisk)
            addConfiguration("bios.hddOrder", "scsi\(controller):\(unit)", to: section, element: "ExtraConfig")
        }
    }

    /// A disk's controller and address there: 15 on each, the controller's own is 7.
    private static func place(of disk: Int) -> (controller: Int, unit: Int) {
        let place = disk % 15
        return (disk / 15, place < 7 ? place : place + 1)
    }

    private func addConfiguration(
        _ key: String, _ value: String, to section: XMLElement, element name: String = "Config"
    ) {
        let element = section.add(name, in: Self.vmw)
        element.set("required", "false", in: Self.ovf)
        element.set("key", key, in: Self.vmw)
        element.set("value", value, in: Self.vmw)
    }

    /// CIM's numbers of operating systems (CIM_OperatingSystem.OSType): what the distribution is, else Linux.
    private static func system(_ machine: ConvertedMachine) -> Int {
        let is64 = machine.architecture == "x86_64"
        switch machine.system.id {
        case "rhel": return is64 ? 80 : 79
        case "sles": return is64 ? 85 : 84
        case "ubuntu": return is64 ? 94 : 93
        case "debian": return is64 ? 96 : 95
        case "centos": return is64 ? 107 : 106
        default: return is64 ? 101 : 36
        }
    }
}

extension OVFDescriptor {
    /// CIM's numbers of resources (CIM_ResourceAllocationSettingData.ResourceType).
    private enum Resource: Int {
        case processor = 3
        case memory = 4
        case scsi = 6
        case ethernet = 10
        case disk = 17
    }

    private func addDevices(to section: XMLElement) {
        var next = 0
        /// The fields in the order of the alphabet, as the schema has them in a sequence.
        @discardableResult
        func add(_ resource: Resource, _ name: String, _ fields: [(String, String)]) -> XMLElement {
            next += 1
            let all =
                fields + [
                    ("ElementName", name), ("InstanceID", "\(next)"), ("ResourceType", "\(resource.rawValue)"),
                ]
            let item = section.add("Item")
            for (name, value) in all.sorted(by: { $0.0 < $1.0 }) { item.add(name, value, in: Self.rasd) }
            return item
        }
        let processors = add(
            .processor, "\(machine.processors) virtual CPUs",
            [("AllocationUnits", "hertz * 10^6"), ("VirtualQuantity", "\(machine.processors)")])
        if let topology = machine.topology {
            let cores = processors.add(
                "CoresPerSocket", "\(topology.coresPerSocket * topology.threadsPerCore)", in: Self.vmw)
            cores.set("required", "false", in: Self.ovf)
        }
        add(
            .memory, "\(machine.memoryMiB) MiB of memory",
            [("AllocationUnits", "byte * 2^20"), ("VirtualQuantity", "\(machine.memoryMiB)")])
        let first = next + 1
        for index in 0...Self.place(of: max(0, machine.disks.count - 1)).controller {
            add(.scsi, "SCSI Controller \(index)", [("Address", "\(index)"), ("ResourceSubType", "lsilogic")])
        }
        for index in machine.disks.indices {
            let (controller, unit) = Self.place(of: index)
            add(
                .disk, "Hard Disk \(index + 1)",
                [
                    ("AddressOnParent", "\(unit)"), ("HostResource", "ovf:/disk/vmdisk\(index + 1)"),
                    ("Parent", "\(first + controller)"),
                ])
        }
        for (index, card) in machine.networkCards.enumerated() {
            var fields = [
                ("AddressOnParent", "\(index)"), ("AutomaticAllocation", "true"),
                ("Connection", Self.network(of: card)), ("ResourceSubType", "E1000"),
            ]
            if let mac = card.mac { fields.append(("Address", mac)) }
            add(.ethernet, "Network Adapter \(index + 1)", fields)
        }
    }
}

/// The checksums of an OVF's files, one a line (DSP0243, section 5.1).
public enum OVFManifest {
    /// - Parameter digests: each file's name and its SHA-256 in hexadecimal digits.
    public static func text(_ digests: [(name: String, sha256: String)]) -> Data {
        Data(digests.map { "SHA256(\($0.name))= \($0.sha256)\n" }.joined().utf8)
    }
}
