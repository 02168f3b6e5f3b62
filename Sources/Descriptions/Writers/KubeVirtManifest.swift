public import Foundation
internal import Guest

/// A KubeVirt VirtualMachine, and a DataVolume for each disk that `virtctl image-upload` fills
/// (https://kubevirt.io/user-guide, https://github.com/kubevirt/containerized-data-importer).
public struct KubeVirtManifest: Sendable {
    private let machine: ConvertedMachine
    private let name: String

    public init(_ machine: ConvertedMachine) {
        self.machine = machine
        name = Self.label(machine.name)
    }

    public func yaml() -> Data {
        let volumes = machine.disks.indices.map { dataVolume($0).document }
        return Data((volumes + [virtualMachine.document]).joined().utf8)
    }

    /// A name as RFC 1123 has labels: lower case letters, digits and hyphens, none of them first or last. At most 50, which
    /// leaves room for "-disk12" in the 63.
    static func label(_ name: String) -> String {
        let mapped = name.lowercased().unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                ? Character(scalar) : "-"
        }
        let words = String(mapped).split(separator: "-").joined(separator: "-")
        let cut = words.prefix(50)
        let trimmed = cut.hasSuffix("-") ? cut.dropLast() : cut
        return trimmed.isEmpty ? "guest" : String(trimmed)
    }

    private func volumeName(_ disk: Int) -> String { disk == 0 ? name : "\(name)-disk\(disk + 1)" }

    private func dataVolume(_ disk: Int) -> YAMLValue {
        // With "storage", CDI adds what a file system on the volume takes itself; with "pvc" it would not. Whole GiB: some
        // classes of storage have no other sizes.
        let gibibytes = (machine.disks[disk].size &+ (1 << 30) - 1) >> 30
        return .map([
            ("apiVersion", .text("cdi.kubevirt.io/v1beta1")),
            ("kind", .text("DataVolume")),
            (
                "metadata",
                .map([
                    ("name", .text(volumeName(disk))),
                    // An upload has no machine whose node a volume could wait for.
                    ("annotations", .map([("cdi.kubevirt.io/storage.bind.immediate.requested", .text("true"))])),
                ])
            ),
            (
                "spec",
                .map([
                    ("source", .map([("upload", .map([]))])),
                    (
                        "storage",
                        .map([("resources", .map([("requests", .map([("storage", .text("\(gibibytes)Gi"))]))]))])
                    ),
                ])
            ),
        ])
    }

    private var virtualMachine: YAMLValue {
        let labels: YAMLValue = .map([("kubevirt.io/domain", .text(name))])
        return .map([
            ("apiVersion", .text("kubevirt.io/v1")),
            ("kind", .text("VirtualMachine")),
            ("metadata", .map([("name", .text(name)), ("labels", labels)])),
            (
                "spec",
                .map([
                    ("runStrategy", .text("Halted")),
                    (
                        "template",
                        .map([
                            ("metadata", .map([("labels", labels)])),
                            (
                                "spec",
                                .map([
                                    ("architecture", .text("amd64")), ("domain", domain), ("networks", networks),
                                    ("volumes", volumes),
                                ])
                            ),
                        ])
                    ),
                ])
            ),
        ])
    }

    private var domain: YAMLValue {
        let topology =
            machine.topology
            ?? .init(sockets: 1, coresPerSocket: machine.processors)
        return .map([
            ("machine", .map([("type", .text("q35"))])),
            (
                "firmware",
                .map([
                    (
                        "bootloader",
                        // Secure Boot is KubeVirt's own choice for UEFI, and asks for signatures that not every guest has.
                        machine.firmware == .uefi
                            ? .map([("efi", .map([("secureBoot", .flag(false))]))]) : .map([("bios", .map([]))])
                    )
                ])
            ),
            (
                "cpu",
                .map([
                    ("sockets", .number(topology.sockets)), ("cores", .number(topology.coresPerSocket)),
                    ("threads", .number(topology.threadsPerCore)),
                ])
            ),
            ("memory", .map([("guest", .text("\(machine.memoryMiB)Mi"))])),
            ("devices", devices),
        ])
    }

    private var devices: YAMLValue {
        let bus = machine.bus == .virtioBlk ? "virtio" : "scsi"
        let disks: [YAMLValue] = machine.disks.indices.map { index in
            .map([
                ("name", .text("disk\(index + 1)")),
                ("bootOrder", .number(machine.bootOrder(of: index))),
                ("disk", .map([("bus", .text(bus))])),
            ])
        }
        let interfaces: [YAMLValue] = machine.networkCards.enumerated().map { index, card in
            var entries: [(key: String, value: YAMLValue)] = [
                ("name", .text("net\(index + 1)")), ("model", .text("virtio")),
            ]
            if let mac = card.mac { entries.append(("macAddress", .text(mac))) }
            entries.append((index == 0 ? "masquerade" : "bridge", .map([])))
            return .map(entries)
        }
        return .map([
            ("disks", .list(disks)), ("interfaces", .list(interfaces)), ("rng", .map([])),
            // Without it KubeVirt adds a card to a machine that had none.
            ("autoattachPodInterface", .flag(!machine.networkCards.isEmpty)),
        ])
    }

    /// A pod has one network of its own; each further card needs one that the cluster's owner has made by the name of the
    /// source's.
    private var networks: YAMLValue {
        .list(
            machine.networkCards.enumerated().map { index, card in
                let name: (key: String, value: YAMLValue) = ("name", .text("net\(index + 1)"))
                if index == 0 { return .map([name, ("pod", .map([]))]) }
                let network = Self.label(card.network ?? "net\(index + 1)")
                return .map([name, ("multus", .map([("networkName", .text(network))]))])
            })
    }

    private var volumes: YAMLValue {
        .list(
            machine.disks.indices.map { index in
                .map([
                    ("name", .text("disk\(index + 1)")), ("dataVolume", .map([("name", .text(volumeName(index)))])),
                ])
            })
    }
}
