import Guest

/// Names that udev rules and .link files give to cards by what the new hardware won't have: a MAC address, a PCI path.
struct StaleNames {
    private struct Binding {
        var file: GuestPath
        var name: String
        var values: [String: [String]]
    }

    /// Names by MAC address, lower case.
    private(set) var bound: [String: String] = [:]
    /// Names that .link files gave; unlike the lines of a generated rules file, somebody wrote these.
    private(set) var linkNames: [String] = []
    private var bindings: [Binding] = []
    /// nil: the file goes.
    private var rewritten: [(GuestPath, String?)] = []

    init(_ files: any GuestFiles) throws {
        for path in try files.files(in: "/etc/udev/rules.d", suffix: ".rules") where path != CardNaming.rule {
            guard let text = try files.configuration(path) else { continue }
            readRules(text, path)
        }
        for path in try files.files(in: "/etc/systemd/network", suffix: ".link")
        where !path.name.hasPrefix(CardNaming.linkPrefix) {
            guard let text = try files.configuration(path) else { continue }
            readLink(INIFile(text), path)
        }
        try readTable(files)
    }

    /// Of busybox; its names are laid anew where the user gives cards to them.
    private mutating func readTable(_ files: any GuestFiles) throws {
        guard try DefaultNames.areByMdev(files), let text = try files.configuration(MacTable.file) else { return }
        var table = TextLines(text)
        // What stands below the mark is laid, and holds.
        for index in table.lines.indices.prefix(while: { table.lines[$0] != MacTable.mark }) {
            guard let entry = MacTable.entry(table.lines[index] ?? "") else { continue }
            bind(entry.name, ["mac": [entry.mac]], in: MacTable.file)
            table.lines[index] = nil
        }
        if table.text != text { rewritten.append((MacTable.file, table.text)) }
    }

    /// Takes the ties away.
    func release(_ draft: inout Draft) throws {
        for binding in bindings {
            draft.record("interface-name", of: binding.name, in: binding.file, binding.values)
            let ties = ["mac", "path", "driver"].flatMap { binding.values[$0] ?? [] }
            draft.note(
                "\(binding.name): the name is no longer tied to \(ties.joined(separator: ", ")) by '\(binding.file)'")
        }
        for (path, text) in rewritten {
            if let text { try draft.write(path, text: text) } else { try draft.remove(path) }
        }
    }

    private mutating func bind(_ name: String, _ values: [String: [String]], in file: GuestPath) {
        bindings.append(Binding(file: file, name: name, values: values))
        for mac in values["mac"] ?? [] {
            if let mac = Address.mac(mac), bound[mac] == nil { bound[mac] = name }
        }
    }

    private mutating func readRules(_ text: String, _ path: GuestPath) {
        var file = TextLines(text)
        var number = 0
        var isChanged = false
        while number < file.lines.count {
            let first = number
            var rule = file.lines[number] ?? ""
            number += 1
            if rule.trimmed.hasPrefix("#") { continue }
            var parts: [String] = []
            while rule.trimmed.hasSuffix("\\"), number < file.lines.count {
                parts.append(String(rule.trimmed.dropLast()))
                rule = file.lines[number] ?? ""
                number += 1
            }
            rule = (parts + [rule]).joined()
            guard let (name, values) = Self.staleName(in: rule) else { continue }
            bind(name, values, in: path)
            for line in first..<number { file.lines[line] = nil }
            // What the generator of persistent rules writes above each.
            if first > 0, let above = file.lines[first - 1],
                above.hasPrefix("# PCI device") || above.hasPrefix("# USB device")
            {
                file.lines[first - 1] = nil
            }
            isChanged = true
        }
        if isChanged { rewritten.append((path, file.text)) }
    }

    /// The name that a rule gives to an Ethernet card by its MAC address or place; nil for every other rule.
    private static func staleName(in rule: String) -> (String, [String: [String]])? {
        guard rule.contains("NAME") else { return nil }
        var name: String?
        // udev names disks, sound cards and terminals as well.
        var isNetwork = false
        var values = ["rule": [rule.trimmed]]
        for token in rule.split(separator: ",") {
            let token = token.trimmed
            guard let operation = token.firstIndex(where: { "=!+:-".contains($0) }) else { continue }
            let key = token[..<operation].trimmed
            let rest = token[operation...]
            let value = String(rest.drop { $0 != "\"" }.dropFirst().prefix { $0 != "\"" })
            let isMatch = rest.hasPrefix("==")
            switch key {
            case "NAME" where !isMatch && !rest.hasPrefix("!="): name = value
            case "SUBSYSTEM" where isMatch, "SUBSYSTEMS" where isMatch && value == "net":
                guard value == "net" else { return nil }
                isNetwork = true
            case "ATTR{address}" where isMatch, "ATTRS{address}" where isMatch, "SYSFS{address}" where isMatch:
                values["mac", default: []].append(value)
                isNetwork = true
            case "KERNEL" where isMatch && (InterfaceName.tellsPlace(value) || ["eth*", "en*"].contains(value)):
                isNetwork = true
            case "ATTR{vendor}" where isMatch, "ATTRS{vendor}" where isMatch, "ATTR{device}" where isMatch,
                "ATTRS{device}" where isMatch:
                values["path", default: []].append(value)
            case "KERNELS" where isMatch, "ENV{ID_PATH}" where isMatch, "DEVPATH" where isMatch, "ID" where isMatch:
                values["path", default: []].append(value)
            case "DRIVERS" where isMatch && !Wildcard(value).matches("virtio_net"):
                values["driver", default: []].append(value)
            default: break
            }
        }
        guard let name, isNetwork, InterfaceName.isValid(name), !InterfaceName.isWireless(name),
            !InterfaceName.isVirtual(name), values.count > 1
        else { return nil }
        return (name, values)
    }

    private mutating func readLink(_ link: INIFile, _ path: GuestPath) {
        guard let name = link.value("Link", "Name"), !InterfaceName.isWireless(name) else { return }
        var values: [String: [String]] = [:]
        values["mac"] = link.values("Match", "MACAddress", "PermanentMACAddress").flatMap(\.words)
        values["path"] = link.values("Match", "Path", "Property").flatMap(\.words)
        values["driver"] = link.values("Match", "Driver").flatMap(\.words).filter {
            !Wildcard($0).matches("virtio_net")
        }
        values = values.filter { !$0.value.isEmpty }
        guard !values.isEmpty else { return }
        values["setting"] = link.entries.filter { link.sections[$0.section] == "Link" && $0.key != "Name" }
            .map { "\($0.key)=\($0.value)" }
        if values["setting"]?.isEmpty == true { values["setting"] = nil }
        bind(name, values, in: path)
        if InterfaceName.isValid(name) { linkNames.append(name) }
        rewritten.append((path, nil))
    }
}
