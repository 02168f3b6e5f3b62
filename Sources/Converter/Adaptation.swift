public import Guest
public import Injectors

/// What a conversion is asked to do.
public struct Adaptation: Sendable {
    public enum FirmwareChoice: String, Sendable, CaseIterable {
        case bios
        case uefi
        case keep
    }

    public enum NetworkChoice: String, Sendable, CaseIterable {
        case dhcp
        case keep
    }

    public enum ToolsChoice: String, Sendable, CaseIterable {
        case disable
        /// Disabled, and removed by the guest itself when it starts: Windows.
        case uninstall
        case keep
    }

    public enum DiskBus: String, Sendable, CaseIterable {
        case virtioBlk = "virtio-blk"
        case virtioSCSI = "virtio-scsi"

        /// The driver of virtio-win that its disks need.
        var windowsDriver: String { self == .virtioBlk ? "viostor" : "vioscsi" }
    }

    public var firmware = FirmwareChoice.bios
    public var network = NetworkChoice.dhcp
    /// Which of the new machine's cards some interfaces get.
    public var cards: [CardMatch] = []
    public var vmwareTools = ToolsChoice.disable
    public var diskBus = DiskBus.virtioBlk
    public var initramfs = VirtioInitramfs.Method.auto
    /// A package of the QEMU guest agent, for guests without one.
    public var guestAgent: AgentPackage?
    /// Drivers for a Windows guest.
    public var driverMedia: DriverMedia?
    /// Names of injectors that are left out.
    public var skip: Set<String> = []

    public init() {}

    /// By what the converted guest will be started.
    public func targetFirmware(for guest: Inspection) -> Firmware {
        switch firmware {
        case .bios: .bios
        case .uefi: .uefi
        case .keep: guest.firmware == .both ? .bios : guest.firmware
        }
    }
}
