internal import Foundation
internal import Guest
internal import XML

/// A machine as an OVF describes it: VMware's, VirtualBox's, oVirt's and others'.
struct OVFReader {
    let envelope: OVFEnvelope
    let files: ApplianceFiles
    /// For messages: the OVF's, or the archive's.
    let name: String

    /// CIM's numbers of kinds of devices (CIM_ResourceAllocationSettingData.ResourceType).
    enum Kind {
        static let processor = "3"
        static let memory = "4"
        static let ide = "5"
        static let scsi = "6"
        static let ethernet = "10"
        static let floppy = "14"
        static let cd = "15"
        static let dvd = "16"
        static let disk = "17"
        /// SATA as all producers have it, and VMware's NVMe.
        static let otherStorage = "20"
    }

    func read() throws -> DescribedMachine {
        guard let system = envelope.systems.first else {
            throw DescriptionFailure(
                "'\(name)' describes no machine", hint: "export the machine anew, or name its disks yourself")
        }
        guard envelope.systems.count == 1 else {
            let names = envelope.systems.prefix(20).map { "'\(title($0))'" }.joined(separator: ", ")
            throw Refusal(
                .blocked, "'\(name)' describes \(envelope.systems.count) machines: \(names)",
                hint: "export one alone, or unpack it and name one machine's disks yourself, with --disk")
        }
        let hardware = system.sections("VirtualHardwareSection").first
        let items = hardware.map(applicable) ?? []
        let type = hardware?.first("System")?.value("VirtualSystemType")?.lowercased() ?? ""
        var machine = MachineDescription(name: title(system), hypervisor: hypervisor(type))
        machine.guestSystem = guestSystem(system)
        setProcessors(items, &machine)
        if let memory = items.first(where: { $0.value("ResourceType") == Kind.memory }) {
            // MiB where no unit is given, as oVirt has it.
            let unit = memory.value("AllocationUnits").flatMap { AllocationUnits.bytes($0) } ?? 1 << 20
            machine.memory = AllocationUnits.bytes(memory.value("VirtualQuantity"), of: unit)
        }
        setFirmware(system, hardware, &machine)
        machine.networkCards = networkCards(items, system)
        for item in items {
            switch item.value("ResourceType") {
            case Kind.cd, Kind.dvd:
                machine.removableDrives.append(.init(kind: .cdrom, bus: controller(of: item, items)?.bus))
            case Kind.floppy: machine.removableDrives.append(.init(kind: .floppy, bus: .floppy))
            default: break
            }
        }
        var described = DescribedMachine(machine: machine, sources: [])
        try OVFDisks(
            envelope: envelope, files: files, name: name, items: items, controller: { controller(of: $0, items) }
        )
        .add(to: &described)
        return described
    }

    private func title(_ system: XMLElement) -> String {
        system.value("Name") ?? system.ovf("id") ?? HostFile.stem(name)
    }

    /// Items of the default configuration; an item for it takes the place of the one for all.
    private func applicable(_ hardware: XMLElement) -> [XMLElement] {
        let configuration = envelope.configuration
        var items: [XMLElement] = []
        var places: [String: Int] = [:]
        for item in hardware.children where ["Item", "StorageItem", "EthernetPortItem"].contains(item.name) {
            if let wanted = item.ovf("configuration") {
                guard let configuration, wanted.split(separator: " ").contains(Substring(configuration)) else {
                    continue
                }
            }
            // "min" and "max" are the bounds of what may be chosen.
            guard ["normal", nil].contains(item.ovf("bound")) else { continue }
            guard let id = item.value("InstanceID") ?? item.value("InstanceId"), item.ovf("configuration") != nil,
                let place = places[id]
            else {
                (item.value("InstanceID") ?? item.value("InstanceId")).map { places[$0] = items.count }
                items.append(item)
                continue
            }
            items[place] = item
        }
        return items
    }

    private func hypervisor(_ type: String) -> String? {
        if type.hasPrefix("vmx") { return "vmware" }
        if type.hasPrefix("virtualbox") { return "virtualbox" }
        if type.contains("xen") { return "xen" }
        if type.contains("kvm") || type.contains("ovirt") || type.contains("engine") { return "kvm" }
        return nil
    }

    private func guestSystem(_ system: XMLElement) -> String? {
        let section = system.sections("OperatingSystemSection").first ?? system.sections("OperatingSystem").first
        // VMware's own word is the more exact one.
        return section?.any("osType") ?? section?.value("Description")
    }

    private func setProcessors(_ items: [XMLElement], _ machine: inout MachineDescription) {
        guard let item = items.first(where: { $0.value("ResourceType") == Kind.processor }) else { return }
        func number(_ name: String) -> Int? {
            item.value(name).flatMap { Int($0) }.flatMap { (1...4096).contains($0) ? $0 : nil }
        }
        // oVirt has sockets, cores and threads instead of a number.
        if let sockets = number("num_of_sockets") {
            let cores = number("cpu_per_socket") ?? 1
            let threads = number("threads_per_cpu") ?? 1
            machine.processors = sockets * cores * threads
            machine.topology = .init(sockets: sockets, coresPerSocket: cores, threadsPerCore: threads)
        } else if let processors = number("VirtualQuantity") {
            machine.processors = processors
            if let cores = number("CoresPerSocket"), processors % cores == 0 {
                machine.topology = .init(sockets: processors / cores, coresPerSocket: cores)
            }
        }
    }

    private func setFirmware(_ system: XMLElement, _ hardware: XMLElement?, _ machine: inout MachineDescription) {
        var settings: [String: String] = [:]
        for config in (hardware?.children ?? []) where ["Config", "ExtraConfig"].contains(config.name) {
            if let key = config.any("key"), let value = config.any("value") { settings[key.lowercased()] = value }
        }
        // VirtualBox describes its machine a second time, in its own words.
        let box = system.first("Machine")?.first("Hardware")
        let firmware = settings["firmware"]?.lowercased() ?? box?.first("Firmware")?["type"]?.lowercased()
        if let firmware {
            machine.firmware = firmware.hasPrefix("efi") ? .uefi : .bios
        } else if let type = system.value("BiosType").flatMap({ Int($0) }), type > 0 {
            // oVirt: 1 and 2 are SeaBIOS, 3 is OVMF, 4 OVMF with Secure Boot.
            machine.firmware = type < 3 ? .bios : .uefi
            if type >= 3 { machine.secureBoot = type == 4 }
        } else if ["vmware", "virtualbox"].contains(machine.hypervisor) {
            // Both leave it out where it is BIOS.
            machine.firmware = .bios
        }
        let secure = settings["bootoptions.efisecurebootenabled"] ?? settings["uefi.secureboot.enabled"]
        if let secure { machine.secureBoot = secure.lowercased() == "true" }
    }

    private func networkCards(_ items: [XMLElement], _ system: XMLElement) -> [MachineDescription.NetworkCard] {
        // VirtualBox writes addresses only into its own description of the machine, by slots.
        let box = (system.first("Machine")?.first("Hardware")?.first("Network")?.all("Adapter") ?? [])
            .filter { $0["enabled"]?.lowercased() == "true" }
            .sorted { Int($0["slot"] ?? "") ?? 0 < Int($1["slot"] ?? "") ?? 0 }
        let cards = items.filter { $0.value("ResourceType") == Kind.ethernet }
        return cards.enumerated().map { index, item in
            let written = item.value("MACAddress") ?? item.value("Address")
            let own = box.count == cards.count ? box[index]["MACAddress"] : nil
            return .init(
                mac: (written ?? own).flatMap(HardwareAddress.normal),
                network: item.value("Connection") ?? item.value("Network"),
                // oVirt's subtypes are numbers: 3 is virtio.
                model: item.value("ResourceSubType").map { $0 == "3" ? "virtio" : $0.lowercased() })
        }
    }

    private func controller(of item: XMLElement, _ items: [XMLElement]) -> OVFDisks.Controller? {
        guard let parent = item.value("Parent") else { return nil }
        guard
            let found = items.first(where: {
                ($0.value("InstanceID") ?? $0.value("InstanceId")) == parent && $0.value("ResourceType") != Kind.disk
            })
        else { return nil }
        let model = found.value("ResourceSubType")?.lowercased()
        let bus: MachineDescription.Bus? =
            switch found.value("ResourceType") {
            case Kind.ide: .ide
            case Kind.scsi: .scsi
            case Kind.otherStorage: model?.contains("nvme") == true ? .nvme : .sata
            default: nil
            }
        return .init(id: parent, bus: bus, model: model)
    }
}
