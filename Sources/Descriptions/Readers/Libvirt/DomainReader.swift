internal import Foundation
internal import Guest
internal import XML

/// A machine as a libvirt domain's XML has it (https://libvirt.org/formatdomain.html).
struct DomainReader {
    /// For messages.
    let name: String
    /// Where relative paths start.
    let folder: String
    /// A volume's path by its pool and name; nil where nobody knows.
    let volume: (_ pool: String, _ volume: String) -> String?

    func read(_ bytes: [UInt8]) throws -> DescribedMachine {
        let document: XMLDocument
        do {
            document = try XMLDocument(parsing: bytes, limit: HostFile.documentLimit)
        } catch {
            throw DescriptionFailure("could not read '\(name)': \(error)", hint: "virsh dumpxml writes it anew")
        }
        let domain = document.root
        guard domain.name == "domain" else {
            throw DescriptionFailure(
                "'\(name)' is no libvirt domain: its root is '\(domain.name)'", hint: "virsh dumpxml writes one")
        }
        var machine = MachineDescription(
            name: domain.value("name") ?? HostFile.stem(name), hypervisor: hypervisor(domain["type"] ?? ""))
        if let memory = domain.first("memory") {
            machine.memory = Self.unit(memory["unit"]).flatMap { AllocationUnits.bytes(memory.text, of: $0) }
        }
        machine.processors =
            domain.value("vcpu").flatMap { Int($0) }.flatMap { (1...4096).contains($0) ? $0 : nil } ?? 1
        machine.topology = topology(domain.first("cpu")?.first("topology"))
        setFirmware(domain, &machine)
        let devices = domain.first("devices")
        machine.networkCards = (devices?.all("interface") ?? []).prefix(DescriptionSource.deviceLimit + 1).map {
            networkCard($0)
        }
        var described = DescribedMachine(machine: machine, sources: [])
        let bootDevices = domain.first("os")?.all("boot").compactMap { $0["dev"] } ?? []
        try DomainDisks(reader: self, devices: devices, bootDevices: bootDevices).add(to: &described)
        return described
    }

    private func hypervisor(_ type: String) -> String? {
        switch type {
        case "kvm", "qemu", "hvf": "kvm"
        case "xen": "xen"
        case "vmware": "vmware"
        case "vbox": "virtualbox"
        case "hyperv": "hyperv"
        default: nil
        }
    }

    /// libvirt's units; KiB where none is given.
    static func unit(_ text: String?) -> UInt64? {
        switch text {
        case nil, "k", "KiB": 1 << 10
        case "b", "bytes": 1
        case "KB": 1000
        case "M", "MiB": 1 << 20
        case "MB": 1_000_000
        case "G", "GiB": 1 << 30
        case "GB": 1_000_000_000
        case "T", "TiB": 1 << 40
        case "TB": 1_000_000_000_000
        default: nil
        }
    }

    private func topology(_ element: XMLElement?) -> MachineDescription.Topology? {
        guard let element else { return nil }
        func number(_ name: String) -> Int? {
            element[name].flatMap { Int($0) }.flatMap { (1...4096).contains($0) ? $0 : nil }
        }
        guard let sockets = number("sockets"), let cores = number("cores") else { return nil }
        return .init(
            sockets: sockets, coresPerSocket: (number("dies") ?? 1) * (number("clusters") ?? 1) * cores,
            threadsPerCore: number("threads") ?? 1)
    }

    private func setFirmware(_ domain: XMLElement, _ machine: inout MachineDescription) {
        guard let system = domain.first("os") else { return }
        let loader = system.first("loader")
        let architecture = system.first("type")?["arch"] ?? "x86_64"
        if system["firmware"] == "efi" || loader?["type"] == "pflash" {
            machine.firmware = .uefi
        } else if ["x86_64", "i686"].contains(architecture), machine.hypervisor == "kvm" {
            machine.firmware = .bios
        }
        let feature = system.first("firmware")?.all("feature").first { $0["name"] == "secure-boot" }
        if let enabled = feature?["enabled"] ?? loader?["secure"] { machine.secureBoot = enabled == "yes" }
    }

    private func networkCard(_ element: XMLElement) -> MachineDescription.NetworkCard {
        let source = element.first("source")
        return .init(
            mac: element.first("mac")?["address"].flatMap(HardwareAddress.normal),
            network: source?["network"] ?? source?["bridge"] ?? source?["dev"],
            model: element.first("model")?["type"]?.lowercased())
    }
}
