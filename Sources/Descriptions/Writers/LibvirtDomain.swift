public import Foundation
internal import Guest
internal import XML

/// A libvirt domain that boots the converted disks (https://libvirt.org/formatdomain.html).
public struct LibvirtDomain: Sendable {
    public enum Accelerator: String, Sendable {
        case kvm
        /// Emulation, where this host has no working KVM.
        case tcg = "qemu"
    }

    private let machine: ConvertedMachine
    private let accelerator: Accelerator

    public init(_ machine: ConvertedMachine, accelerator: Accelerator) {
        self.machine = machine
        self.accelerator = accelerator
    }

    public func xml() -> Data {
        let document = XMLDocument(root: "domain")
        let domain = document.root
        domain.set("type", accelerator.rawValue)
        // libvirt makes files of a machine's name.
        domain.add("name", machine.name.replacingOccurrences(of: "/", with: "-"))
        domain.add("memory", "\(machine.memoryMiB)", ["unit": "MiB"])
        domain.add("vcpu", "\(machine.processors)")
        let system = domain.add("os")
        if machine.firmware == .uefi { system.set("firmware", "efi") }
        system.add("type", "hvm", ["arch": machine.architecture, "machine": "q35"])
        if machine.firmware == .uefi {
            // What rehost makes bootable isn't signed by anybody; where the guest's own loader is, it may be turned on again.
            let features = system.add("firmware")
            features.add("feature", nil, ["enabled": "no", "name": "secure-boot"])
        }
        let features = domain.add("features")
        features.add("acpi")
        features.add("apic")
        addProcessor(to: domain)
        domain.add("clock", nil, ["offset": "utc"])
        addDevices(to: domain.add("devices"))
        return document.serialized()
    }

    private func addProcessor(to domain: XMLElement) {
        // libvirt's own choice lacks what x86-64-v2 asks for, and RHEL 9 and its like don't start.
        let processor = domain.add("cpu", nil, ["mode": accelerator == .kvm ? "host-model" : "maximum"])
        if let topology = machine.topology {
            processor.add(
                "topology", nil,
                [
                    "sockets": "\(topology.sockets)", "cores": "\(topology.coresPerSocket)",
                    "threads": "\(topology.threadsPerCore)",
                ])
        }
        if accelerator == .tcg {
            // Page tables of five levels are a longer walk for each miss, which is emulated.
            processor.add("feature", nil, ["policy": "disable", "name": "la57"])
        }
    }

    private func addDevices(to devices: XMLElement) {
        let isSCSI = machine.bus == .virtioSCSI
        for (index, disk) in machine.disks.enumerated() {
            let element = devices.add("disk", nil, ["type": "file", "device": "disk"])
            element.add("driver", nil, ["name": "qemu", "type": disk.format])
            element.add("source", nil, ["file": disk.path])
            element.add(
                "target", nil,
                [
                    "dev": (isSCSI ? "sd" : "vd") + GuestDisk.letters(index), "bus": isSCSI ? "scsi" : "virtio",
                ])
            // The boot disk first; firmware tries no other before it.
            element.add("boot", nil, ["order": "\(machine.bootOrder(of: index))"])
        }
        if isSCSI { devices.add("controller", nil, ["type": "scsi", "model": "virtio-scsi"]) }
        for card in machine.networkCards {
            let element = devices.add("interface", nil, ["type": "network"])
            if let mac = card.mac { element.add("mac", nil, ["address": mac]) }
            // The source's networks aren't this host's: libvirt's own is there nearly always.
            element.add("source", nil, ["network": "default"])
            element.add("model", nil, ["type": "virtio"])
        }
        devices.add("serial", nil, ["type": "pty"])
        devices.add("console", nil, ["type": "pty"])
        let agent = devices.add("channel", nil, ["type": "unix"])
        agent.add("target", nil, ["type": "virtio", "name": "org.qemu.guest_agent.0"])
        devices.add("video").add("model", nil, ["type": "vga"])
        devices.add("graphics", nil, ["type": "vnc", "autoport": "yes"])
        devices.add("rng", nil, ["model": "virtio"]).add("backend", "/dev/urandom", ["model": "random"])
    }
}
