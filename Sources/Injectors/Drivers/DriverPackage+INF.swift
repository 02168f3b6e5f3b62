internal import Guest

extension DriverPackage {
    /// The INF format's number of System32\drivers, where files go that are told no other place.
    private static let driversDirectory = 12

    /// - Throws: `INFFile.Malformed` where the INF can't be used, or isn't for this Windows.
    init(inf name: String, _ bytes: [UInt8], for system: WindowsVersion) throws {
        let inf = try INFFile(bytes)
        guard let signature = inf.value("Signature", in: "Version"),
            ["$windows nt$", "$chicago$"].contains(signature.lowercased())
        else { throw INFFile.Malformed(description: "it is no INF: it has no signature") }
        guard let classText = inf.value("ClassGUID", in: "Version"), let classID = GUID(validating: classText) else {
            throw INFFile.Malformed(description: "it has no device class")
        }
        self.inf = name
        self.classID = classID
        provider = inf.value("Provider", in: "Version") ?? ""
        let stamp = inf.line("DriverVer", in: "Version")
        date = Self.date(stamp?[0] ?? "")
        version = Self.version(stamp?[1] ?? "")
        catalog = try Self.catalog(inf, system)
        strings = [:]
        devices = []
        configurations = []
        for models in Self.models(inf, for: system) {
            let manufacturer = learn(models.line, inf)
            for line in inf.lines(models.section) where line.values.count > 1 {
                let description = learn(line, inf)
                for (index, id) in line.values.dropFirst().enumerated() where !id.isEmpty {
                    devices.append(
                        Device(
                            id: id, isHardwareID: index == 0, section: line[0], description: description,
                            manufacturer: manufacturer))
                }
            }
        }
        guard !devices.isEmpty else {
            throw INFFile.Malformed(description: "it is not for \(system.name) (\(system.architecture.rawValue))")
        }
        var seen: [String: String] = [:]
        for index in devices.indices {
            let section = devices[index].section
            if seen[section.lowercased()] == nil {
                let configuration = try Self.configuration(section, inf, system)
                configurations.append(configuration)
                seen[section.lowercased()] = configuration.name
            }
            devices[index].section = seen[section.lowercased()] ?? section
        }
    }

    // MARK: The version section

    /// "11/04/2021", the month first.
    private static func date(_ text: String) -> UInt64 {
        let parts = text.split { $0 == "/" || $0 == "-" }.compactMap { Int($0) }
        guard parts.count == 3, (1...12).contains(parts[0]), (1...31).contains(parts[1]),
            (1980...9999).contains(parts[2])
        else { return 0 }
        // Howard Hinnant's days_from_civil: a year starts in March, so that the leap day is its last.
        let (month, day) = (parts[0], parts[1])
        let year = parts[2] - (month <= 2 ? 1 : 0)
        let era = year / 400
        let ofYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let ofEra = (year % 400) * 365 + year % 400 / 4 - year % 400 / 100 + ofYear
        // From 0000-03-01 to 1601-01-01 there are 584694 days.
        return UInt64(era * 146_097 + ofEra - 584_694)
    }

    private static func version(_ text: String) -> [UInt16] {
        var parts = text.split(separator: ".").prefix(4).map { UInt16($0.trimmed) ?? 0 }
        while parts.count < 4 { parts.append(0) }
        return parts
    }

    /// The catalog with the signatures; the decorated key of an architecture goes first.
    private static func catalog(_ inf: INFFile, _ system: WindowsVersion) throws -> String? {
        let keys = ["CatalogFile.NT\(system.architecture.infName)", "CatalogFile.NT", "CatalogFile"]
        let name = keys.lazy.compactMap { inf.value($0, in: "Version") }.first
        guard name.map(isPlain) ?? true else {
            throw INFFile.Malformed(description: "its catalog '\(name ?? "")' is not a file of its own folder")
        }
        return name
    }

    // MARK: Models

    /// A line's key as the driver database has it: a string's name in lower case, whose text is kept; else the text.
    private mutating func learn(_ line: INFFile.Line, _ inf: INFFile) -> String {
        let raw = (line.rawKey ?? "").lowercased()
        let name = String(raw.dropFirst().dropLast())
        guard raw.hasPrefix("%"), raw.hasSuffix("%"), !name.isEmpty, let text = inf.strings[name] else {
            return line.key ?? ""
        }
        strings[name] = text
        return raw
    }

    /// The models sections that this Windows takes, one a manufacturer, with the manufacturer's line.
    private static func models(
        _ inf: INFFile, for system: WindowsVersion
    ) -> [(section: String, line: INFFile.Line)] {
        inf.lines("Manufacturer").compactMap { line in
            // "%VENDOR% = VirtioScsi, NTamd64.10.0" or the section's name alone.
            let base = line.values.isEmpty ? line.key ?? "" : line[0]
            let targets = line.values.dropFirst().compactMap { decoration in
                INFTarget(decoration).map { (target: $0, section: base + "." + decoration) }
            }
            let fitting = targets.filter { $0.target.fits(system) }.max { $0.target < $1.target }
            if let fitting { return (fitting.section, line) }
            return line.values.count < 2 && system.architecture == .x86 ? (base, line) : nil
        }
    }

    // MARK: Installation

    private static func configuration(
        _ section: String, _ inf: INFFile, _ system: WindowsVersion
    ) throws -> Configuration {
        let name = decorated(section, inf, system)
        let service = try service(inf, name)
        var files = copies(inf, name)
        for addition in ["CoInstallers"] { files += copies(inf, "\(name).\(addition)") }
        let wdf = inf.lines("\(name).Wdf").first { $0.key?.lowercased() == "kmdfservice" }
        return Configuration(
            name: name, files: files, service: service, device: settings(inf, addRegOf: "\(name).HW"),
            driver: settings(inf, addRegOf: name) + settings(inf, addRegOf: "\(name).CoInstallers"),
            kmdfVersion: wdf.flatMap { inf.value("KmdfLibraryVersion", in: $0[1]) })
    }

    /// The decorated name of an installation section that is there: ".NTamd64.10.0", ".NTamd64", ".NT", none.
    private static func decorated(_ section: String, _ inf: INFFile, _ system: WindowsVersion) -> String {
        let lower = section.lowercased()
        let fitting = inf.sections.keys.compactMap { name -> (INFTarget, String)? in
            guard name.hasPrefix(lower + ".nt"), let target = INFTarget(String(name.dropFirst(lower.count + 1))),
                // Without an architecture it is for all of them, here.
                target.architecture == nil || target.fits(system)
            else { return nil }
            return (target, name)
        }
        guard let best = fitting.max(by: { $0.0 < $1.0 }) else { return section }
        return section + decoration(best.1.dropFirst(lower.count))
    }

    /// As it is usually written: ".NTamd64".
    private static func decoration(_ lower: Substring) -> String { ".NT" + lower.dropFirst(3) }

    private static func copies(_ inf: INFFile, _ section: String) -> [File] {
        inf.lines(section).filter { $0.key?.lowercased() == "copyfiles" }.flatMap(\.values).flatMap { list -> [File] in
            if list.hasPrefix("@") {
                let name = String(list.dropFirst())
                guard isPlain(name), !name.isEmpty else { return [] }
                return [File(source: name, directory: directory(of: "DefaultDestDir", inf), name: name)]
            }
            let place = inf.line(list, in: "DestinationDirs") == nil ? "DefaultDestDir" : list
            return inf.lines(list).compactMap { line in
                // Names alone, or "name, source, , flags".
                let name = line[0]
                guard !name.isEmpty, isPlain(name) else { return nil }
                let source = line[1].isEmpty ? name : line[1]
                return isPlain(source) ? File(source: source, directory: directory(of: place, inf), name: name) : nil
            }
        }
    }

    private static func directory(of section: String, _ inf: INFFile) -> Int {
        inf.line(section, in: "DestinationDirs").flatMap { Int($0[0]) } ?? driversDirectory
    }

    /// A file's name and nothing that leads elsewhere.
    private static func isPlain(_ name: String) -> Bool {
        !name.contains { $0 == "/" || $0 == "\\" || $0 == ":" } && name != ".." && name != "."
    }

    // MARK: Services

    private static func service(_ inf: INFFile, _ section: String) throws -> Service? {
        // SPSVCINST_ASSOCSERVICE: the service that is the device's function driver.
        let lines = inf.lines("\(section).Services").filter { $0.key?.lowercased() == "addservice" }
        guard let line = lines.first(where: { number($0[1]) & 2 != 0 }) ?? lines.first, !line[0].isEmpty else {
            return nil
        }
        let install = line[2]
        guard let binary = inf.value("ServiceBinary", in: install) else {
            throw INFFile.Malformed(description: "the service '\(line[0])' has no program")
        }
        let values = settings(inf, addRegOf: install)
        return Service(
            name: line[0], displayName: inf.value("DisplayName", in: install),
            type: number(inf.value("ServiceType", in: install) ?? "1"),
            start: number(inf.value("StartType", in: install) ?? "3"),
            errorControl: number(inf.value("ErrorControl", in: install) ?? "1"),
            binary: try binaryPath(binary), group: inf.value("LoadOrderGroup", in: install), values: values,
            eventLog: line[3].isEmpty ? [] : settings(inf, addRegOf: line[3]))
    }

    /// "%12%\viostor.sys" or "%13%\viostor.sys".
    private static func binaryPath(_ text: String) throws -> Service.Program {
        let parts = text.split(separator: "%", maxSplits: 1).map(String.init)
        guard text.hasPrefix("%"), parts.count == 2, let directory = Int(parts[0]),
            case let name = String(parts[1].drop { $0 == "\\" }), isPlain(name), !name.isEmpty
        else { throw INFFile.Malformed(description: "the service's program '\(text)' can't be understood") }
        return Service.Program(directory: directory, name: name)
    }

    static func number(_ text: String) -> UInt32 {
        let text = text.trimmed.lowercased()
        if text.hasPrefix("0x") { return UInt32(text.dropFirst(2), radix: 16) ?? 0 }
        return UInt32(text) ?? UInt32(bitPattern: Int32(text) ?? 0)
    }

    // MARK: Values

    private static func settings(_ inf: INFFile, addRegOf section: String) -> [Setting] {
        let lists = inf.lines(section).filter { $0.key?.lowercased() == "addreg" }.flatMap(\.values)
        return lists.flatMap { inf.lines($0) }.compactMap { line in
            guard line.key == nil, line[0].lowercased() == "hkr" else { return nil }
            return setting(line)
        }
    }

    /// "HKR, subkey, name, flags, value…"
    private static func setting(_ line: INFFile.Line) -> Setting? {
        let key = line[1]
        let flags = number(line[3])
        // FLG_ADDREG_KEYONLY. It stands at times where the name belongs.
        if flags & 0x10 != 0 || line[2].lowercased() == "0x00000010" { return Setting(key: key, value: nil) }
        // FLG_ADDREG_DELVAL and _DELREG_BIT take something away: nothing is there yet.
        if flags & 0x8004 == 4 || flags & 0x8000 != 0 { return nil }
        if line.values.count < 3 { return Setting(key: key, value: nil) }
        let data = Array(line.values.dropFirst(4))
        let value: RegistryValue
        switch flags & 0xFFFF_0001 {
        case 0x0001_0001: value = .dword(number(data.first ?? ""))
        case 0x0001_0000: value = .multiString(data)
        case 0x0002_0000: value = .expandString(data.first ?? "")
        case 0x0002_0001: value = .none
        case 0x000B_0001: value = .qword(UInt64(number(data.first ?? "")))
        case 0x0000_0001: value = .binary(data.map { UInt8(truncatingIfNeeded: byte($0)) })
        default: value = .string(data.first ?? "")
        }
        return Setting(key: key, value: NamedRegistryValue(line[2], value))
    }

    /// Bytes are hexadecimal, with or without 0x.
    private static func byte(_ text: String) -> UInt32 {
        let text = text.trimmed.lowercased()
        return UInt32(text.hasPrefix("0x") ? String(text.dropFirst(2)) : text, radix: 16) ?? 0
    }
}
