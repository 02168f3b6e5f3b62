import Guest
import GuestTesting
import Injectors

extension Inspection {
    /// A Debian with these kernels and nothing else.
    static func sample(
        kernels: [Kernel] = [], disks: [GuestDisk] = [], fileSystems: [FileSystem] = [], mounts: [Mount] = [],
        bootLoader: BootLoader = .unknown, firmware: Firmware = .uefi
    ) -> Inspection {
        Inspection(
            osRelease: OSRelease(id: "debian"), architecture: "x86_64", hostName: nil, firmware: firmware,
            disks: disks, fileSystems: fileSystems, mounts: mounts, kernels: kernels, bootLoader: bootLoader,
            networkFormats: [], tools: [])
    }
}

extension Injector {
    func plan(_ guest: MemoryGuest, _ inspection: Inspection) throws -> Plan {
        var draft = Draft(over: guest, disks: guest)
        draft.injector = name
        try inject(into: &draft, guest: inspection)
        return try draft.plan()
    }
}
