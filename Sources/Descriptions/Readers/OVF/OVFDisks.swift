internal import Foundation
internal import Guest
internal import XML

/// The disks of an OVF: which there are, in which order, and where their bytes are.
struct OVFDisks {
    struct Controller {
        var id: String
        var bus: MachineDescription.Bus?
        var model: String?
    }

    let envelope: OVFEnvelope
    let files: ApplianceFiles
    let name: String
    let items: [XMLElement]
    let controller: (XMLElement) -> Controller?

    private struct Attached {
        var item: XMLElement?
        var disk: OVFEnvelope.Disk?
        var file: OVFEnvelope.File?
        var controller: Controller?
        var place: Int
    }

    func add(to described: inout DescribedMachine) throws {
        for (index, attached) in try ordered(&described.findings).enumerated() {
            guard let file = attached.file else { continue }
            if let parent = attached.disk?.parent {
                throw Refusal(
                    .blocked, "the disk '\(file.href)' of '\(name)' holds only what changed since '\(parent)'",
                    hint: "remove the machine's snapshots and export it anew")
            }
            let source = try source(file, attached.disk, &described.findings)
            let bus = attached.controller?.bus ?? attached.disk?.interface.flatMap(Self.bus)
            described.machine.disks.append(
                .init(
                    file: files.place(of: file.href), capacity: attached.disk?.capacity, bus: bus,
                    controller: attached.controller?.model,
                    bootOrder: attached.disk?.boots == true ? 1 : nil))
            described.sources.append(source)
            if index >= DescriptionSource.deviceLimit { break }
        }
    }

    /// By controllers, in the order in which they are first used; on each by the place on it.
    private func ordered(_ findings: inout [Finding]) throws -> [Attached] {
        var found: [Attached] = []
        let byID = Dictionary(envelope.disks.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let byFile = Dictionary(
            envelope.disks.map { ($0.fileReference ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        for item in items where item.value("ResourceType") == OVFReader.Kind.disk {
            let resource = item.value("HostResource") ?? ""
            let (disk, file) = resolve(resource, byID, byFile)
            guard let file else {
                let title = item.value("ElementName") ?? resource
                findings.append(
                    Finding(
                        level: .warning, injector: "description",
                        message: "'\(title)' is left out: it is an empty disk, or has no file",
                        hint: "name a disk that is missing with --disk"))
                continue
            }
            found.append(
                Attached(
                    item: item, disk: disk, file: file, controller: controller(item),
                    place: item.value("AddressOnParent").flatMap { Int($0) } ?? 0))
        }
        // Some producers attach no disk to anything.
        if found.isEmpty {
            found = envelope.disks.compactMap { disk in
                guard let file = disk.fileReference.flatMap({ envelope.files[$0] }) else { return nil }
                return Attached(disk: disk, file: file, place: 0)
            }
        }
        var rank: [String: Int] = [:]
        for id in found.map({ $0.controller?.id ?? "" }) where rank[id] == nil { rank[id] = rank.count }
        return found.enumerated().sorted { left, right in
            let a = (rank[left.element.controller?.id ?? ""] ?? 0, left.element.place, left.offset)
            let b = (rank[right.element.controller?.id ?? ""] ?? 0, right.element.place, right.offset)
            return a < b
        }.map(\.element)
    }

    /// "ovf:/disk/vmdisk1", "ovf://file/file1", "/disk/vmdisk1"; oVirt names the file itself.
    private func resolve(
        _ resource: String, _ byID: [String: OVFEnvelope.Disk], _ byFile: [String: OVFEnvelope.Disk]
    ) -> (OVFEnvelope.Disk?, OVFEnvelope.File?) {
        let path = resource.hasPrefix("ovf:") ? resource.dropFirst(4) : Substring(resource)
        let parts = path.split(separator: "/").map(String.init)
        if parts.count == 2, parts[0] == "disk" {
            let disk = byID[parts[1]]
            return (disk, disk?.fileReference.flatMap { envelope.files[$0] })
        }
        if parts.count == 2, parts[0] == "file" { return (byFile[parts[1]], envelope.files[parts[1]]) }
        let disk = byFile[resource] ?? parts.last.flatMap { byID[$0] }
        let file = disk?.fileReference.flatMap { envelope.files[$0] }
        return (disk, file ?? envelope.files.values.first { $0.href == resource })
    }

    private static func bus(_ interface: String) -> MachineDescription.Bus? {
        switch interface.lowercased() {
        case "virtio": .virtio
        case "virtio_scsi", "spapr_vscsi", "scsi": .scsi
        case "ide": .ide
        case "sata": .sata
        default: nil
        }
    }

    // MARK: Where the bytes are

    private func source(
        _ file: OVFEnvelope.File, _ disk: OVFEnvelope.Disk?, _ findings: inout [Finding]
    ) throws -> DiskSource {
        if let scheme = file.href.firstRange(of: "://"), !scheme.isEmpty {
            throw DescriptionFailure(
                "the disk '\(file.href)' of '\(name)' is somewhere on a network",
                hint: "download it beside the OVF, and name it there by its file name")
        }
        var source = DiskSource(name: file.href, parts: [], capacity: disk?.capacity)
        switch file.compression?.lowercased() {
        case nil, "", "identity": break
        case "gzip", "gz": source.compression = .gzip
        case .some(let other):
            throw DescriptionFailure(
                "the disk '\(file.href)' of '\(name)' is compressed as '\(other)'",
                hint: "decompress it, and take the attribute ovf:compression out of the OVF")
        }
        if let part = try files.part(file.href) {
            source.parts = [part]
        } else {
            source.parts = try chunks(file, &findings)
        }
        if source.parts.isEmpty { source.absence = "'\(file.href)', a disk of '\(name)', is not there" }
        return source
    }

    private func chunks(_ file: OVFEnvelope.File, _ findings: inout [Finding]) throws -> [FilePart] {
        var parts: [Int: FilePart] = [:]
        for name in files.names(startingWith: file.href + ".") {
            let digits = name.dropFirst(file.href.count + 1)
            guard digits.count == 9, let number = Int(digits), number >= 0 else { continue }
            parts[number] = try files.part(name)
        }
        guard let last = parts.keys.max() else { return [] }
        guard let chunkSize = file.chunkSize else {
            // Some exporters number the states of a disk so, and the OVF names none of them.
            findings.append(
                Finding(
                    level: .note, injector: "description",
                    message: "'\(file.href)' is not there; its highest number, \(last), is taken"))
            return parts[last].map { [$0] } ?? []
        }
        var found: [FilePart] = []
        for number in 0...last {
            guard let part = parts[number] else {
                throw DescriptionFailure(
                    "chunk \(number) of '\(file.href)' of '\(name)' is not there",
                    hint: "copy or export the machine anew: a disk can't have a hole")
            }
            if number < last, part.size != chunkSize {
                throw DescriptionFailure(
                    "chunk \(number) of '\(file.href)' of '\(name)' has \(part.size ?? 0) bytes, not \(chunkSize)",
                    hint: "copy or export the machine anew")
            }
            found.append(part)
        }
        let total = found.reduce(0 as UInt64) { $0 &+ ($1.size ?? 0) }
        if let size = file.size, size != total {
            throw DescriptionFailure(
                "the chunks of '\(file.href)' of '\(name)' have \(total) bytes, not \(size)",
                hint: "copy or export the machine anew: one is missing at the end, or cut")
        }
        return found
    }
}
