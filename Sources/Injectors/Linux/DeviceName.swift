/// A name that a disk or partition has because of the bus it is on. Names by UUID or label, of volumes, and of CD and
/// floppy drives aren't among them.
struct DeviceName: Hashable {
    enum Kind: Hashable {
        /// By the order on a bus: "/dev/sdb1" is disk 1 of "sd", partition 1. A whole disk has no partition.
        case ordered(bus: String, disk: Int, partition: Int?)
        /// By path or serial number, which don't tell which disk it is: "/dev/disk/by-path/…-part1".
        case hardware(partition: Int?)
    }

    /// As the guest writes it.
    let text: String
    let kind: Kind

    /// Longer names don't occur: udev's by-id names end before 256 characters, a file name's limit.
    private static let lengthLimit = 300
    /// Linux numbers up to 256 partitions on a disk of these buses (255 and the whole disk).
    private static let partitions = 1...255

    init?(_ text: String) {
        guard text.utf8.count <= Self.lengthLimit, text.hasPrefix("/dev/") else { return nil }
        let name = text.dropFirst("/dev/".count)
        guard let kind = Self.hardware(name) ?? Self.ordered(name) ?? Self.nvme(name) else { return nil }
        self.text = text
        self.kind = kind
    }

    /// The name's own number; nil for a whole disk.
    var partition: Int? {
        switch kind {
        case .ordered(_, _, let partition), .hardware(let partition): partition
        }
    }

    /// What a path or serial number has before its partition; nil for names of other kinds.
    var hardwareBase: Substring? {
        guard case .hardware = kind else { return nil }
        let name = text[...]
        return name.lastRange(of: "-part").map { name[..<$0.lowerBound] } ?? name
    }

    private static func hardware(_ name: Substring) -> Kind? {
        // by-id also has dm-, md- and lvm- names: they stay what they are on any bus.
        let folders = ["disk/by-path/", "disk/by-id/ata-", "disk/by-id/scsi-", "disk/by-id/wwn-", "disk/by-id/nvme-"]
        guard folders.contains(where: { name.hasPrefix($0) }) else { return nil }
        guard let mark = name.lastRange(of: "-part") else { return .hardware(partition: nil) }
        return .hardware(partition: number(name[mark.upperBound...]))
    }

    private static func ordered(_ name: Substring) -> Kind? {
        for bus in ["sd", "hd", "vd", "xvd"] where name.hasPrefix(bus) {
            let rest = name.dropFirst(bus.count)
            let letters = rest.prefix { ("a"..."z").contains($0) }
            let digits = rest[letters.endIndex...]
            guard let disk = index(letters) else { return nil }
            if digits.isEmpty { return .ordered(bus: bus, disk: disk, partition: nil) }
            return number(digits).map { .ordered(bus: bus, disk: disk, partition: $0) }
        }
        return nil
    }

    private static func nvme(_ name: Substring) -> Kind? {
        guard name.hasPrefix("nvme") else { return nil }
        let parts = name.dropFirst(4).split(separator: "n", omittingEmptySubsequences: false)
        guard parts.count == 2, let disk = plain(parts[0]) else { return nil }
        let tail = parts[1].split(separator: "p", omittingEmptySubsequences: false)
        guard let namespace = tail.first.flatMap(plain) else { return nil }
        var partition: Int?
        if tail.count == 2 {
            guard let found = number(tail[1]) else { return nil }
            partition = found
        } else if tail.count > 2 {
            return nil
        }
        // A controller with several namespaces: which disk it is can't be counted.
        return namespace == 1
            ? .ordered(bus: "nvme", disk: disk, partition: partition) : .hardware(partition: partition)
    }

    private static func plain(_ digits: Substring) -> Int? {
        guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits == "0" || !digits.hasPrefix("0")
        else { return nil }
        return Int(digits)
    }

    private static func number(_ digits: Substring) -> Int? {
        plain(digits).flatMap { partitions.contains($0) ? $0 : nil }
    }

    /// "a" is 0, "z" 25, "aa" 26.
    private static func index(_ letters: Substring) -> Int? {
        guard (1...3).contains(letters.utf8.count) else { return nil }
        return letters.utf8.reduce(0) { $0 * 26 + Int($1) - 0x60 } - 1
    }
}

extension Substring {
    /// Where a text occurs last.
    fileprivate func lastRange(of text: String) -> Range<Index>? {
        var end = endIndex
        while end > startIndex {
            let before = index(before: end)
            if self[before...].hasPrefix(text) {
                return before..<index(before, offsetBy: text.count)
            }
            end = before
        }
        return nil
    }
}
