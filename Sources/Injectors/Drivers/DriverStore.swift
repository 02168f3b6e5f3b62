internal import Guest

/// Windows' own copy of each driver package, and the numbered names by which INFs are known in Windows\INF. A package
/// in it is installed as soon as a device shows up for it, with nobody asked.
struct DriverStore {
    let windows: WindowsInstallation

    struct Staged: Equatable {
        /// "oem3.inf"
        var inf: String
        /// "viostor.inf_amd64_0123456789abcdef"
        var label: String
    }

    /// Where signatures of drivers that didn't come with Windows are looked up: DRIVER_ACTION_VERIFY's GUID.
    private static let catalogs = "System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}"

    /// Lays a package's files into the store and registers it; a second time nothing changes.
    /// - Parameter isBootCritical: its devices are needed before the file system is.
    func stage(_ chosen: DriverChoice.Chosen, isBootCritical: Bool, in draft: inout Draft) throws -> Staged {
        let label = label(of: chosen)
        let databases = try [windows.system, windows.drivers].filter { hive in
            try draft.exists(RegistryPath(hive, "DriverDatabase"))
        }.map(DriverDatabase.init(in:))
        let known = try databases.lazy.compactMap { try draft.value("", of: $0.package(label))?.text }
            .first { $0.lowercased().wholeMatch(of: #/oem\d{1,6}\.inf/#) != nil }
        let inf = try known ?? "oem\(freeNumber(databases, &draft)).inf"
        let folder = windows.root.appending("System32/DriverStore/FileRepository/\(label)")
        try draft.write(folder.appending(chosen.package.inf), chosen.inf)
        for (name, bytes) in chosen.files { try draft.write(folder.appending(name), bytes) }
        try draft.write(windows.root.appending("INF/\(inf)"), chosen.inf)
        if let catalog = chosen.package.catalog, let bytes = chosen.files[catalog] {
            let name = inf.prefix { $0 != "." } + ".cat"
            try draft.write(windows.root.appending("\(Self.catalogs)/\(name)"), bytes)
        }
        // Classes that Windows may start from are in SYSTEM, which the boot loader reads; all others are not.
        let system = DriverDatabase(in: windows.system)
        let inSystem = try isBootCritical || databases.count < 2 || system.holds(chosen.package.classID, draft)
        let database = inSystem ? system : DriverDatabase(in: windows.drivers)
        try database.register(
            chosen, inf: inf, label: label, architecture: windows.version.architecture,
            detail: inSystem ? .full : .summary, in: &draft)
        try mark(inf, &draft)
        return Staged(inf: inf, label: label)
    }

    /// Windows takes the digits from the package's content; ours only have to be the same each time.
    private func label(of chosen: DriverChoice.Chosen) -> String {
        // FNV-1a, 64 bits.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in chosen.inf { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = Hex.text(LittleEndian.bytes(hash).reversed())
        return "\(chosen.package.inf.lowercased())_\(windows.version.architecture.infName)_\(digits)"
    }

    // MARK: Numbers

    private static let mapName = "OemInfMap"

    /// The lowest number that neither a file, nor a database, nor the map of them has.
    private func freeNumber(_ databases: [DriverDatabase], _ draft: inout Draft) throws -> Int {
        var names = try draft.list(windows.root.appending("INF"))
        for database in databases {
            names += try draft.subkeys(of: database.root.appending("DriverInfFiles")) ?? []
        }
        let used = Set(names.compactMap(Self.number))
        let map = try map(draft) ?? []
        var number = 0
        while used.contains(number) || Self.bit(number, of: map) { number += 1 }
        return number
    }

    /// "oem12.inf" is 12.
    private static func number(of name: String) -> Int? {
        let lower = name.lowercased()
        guard lower.hasPrefix("oem"), lower.hasSuffix(".inf") else { return nil }
        return Int(lower.dropFirst("oem".count).dropLast(".inf".count))
    }

    /// Of which numbers are taken, the highest bit of each byte first.
    private func map(_ draft: Draft) throws -> [UInt8]? {
        try draft.value(Self.mapName, of: DriverDatabase(in: windows.system).root)?.bytes
    }

    private static func bit(_ number: Int, of map: [UInt8]) -> Bool {
        map.indices.contains(number / 8) && map[number / 8] & 0x80 >> UInt8(number % 8) != 0
    }

    private func mark(_ inf: String, _ draft: inout Draft) throws {
        guard var map = try map(draft), let number = Self.number(of: inf), number < 1 << 16 else { return }
        while map.count <= number / 8 { map.append(0) }
        map[number / 8] |= 0x80 >> UInt8(number % 8)
        try draft.set(Self.mapName, .binary(map), of: DriverDatabase(in: windows.system).root)
    }
}
