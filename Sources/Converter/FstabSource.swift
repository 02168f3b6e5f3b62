internal import Guest

/// What the names in a guest's fstab mean on the given disks.
struct FstabSources {
    var fileSystems: [FileSystem]
    var disks: [GuestDisk]
    var sets: [VolumeSet] = []
    /// The names that mdadm.conf gives arrays, by the arrays' UUIDs in lower case without colons.
    var arrayNames: [String: String] = [:]
    /// Two disks that the guest counts the other way round, as its root's own name tells.
    var exchange: (Int, Int)?

    init(_ fileSystems: [FileSystem], _ disks: [GuestDisk] = [], sets: [VolumeSet] = []) {
        self.fileSystems = fileSystems
        self.disks = disks
        self.sets = sets
    }

    /// Learns from the name that the root has in fstab, and where it was found.
    mutating func learnOrder(rootName: String, foundOn device: String) {
        guard let name = BusName(rootName), let number = name.partition,
            let found = FileSystem(device: device, type: "").partition, found.number == number,
            let actual = disks.first(where: { $0.device == found.disk })?.index, actual != name.disk
        else { return }
        exchange = (name.disk, actual)
    }

    /// Learns the names of arrays: `ARRAY /dev/md0 metadata=1.2 UUID=…`.
    mutating func learnArrays(_ configuration: String) {
        for line in configuration.split(whereSeparator: \.isNewline).prefix(1000) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).prefix(32).map(String.init)
            guard words.count > 1, words[0].uppercased() == "ARRAY" else { continue }
            for word in words where word.lowercased().hasPrefix("uuid=") {
                arrayNames[Self.plain(word.dropFirst("uuid=".count))] = words[1]
            }
        }
    }

    /// mdadm writes a UUID with colons, blkid with dashes.
    private static func plain(_ uuid: some StringProtocol) -> String {
        uuid.lowercased().filter { $0 != ":" && $0 != "-" }
    }

    /// - Parameter type: what fstab says is there; it decides where a name alone doesn't.
    func meant(by source: String, type: String = "auto") -> FileSystem? {
        let parts = source.split(separator: "=", maxSplits: 1).map { String($0).trimming("\"'") }
        if parts.count == 2, !source.hasPrefix("/") { return tagged(parts[0].uppercased(), parts[1]) }
        for folder in ["uuid", "label", "partuuid", "partlabel"] {
            let prefix = "/dev/disk/by-\(folder)/"
            if source.hasPrefix(prefix) {
                return tagged(folder.uppercased(), Self.unescaped(source.dropFirst(prefix.count)))
            }
        }
        if source.hasPrefix("/dev/mapper/") { return mapped(source) }
        if source.hasPrefix("/dev/md") { return array(source) }
        if source.hasPrefix("/dev/disk/by-") { return byHardware(source, type: type) }
        if let name = BusName(source) {
            var disk = name.disk
            if let exchange { disk = disk == exchange.0 ? exchange.1 : disk == exchange.1 ? exchange.0 : disk }
            let device = "/dev/sd" + GuestDisk.letters(disk) + (name.partition.map(String.init) ?? "")
            return fileSystems.first { $0.device == device }
        }
        return fileSystems.first { $0.device == source }
    }

    private func tagged(_ tag: String, _ value: String) -> FileSystem? {
        switch tag {
        case "UUID": return fileSystems.first { $0.uuid?.lowercased() == value.lowercased() }
        case "LABEL": return fileSystems.first { $0.label == value }
        case "PARTUUID": return fileSystems.first { $0.partitionUUID?.lowercased() == value.lowercased() }
        case "PARTLABEL":
            for disk in disks {
                guard case .gpt(let table) = disk.table, let entry = table.entries.first(where: { $0.name == value })
                else { continue }
                return fileSystems.first { $0.device == "\(disk.device)\(entry.number)" }
            }
            return nil
        default: return nil
        }
    }

    /// udev writes what a file name can't hold as \x20.
    private static func unescaped(_ name: Substring) -> String {
        var result: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x"),
                let code = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
            {
                result.append(code)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func mapped(_ source: String) -> FileSystem? {
        // Device mapper writes a volume's dashes twice, and one between group and volume.
        let name = source.dropFirst("/dev/mapper/".count)
        if let volume = fileSystems.first(where: { system in
            let parts = system.device.split(separator: "/").dropFirst()
            return system.device == source
                || parts.map { $0.replacing("-", with: "--") }.joined(separator: "-") == name
        }) {
            return volume
        }
        // The one unlocked device, whatever the guest's crypttab calls it.
        let unlocked = fileSystems.filter { $0.device.hasPrefix("/dev/mapper/rehost-") && $0.type != "LVM2_member" }
        return unlocked.count == 1 ? unlocked.first : nil
    }

    /// Arrays are numbered as they come: a guest's /dev/md0 is looked at as /dev/md127.
    private func array(_ source: String) -> FileSystem? {
        let arrays = sets.filter { $0.kind == .array && $0.device != nil }
        // "/dev/md/root" and "/dev/md_root" are ways to write the name; "/dev/md0" has the number for a name.
        let name = source.dropFirst("/dev/md".count).drop { $0 == "/" || $0 == "_" }
        let base = name.prefix { $0 != "p" }
        let found =
            arrays.first { set in arrayNames[Self.plain(set.uuid)].map { $0 == source } ?? false }
            ?? arrays.first { set in
                let own = set.name.split(separator: ":").last.map(String.init) ?? set.name
                return own == name || (own == base && name.allSatisfy { $0.isNumber || $0 == "p" })
            } ?? arrays.first { $0.device == source } ?? (arrays.count == 1 ? arrays.first : nil)
        guard let device = found?.device else { return fileSystems.first { $0.device == source } }
        let partition = name.contains("p") && base.allSatisfy(\.isNumber) ? String(name.dropFirst(base.count)) : ""
        return fileSystems.first { $0.device == device + partition } ?? fileSystems.first { $0.device == device }
    }

    /// A path or serial number doesn't tell which disk is meant: the only one that has such a thing there is.
    private func byHardware(_ source: String, type: String) -> FileSystem? {
        let pieces = source.split(separator: "-part", omittingEmptySubsequences: false)
        guard pieces.count > 1, let number = pieces.last.flatMap({ Int($0) }) else {
            return disks.count == 1 ? fileSystems.first { $0.device == disks.first?.device } : nil
        }
        let found = fileSystems.filter { system in
            system.partition?.number == number && (type == "auto" || system.type == type)
        }
        return found.count == 1 ? found.first : nil
    }
}

/// A name by the order on a bus: /dev/sdb1, /dev/xvda, /dev/nvme0n1p2.
private struct BusName {
    /// From 0.
    var disk: Int
    var partition: Int?

    init?(_ source: String) {
        guard source.hasPrefix("/dev/"), source.utf8.count < 40 else { return nil }
        let name = source.dropFirst("/dev/".count)
        if name.hasPrefix("nvme") {
            let parts = name.dropFirst(4).split(separator: "n", omittingEmptySubsequences: false)
            guard parts.count == 2, let controller = Int(parts[0]), (0..<1000).contains(controller) else { return nil }
            let numbers = parts[1].split(separator: "p", omittingEmptySubsequences: false).map { Int($0) }
            // A controller with several namespaces can't be counted.
            guard numbers.first == 1, numbers.count <= 2 else { return nil }
            disk = controller
            if numbers.count == 2 {
                guard let number = numbers[1], number > 0 else { return nil }
                partition = number
            }
            return
        }
        guard let bus = ["xvd", "sd", "hd", "vd"].first(where: { name.hasPrefix($0) }) else { return nil }
        let rest = name.dropFirst(bus.count)
        let letters = rest.prefix { ("a"..."z").contains($0) }
        let digits = rest[letters.endIndex...]
        guard (1...3).contains(letters.utf8.count) else { return nil }
        disk = letters.utf8.reduce(0) { $0 * 26 + Int($1) - 0x60 } - 1
        if !digits.isEmpty {
            guard let number = Int(digits), number > 0 else { return nil }
            partition = number
        }
    }
}
