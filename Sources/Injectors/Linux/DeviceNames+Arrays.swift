import Guest

extension DeviceNames {
    /// mdadm finds arrays by the UUIDs on their members; only settings that name disks hide them on another bus.
    func adaptArrays(_ draft: inout Draft, _ guest: Inspection) throws {
        for path: GuestPath in ["/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"] {
            guard let bytes = try draft.editableBytes(path, limit: Self.tableLimit) else { continue }
            var file = ByteLines(bytes)
            var was: [String] = []
            var now: [String] = []
            for index in file.lines.indices {
                guard let new = Self.renewed(file, index) else { continue }
                was.append(file.text(index))
                now.append(new)
                file.lines[index] = Array(new.utf8)
            }
            guard !was.isEmpty else { continue }
            draft.record("device-name", of: "RAID arrays", in: path, ["was": was, "now": now])
            try draft.write(path, file.bytes)
        }
    }

    /// The line without names of disks; nil where it has none. mdadm.conf(5): a line that begins with a blank goes on
    /// with the one before it.
    private static func renewed(_ file: ByteLines, _ index: Int) -> String? {
        let line = file.text(index)
        guard line.utf8.count < 16 << 10 else { return nil }
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        switch keyword(of: file, index) {
        case "device":
            // Without any, mdadm takes what /proc/partitions has, on any bus.
            guard words.contains(where: isDiskName), !words.contains(where: { $0.lowercased() == "partitions" }) else {
                return nil
            }
            let first = words.firstIndex(where: isDiskName) ?? words.endIndex
            words.insert("partitions", at: first)
            words.removeAll(where: isDiskName)
        case "array":
            // The UUID, name or number on the members says the same.
            guard words.contains(where: isDeviceList), lines(ofEntryAt: index, in: file).contains(where: isIdentified)
            else { return nil }
            words.removeAll(where: isDeviceList)
        default: return nil
        }
        return words.joined(separator: " ")
    }

    /// Whoever has more lines than this for one array means no good.
    private static let entryLimit = 64

    private static func lines(ofEntryAt index: Int, in file: ByteLines) -> ArraySlice<[UInt8]> {
        func goesOn(_ line: [UInt8]) -> Bool { line.first == 0x20 || line.first == 0x09 }
        var start = index
        while start > 0, index - start < entryLimit, goesOn(file.lines[start]) { start -= 1 }
        var end = index + 1
        while end < file.lines.count, end - index < entryLimit, goesOn(file.lines[end]) { end += 1 }
        return file.lines[start..<end]
    }

    private static func keyword(of file: ByteLines, _ index: Int) -> String {
        guard let line = lines(ofEntryAt: index, in: file).first,
            let first = FieldLine(line)?.text(0)?.lowercased(), first.utf8.count >= 3
        else { return "" }
        // mdadm takes any beginning of three letters or more.
        return ["device", "array"].first { $0.hasPrefix(first) } ?? ""
    }

    private static func isIdentified(_ line: [UInt8]) -> Bool {
        String(decoding: line.prefix(16 << 10), as: UTF8.self).lowercased().split { $0 == " " || $0 == "\t" }.contains {
            $0.hasPrefix("uuid=") || $0.hasPrefix("name=") || $0.hasPrefix("super-minor=")
        }
    }

    private static func isDeviceList(_ word: String) -> Bool {
        word.lowercased().hasPrefix("devices=") && word.contains("/dev/")
    }

    /// "/dev/sda1", or a pattern of such: "/dev/sd*[0-9]".
    private static func isDiskName(_ word: String) -> Bool {
        ["/dev/sd", "/dev/hd", "/dev/xvd", "/dev/nvme", "/dev/disk/by-path/", "/dev/disk/by-id/", "/dev/[sh]d"]
            .contains { word.hasPrefix($0) }
    }
}
