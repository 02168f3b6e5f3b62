internal import Host

/// A ``Machine`` as QEMU's command line.
struct QEMUArguments {
    var machine: Machine
    var network: UserNetwork
    var accelerator: Accelerator
    /// qcow2 overlays, in the machine's order.
    var disks: [String]
    var files: MachineFiles
    /// QEMU runs without this host's network: its own may then offer a router that leads nowhere.
    var isIsolated: Bool
    /// nil for BIOS.
    var firmware: UEFIFirmware?
    /// PCI slots of the card and the agent's port; QEMU chooses where nil.
    var slots: (card: Int, agent: Int)?

    var list: [String] {
        start + firmwareArguments + serialPorts + diskArguments + networkArguments + agentPort + [
            "-device", "virtio-rng-pci",
            // A guest is not trusted: QEMU itself may neither start programs nor gain rights.
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-chardev", "stdio,id=monitor,signal=off", "-mon", "chardev=monitor,mode=control",
        ]
    }

    /// What a machine that somebody else makes needs to be watched as ours is: `list` without machine, disks and monitor.
    var watching: [String] {
        let bios = machine.firmware == .bios ? ["-machine", "graphics=off"] + firmwareArguments : []
        return bios + serialPorts + networkArguments + agentPort
    }

    private var start: [String] {
        var type = machine.chipset.rawValue
        // SeaBIOS then copies what goes to the screen to the serial port: a boot loader without a serial console is read.
        if machine.firmware == .bios { type += ",graphics=off" }
        return [
            "-nodefaults", "-no-user-config", "-display", "none", "-vga", "std", "-rtc", "base=utc",
            "-machine", type, "-accel", accelerator.rawValue, "-cpu", Self.processor(accelerator),
            "-m", "\(machine.memoryMiB)", "-smp", "\(machine.processors)",
        ]
    }

    /// Under emulation a model with x86-64-v3, which RHEL 10 and its like ask for. QEMU's "max" has more, and boots slower
    /// with it: each thing that a kernel finds and uses is emulated.
    static func processor(_ accelerator: Accelerator) -> String { accelerator == .kvm ? "host" : "EPYC" }

    private var firmwareArguments: [String] {
        guard machine.firmware == .uefi, let firmware else {
            return [
                "-chardev", file("firmware", files.firmware), "-device", "isa-debugcon,iobase=0x402,chardev=firmware",
            ]
        }
        return [
            "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=\(escaped(firmware.code))",
            "-drive", "if=pflash,unit=1,format=raw,file=\(escaped(files.variables))",
        ]
    }

    private var serialPorts: [String] {
        [
            "-chardev", file("serial", files.serial), "-serial", "chardev:serial",
            "-chardev", file("witness", files.witness), "-serial", "chardev:witness",
        ]
    }

    private var diskArguments: [String] {
        var list: [String] = []
        switch (machine.bus, machine.chipset) {
        case (.virtioSCSI, _): list += ["-device", "virtio-scsi-pci,id=scsi"]
        case (.sata, .pc): list += ["-device", "ich9-ahci,id=ide"]
        default: break
        }
        for (index, disk) in disks.enumerated() {
            list += [
                "-drive",
                "if=none,id=disk\(index),format=qcow2,cache=unsafe,discard=unmap,file=\(escaped(disk))",
            ]
            // The boot disk first, then the others in their order.
            let order = index == machine.bootDisk ? 0 : index + 1
            let common = "drive=disk\(index),bootindex=\(order),serial=rehost-disk\(index)"
            switch machine.bus {
            case .virtioBlk: list += ["-device", "virtio-blk-pci,\(common)"]
            case .virtioSCSI: list += ["-device", "scsi-hd,bus=scsi.0,\(common)"]
            case .sata: list += ["-device", "ide-hd,bus=ide.\(index),\(common)"]
            }
        }
        return list
    }

    private var networkArguments: [String] {
        guard machine.card != .none else { return [] }
        let model = machine.card == .virtio ? "virtio-net-pci" : machine.card.rawValue
        // No option ROM: nobody waits for a boot from the network.
        return [
            // With restrict=on a lease names neither router nor name server, so a namespace is the better way.
            "-netdev", "user,id=net,restrict=\(isIsolated ? "off" : "on"),\(network.options)",
            "-device", "\(model),netdev=net,romfile=,mac=\(machine.mac ?? Machine.defaultMAC)\(slot(slots?.card))",
            "-object", "filter-dump,id=packets,netdev=net,file=\(escaped(files.packets))",
        ]
    }

    private var agentPort: [String] {
        guard files.hasRoomForSocket else { return [] }
        return [
            "-device", "virtio-serial-pci\(slot(slots?.agent))",
            "-chardev", "socket,id=agent,server=on,wait=off,path=\(escaped(files.agent))",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        ]
    }

    private func slot(_ number: Int?) -> String { number.map { ",addr=0x" + String($0, radix: 16) } ?? "" }

    private func file(_ id: String, _ path: String) -> String { "file,id=\(id),path=\(escaped(path))" }

    /// QEMU's option parser takes two commas for one.
    private func escaped(_ path: String) -> String { path.replacing(",", with: ",,") }
}

extension Machine {
    /// Of the range that QEMU's own machines use.
    public static let defaultMAC = "52:54:00:12:34:56"
}
