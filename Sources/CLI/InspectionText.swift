import Converter
import Guest

/// An inspection for people: one line a fact.
enum InspectionText {
    static func render(_ guest: Inspection) -> String {
        var rows: [(String, String)] = [
            ("system", "\(guest.osRelease.prettyName) (\(guest.architecture))"),
            ("family", guest.family),
            ("host name", guest.hostName ?? "none"),
            ("firmware", firmware(guest.firmware)),
            ("boot loader", guest.windows == nil ? bootLoader(guest.bootLoader) : "Windows Boot Manager"),
        ]
        for disk in guest.disks {
            rows.append(("disk \(disk.index)", "\(PlanText.size(Int(disk.size))), \(table(disk.table))"))
        }
        for mount in guest.mounts {
            let subvolume = mount.subvolume.map { ", subvolume \($0)" } ?? ""
            // Windows has it nowhere; here it is on a folder of which nobody asks.
            let isHidden = guest.windows != nil && mount.type == "vfat"
            rows.append(
                (
                    isHidden ? "EFI system" : "\(mount.path)",
                    "\(mount.type) on \(mount.device)\(subvolume), \(PlanText.size(Int(mount.free))) free"
                ))
        }
        for kernel in guest.kernels {
            rows.append(("kernel", "\(kernel.version), initramfs \(kernel.initramfs?.description ?? "none")"))
        }
        if let windows = guest.windows { rows += windowsRows(windows) }
        rows.append(("network", list(guest.networkFormats)))
        rows += guest.network.map { ("", NetworkText.line($0)) }
        rows.append(("tools", list(guest.tools)))
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + PlanText.harmless(value) + "\n"
        }.joined()
    }

    private static func windowsRows(_ windows: WindowsInstallation) -> [(String, String)] {
        let version = windows.version
        return [
            ("version", "\(version.major).\(version.minor).\(version.build), \(version.productType.rawValue)"),
            ("folder", windows.root.description),
            ("control sets", list(windows.controlSets)),
            ("boot drivers", windows.driverScheme.rawValue),
        ]
    }

    private static func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }

    private static func firmware(_ firmware: Firmware) -> String {
        switch firmware {
        case .bios: "BIOS"
        case .uefi: "UEFI"
        case .both: "BIOS and UEFI"
        case .none: "none: no boot code and no EFI system partition"
        }
    }

    private static func bootLoader(_ loader: BootLoader) -> String {
        switch loader {
        case .grub2(let configuration, _): "GRUB 2 (\(configuration))"
        case .grubLegacy(let configuration): "GRUB legacy (\(configuration))"
        case .syslinux(let configuration): "syslinux (\(configuration))"
        case .unifiedKernels(let images): "unified kernel images (\(images.count))"
        case .loaderEntries(let entries): "boot loader entries (\(entries.count))"
        case .unknown: "unknown"
        }
    }

    private static func table(_ table: PartitionTable) -> String {
        switch table {
        case .gpt(let gpt): "GPT, \(gpt.entries.count) partitions"
        case .mbr(let mbr): "MBR, \(mbr.entries.count { $0.type != 0 }) primary partitions"
        case .none: "no partition table"
        }
    }
}
