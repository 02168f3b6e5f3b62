/// A machine to boot a disk in, as a value.
public struct Machine: Sendable, Codable, Equatable {
    public enum Firmware: String, Sendable, Codable, CaseIterable {
        case bios
        case uefi
    }

    /// QEMU's names.
    public enum Chipset: String, Sendable, Codable, CaseIterable {
        case pc
        case q35
    }

    public enum DiskBus: String, Sendable, Codable, CaseIterable {
        case virtioBlk = "virtio-blk"
        case virtioSCSI = "virtio-scsi"
        case sata
    }

    public enum Card: String, Sendable, Codable, CaseIterable {
        case virtio
        case e1000
        case e1000e
        case none
    }

    public var firmware = Firmware.bios
    /// A loader that the UEFI's variables name, as the source's NVRAM did: "\EFI\debian\grubx64.efi". Without one only
    /// the fallback path, \EFI\BOOT\BOOTX64.EFI, is found, as in a cloud.
    public var bootEntry: String?
    public var chipset = Chipset.q35
    public var bus = DiskBus.virtioBlk
    /// The place of the disk that the firmware starts from, from 0.
    public var bootDisk = 0
    public var card = Card.virtio
    /// "52:54:00:12:34:56"; one of QEMU's own range where it isn't given.
    public var mac: String?
    /// The network that the guest is on, with DHCP; leases start at .15. Nothing gets out of it.
    public var network = "10.0.2.0/24"
    /// The router's address on it; .2 where it isn't given.
    public var gateway: String?
    public var memoryMiB = 1024
    public var processors = 1

    public init() {}
}

extension Machine {
    /// Refuses what can't be built, before anything is started.
    public func check() throws {
        _ = try UserNetwork(network, gateway: gateway)
        if firmware == .uefi { _ = try UEFIFirmware() }
    }
}
