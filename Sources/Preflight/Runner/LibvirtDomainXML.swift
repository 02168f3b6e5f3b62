internal import Foundation
internal import Glibc
internal import Guest
internal import Host
internal import XML

/// A ``Machine`` as a libvirt domain for one boot test (https://libvirt.org/formatdomain.html). What it starts from is the
/// domain that `convert` wrote, or the like of it.
///
/// libvirt makes the machine with its disks. Serial ports, card, agent's port and the firmware's messages are QEMU's own
/// options, the same as in a QEMU of ours: libvirt's files would be written by its log daemon as root and turned over at
/// 2 MiB, its user network leads outside, and it would hold the agent's socket itself.
struct LibvirtDomainXML {
    var name: String
    var machine: Machine
    var accelerator: Accelerator
    /// qcow2 overlays, in the machine's order.
    var disks: [String]
    var files: MachineFiles
    /// nil for BIOS.
    var firmware: UEFIFirmware?
    /// The security drivers that libvirt has on: "selinux", "apparmor", "dac".
    var securityModels: [String]
    var userID = getuid()
    var groupID = getgid()

    /// PCI slots that libvirt leaves alone: it counts its own up from 1, and the chipset's are at 0x1a and above.
    private static let slots = (card: 0x18, agent: 0x19)
    /// What says something about the machine; the rest would reach for this host, or is of no use in a test.
    private static let keptParts: Set = ["os", "features", "clock", "cpu", "devices"]
    private static let keptDevices: Set = ["disk", "controller", "video"]

    /// libvirt's namespace for QEMU's own options (https://libvirt.org/drvqemu.html#pass-through-of-arbitrary-qemu-commands).
    private static let qemu = XMLNamespace("http://libvirt.org/schemas/domain/qemu/1.0", prefix: "qemu")

    /// - Parameter written: nil for a domain of the machine alone.
    func xml(from written: WrittenDomain?) throws -> String {
        let document = try WrittenDomain.document(written?.text ?? Array(plain.utf8))
        let domain = document.root
        domain["type"] = accelerator == .kvm ? "kvm" : "qemu"
        domain["id"] = nil
        domain.keep { Self.keptParts.contains($0.name) && (accelerator == .kvm || $0.name != "cpu") }
        // It has to be that of the number of processors, which may be another here.
        domain.first("cpu")?.keep { $0.name != "topology" }
        // What it says of the processor is for KVM; a processor of the host's kind can't be emulated as such.
        if accelerator == .tcg {
            let processor = domain.add("cpu", nil, ["mode": "maximum"])
            // As for QEMUArguments.processor.
            processor.add("feature", nil, ["policy": "disable", "name": "la57"])
        }
        domain.add("name", name)
        domain.add("memory", "\(machine.memoryMiB)", ["unit": "MiB"])
        domain.add("vcpu", "\(machine.processors)")
        for (event, action) in [("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")] {
            domain.add("on_\(event)", action)
        }
        setFirmware(domain.first("os") ?? domain.add("os"))
        setDevices(domain.first("devices") ?? domain.add("devices"), WrittenDomain.disks(domain))
        for model in securityModels { addLabel(model, to: domain) }
        let options = QEMUArguments(
            machine: machine, network: try UserNetwork(machine.network, gateway: machine.gateway),
            accelerator: accelerator, disks: disks, files: files, isIsolated: false, firmware: firmware,
            slots: Self.slots)
        let line = domain.add("commandline", in: Self.qemu)
        for option in options.watching { line.add("arg", nil, ["value": option], in: Self.qemu) }
        return String(decoding: document.serialized(), as: UTF8.self)
    }

    private func setFirmware(_ system: XMLElement) {
        system["firmware"] = nil
        system.keep { $0.name == "type" }
        guard let firmware else { return }
        // Named, since libvirt's own choice would leave a file of variables behind for each boot.
        system.add("loader", firmware.code, ["readonly": "yes", "type": "pflash"])
        system.add("nvram", files.variables)
    }

    private func setDevices(_ devices: XMLElement, _ written: [XMLElement]) {
        for (index, disk) in written.enumerated() where disks.indices.contains(index) {
            disk["type"] = "file"
            disk["device"] = "disk"
            disk.keep { $0.name == "target" || $0.name == "boot" }
            disk.add(
                "driver", nil, ["name": "qemu", "type": "qcow2", "cache": "unsafe", "discard": "unmap"])
            disk.add("source", nil, ["file": disks[index]])
            disk.add("serial", "rehost-disk\(index)")
        }
        devices.keep { device in
            Self.keptDevices.contains(device.name)
                // CD drives and floppies go; the port for the agent is an option of ours.
                && !(device.name == "disk" && device["device"] != "disk")
                && !(device.name == "controller" && device["type"] == "virtio-serial")
        }
        if devices.first("video") == nil { devices.add("video").add("model", nil, ["type": "vga"]) }
        devices.add("memballoon", nil, ["model": "none"])
        devices.add("rng", nil, ["model": "virtio"]).add("backend", "/dev/urandom", ["model": "random"])
    }

    /// QEMU runs as the user who asks for the test, and nothing gets another owner or label: it reaches the overlays and
    /// the images as `rehost` itself does, and those stay as they are.
    private func addLabel(_ model: String, to domain: XMLElement) {
        guard model != "none" else { return }
        guard model == "dac" else {
            domain.add("seclabel", nil, ["type": "none", "model": model])
            return
        }
        domain.add("seclabel", nil, ["type": "static", "model": "dac", "relabel": "no"])
            .add("label", "+\(userID):+\(groupID)")
    }

    /// What `convert` would write for this machine. Nothing in it needs to be escaped.
    private var plain: String {
        let bus = machine.bus == .virtioBlk ? "virtio" : machine.bus == .virtioSCSI ? "scsi" : "sata"
        let boots = disks.indices.map { $0 == machine.bootDisk ? 1 : $0 + 2 }
        let devices = disks.indices.map { index in
            let name = (bus == "virtio" ? "vd" : "sd") + GuestDisk.letters(index)
            return "<disk device='disk'><target dev='\(name)' bus='\(bus)'/><boot order='\(boots[index])'/></disk>"
        }
        let controller = bus == "scsi" ? "<controller type='scsi' model='virtio-scsi'/>" : ""
        return """
            <domain><os><type arch='x86_64' machine='\(machine.chipset.rawValue)'>hvm</type></os>
            <features><acpi/><apic/></features><clock offset='utc'/>
            <cpu mode='host-passthrough'/>
            <devices>\(devices.joined())\(controller)</devices></domain>
            """
    }
}
