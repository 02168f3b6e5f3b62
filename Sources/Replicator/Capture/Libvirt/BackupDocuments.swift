internal import Foundation
internal import XML

/// What libvirt is asked for (https://libvirt.org/formatbackup.html, https://libvirt.org/formatcheckpoint.html).
struct BackupDocuments {
    struct Disk: Equatable {
        /// The domain's own name for it: "vda".
        var target: String
        /// The checkpoint since which changes are wanted; nil: all of the disk.
        var since: String?
        /// Takes what the guest overwrites meanwhile.
        var scratch: String
        /// Whether it can hold a bitmap.
        var isTrackable: Bool
    }

    /// Of the export, in NBD's words.
    static func bitmap(_ target: String) -> String { "changed-\(target)" }

    var disks: [Disk]
    /// Of the domain, further ones.
    var others: [String]
    var socket: String

    /// An NBD server with one export for each disk.
    func backup() -> String {
        let document = XMLDocument(root: "domainbackup")
        document.root["mode"] = "pull"
        document.root.add("server", nil, ["transport": "unix", "socket": socket])
        let list = document.root.add("disks")
        for disk in disks {
            let element = list.add(
                "disk", nil, ["name": disk.target, "backup": "yes", "type": "file", "exportname": disk.target])
            if let since = disk.since {
                element["backupmode"] = "incremental"
                element["incremental"] = since
                element["exportbitmap"] = Self.bitmap(disk.target)
            } else {
                element["backupmode"] = "full"
            }
            element.add("driver", nil, ["type": "qcow2"])
            element.add("scratch", nil, ["file": disk.scratch])
        }
        for name in others { list.add("disk", nil, ["name": name, "backup": "no"]) }
        return String(decoding: document.serialized(), as: UTF8.self)
    }

    /// nil where no disk can hold a bitmap.
    func checkpoint(_ name: String) -> String? {
        guard disks.contains(where: \.isTrackable) else { return nil }
        let document = XMLDocument(root: "domaincheckpoint")
        document.root.add("name", name)
        document.root.add("description", "rehost finds by it what has changed since a recovery point")
        let list = document.root.add("disks")
        for disk in disks {
            list.add("disk", nil, ["name": disk.target, "checkpoint": disk.isTrackable ? "bitmap" : "no"])
        }
        for name in others { list.add("disk", nil, ["name": name, "checkpoint": "no"]) }
        return String(decoding: document.serialized(), as: UTF8.self)
    }
}

extension BackupDocuments {
    /// The disks that a checkpoint has a bitmap for.
    static func targets(ofCheckpoint xml: String) -> Set<String> {
        let disks = try? XMLDocument(parsing: Array(xml.utf8)).root.first("disks")
        return Set(
            (disks ?? nil)?.all("disk").filter { $0["checkpoint"] == "bitmap" }.compactMap { $0["name"] } ?? [])
    }
}

/// What a capture needs to know of a running domain.
struct DomainFacts: Equatable {
    struct Disk: Equatable {
        var target: String
        /// qcow2 alone keeps a bitmap from one start to the next.
        var format: String
    }

    var disks: [Disk] = []
    /// Disks that are no part of a capture, CD drives included.
    var others: [String] = []
    /// Whether the guest's agent has its port open.
    var hasAgent = false
    var notes: [String] = []

    /// - Parameter xml: of the domain as it runs.
    init(_ xml: String) throws {
        let devices = try XMLDocument(parsing: Array(xml.utf8), limit: 8 << 20).root.first("devices")
        for disk in devices?.all("disk") ?? [] {
            guard let target = disk.first("target")?["dev"], !target.isEmpty else { continue }
            let isDisk = ["disk", "lun"].contains(disk["device"] ?? "disk")
            if isDisk, disk.first("source") != nil, disk.first("readonly") == nil {
                disks.append(Disk(target: target, format: disk.first("driver")?["type"] ?? "raw"))
            } else {
                others.append(target)
                if isDisk { notes.append("\(target) is left out: the machine only reads it") }
            }
        }
        hasAgent = (devices?.all("channel") ?? []).contains { channel in
            let target = channel.first("target")
            return target?["name"] == "org.qemu.guest_agent.0" && target?["state"] == "connected"
        }
    }
}
