public import Foundation
internal import Guest

/// What Glance and Nova need to know of each disk, as JSON: the fields of an image, and under "properties" what goes to
/// `openstack image create --property`
/// (https://docs.openstack.org/glance/latest/admin/useful-image-properties.html).
public struct OpenStackImages: Sendable {
    private struct Document: Encodable {
        var schema = "rehost.openstack/1"
        /// The one to start from first; volumes made from the others are attached in their order.
        var images: [Image]
    }

    private struct Image: Encodable {
        enum CodingKeys: String, CodingKey {
            case name, file, properties
            case diskFormat = "disk_format"
            case containerFormat = "container_format"
            case minDisk = "min_disk"
            case minRAM = "min_ram"
        }

        var name: String
        /// The name of a file beside this one.
        var file: String
        var diskFormat: String
        var containerFormat = "bare"
        /// In GiB.
        var minDisk: UInt64
        /// In MiB; 0 where nothing is known.
        var minRAM: UInt64
        var properties: [String: String]
    }

    private let machine: ConvertedMachine

    public init(_ machine: ConvertedMachine) { self.machine = machine }

    public func json() throws -> Data {
        let order = machine.disks.indices.sorted { machine.bootOrder(of: $0) < machine.bootOrder(of: $1) }
        let images = order.map { index in
            let disk = machine.disks[index]
            let isBootDisk = index == machine.bootDisk
            return Image(
                name: machine.name + (isBootDisk ? "" : "-disk\(index + 1)"),
                file: URL(fileURLWithPath: disk.path).lastPathComponent,
                // Glance's word for what QEMU calls vpc.
                diskFormat: disk.format == "vpc" ? "vhd" : disk.format,
                minDisk: (disk.size &+ (1 << 30) - 1) >> 30, minRAM: isBootDisk ? machine.knownMemoryMiB ?? 0 : 0,
                properties: isBootDisk ? properties : hardware)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Document(images: images)) + Data("\n".utf8)
    }

    /// What a volume made of any of the disks is attached by.
    private var hardware: [String: String] {
        var properties = ["architecture": machine.architecture]
        switch machine.bus {
        case .virtioBlk: properties["hw_disk_bus"] = "virtio"
        case .virtioSCSI:
            properties["hw_disk_bus"] = "scsi"
            properties["hw_scsi_model"] = "virtio-scsi"
        }
        return properties
    }

    private var properties: [String: String] {
        var properties = hardware
        properties["hw_firmware_type"] = machine.firmware == .uefi ? "uefi" : "bios"
        // Nova's own choice may need keys that nobody has signed for.
        if machine.firmware == .uefi { properties["os_secure_boot"] = "disabled" }
        properties["hw_machine_type"] = "q35"
        properties["hw_vif_model"] = "virtio"
        properties["hw_rng_model"] = "virtio"
        properties["hw_qemu_guest_agent"] = machine.hasGuestAgent ? "yes" : "no"
        properties["os_type"] = "linux"
        properties["os_distro"] = Self.distribution(machine.system.id)
        properties["os_version"] = Self.plain(machine.system.version)
        return properties.filter { !$0.value.isEmpty }
    }

    /// os-release's ID in libosinfo's words, which Glance's are.
    private static func distribution(_ id: String) -> String {
        switch id {
        case _ where id.hasPrefix("opensuse"): "opensuse"
        case "sles_sap": "sles"
        case "alpine": "alpinelinux"
        case "amzn": "amazonlinux"
        default: plain(id)
        }
    }

    /// A property's value has 255 characters at most; a guest's file can say anything.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter { $0.properties.generalCategory != .control }.prefix(255)))
    }
}
