import Guest

@testable import Descriptions

extension ConvertedMachine {
    /// - Parameter path: of the first disk.
    static func sample(
        from source: MachineDescription? = nil, name: String = "web01", firmware: Guest.Firmware = .bios,
        bus: DiskBus = .virtioBlk, disks: Int = 1, boot: Int = 0, path: String = "/out/web01.qcow2",
        format: String = "qcow2", system: OSRelease = OSRelease(id: "debian", version: "12", prettyName: "Debian 12"),
        tools: [String] = []
    ) -> ConvertedMachine {
        let guest = Inspection(
            osRelease: system, architecture: "x86_64", hostName: nil, firmware: firmware, disks: [],
            fileSystems: [], mounts: [], kernels: [], bootLoader: .unknown, networkFormats: [], tools: tools)
        return ConvertedMachine(
            from: source, named: name, guest: guest, firmware: firmware, bus: bus,
            disks: (0..<disks).map {
                .init(
                    path: $0 == 0 ? path : "/out/web01-disk\($0 + 1).qcow2", format: format,
                    size: 10 << 30 + UInt64($0))
            }, bootDisk: boot)
    }
}

extension MachineDescription {
    /// What a VMX may say of a machine with three cards, one of them with no address, on two networks.
    static var sample: MachineDescription {
        MachineDescription(
            name: "Web <01> & \"co\"", hypervisor: "vmware", memory: 6 << 30, processors: 8,
            topology: .init(sockets: 2, coresPerSocket: 4), firmware: .bios, guestSystem: "debian12_64Guest",
            networkCards: [
                .init(mac: "00:50:56:AA:BB:01", network: "VLAN 10 (prod)", model: "vmxnet3"),
                .init(mac: "00:50:56:aa:bb:02", network: "Sicherung & \"Archiv\"", model: "e1000"),
                .init(mac: "01:00:5e:00:00:01", network: nil, model: "e1000"),
            ])
    }
}
