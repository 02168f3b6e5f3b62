internal import Guest

/// The database of driver packages that Windows has had since version 8, in the hives SYSTEM and DRIVERS. Its keys and
/// values are those found in hives of real Windows 8.1 and 10 guests.
struct DriverDatabase {
    /// How much of a package is written down.
    enum Detail {
        /// All that Windows needs to start a device before it has read the INF: for classes that it starts from.
        case full
        /// What is left to be read from the INF when a device shows up.
        case summary
    }

    let root: RegistryPath

    init(in hive: Hive) { root = RegistryPath(hive, "DriverDatabase") }

    func package(_ label: String) -> RegistryPath { root.appending("DriverPackages").child(label) }

    /// Whether the hive has packages of a device class.
    func holds(_ classID: GUID, _ draft: Draft) throws -> Bool {
        try draft.exists(classKey(classID))
    }

    private func classKey(_ id: GUID) -> RegistryPath { root.appending("DeviceIds").child("{\(id)}") }

    /// - Parameters:
    ///   - inf: the name in Windows\INF: "oem3.inf".
    ///   - label: the name in the driver store: "viostor.inf_amd64_0123456789abcdef".
    func register(
        _ chosen: DriverChoice.Chosen, inf: String, label: String, architecture: WindowsVersion.Architecture,
        detail: Detail, in draft: inout Draft
    ) throws {
        let package = chosen.package
        let file = root.appending("DriverInfFiles").child(inf)
        try draft.set("", .multiString([label]), of: file)
        try draft.set("Active", .string(label), of: file)
        if detail == .full {
            try draft.set("Configurations", .multiString(package.configurations.map(\.name)), of: file)
        }
        for device in package.devices {
            try draft.set(
                inf, .binary([device.isHardwareID ? 1 : 2, 0xFF, 0, 0]), of: root.appending("DeviceIds\\" + device.id))
        }
        try draft.set(inf, .none, of: classKey(package.classID))
        let key = self.package(label)
        for (name, value) in summary(of: chosen, inf: inf, architecture: architecture) {
            try draft.set(name, value, of: key)
        }
        if detail == .full { try describe(package, below: key, &draft) }
    }

    private func summary(
        of chosen: DriverChoice.Chosen, inf: String, architecture: WindowsVersion.Architecture
    ) -> [(String, RegistryValue)] {
        let package = chosen.package
        var values: [(String, RegistryValue)] = [
            ("", .string(inf)), ("InfName", .string(package.inf)), ("Provider", .string(package.provider)),
            // Where the package came from, which nothing reads again.
            ("OemPath", .string("X:\\" + chosen.folder.replacing("/", with: "\\"))),
            ("SignerName", .string(Self.signer(of: chosen))), ("SignerScore", .dword(0x0D00_0005)),
            ("StatusFlags", .dword(0x12)), ("Version", .binary(Self.version(of: package, architecture))),
        ]
        if let catalog = package.catalog { values.append(("Catalog", .string(catalog))) }
        return values
    }

    /// The publisher of drivers that Microsoft has signed, where the catalog names it; else who made it.
    private static func signer(of chosen: DriverChoice.Chosen) -> String {
        let microsoft = "Microsoft Windows Hardware Compatibility Publisher"
        let catalog = chosen.package.catalog.flatMap { chosen.files[$0] } ?? []
        return catalog.firstRange(of: Array(microsoft.utf8)) == nil ? chosen.package.provider : microsoft
    }

    /// 48 bytes: origin and architecture, class, date as FILETIME, version with its last number first.
    private static func version(of package: DriverPackage, _ architecture: WindowsVersion.Architecture) -> [UInt8] {
        // PROCESSOR_ARCHITECTURE_… of winnt.h; only AMD64's has been seen in a hive.
        let processor: UInt32 =
            switch architecture {
            case .x86: 0
            case .amd64: 9
            case .arm64: 12
            }
        // 0xFF: a package that didn't come with Windows.
        let origin = LittleEndian.bytes(processor << 16 | 0xFF00) + [0, 0, 0, 0]
        let time = LittleEndian.bytes(package.date * 86_400 * 10_000_000)
        let numbers = package.version.reversed().flatMap { LittleEndian.bytes($0) }
        return origin + package.classID.bytes + time + numbers + [UInt8](repeating: 0, count: 8)
    }

    private func describe(_ package: DriverPackage, below key: RegistryPath, _ draft: inout Draft) throws {
        for configuration in package.configurations {
            let place = key.appending("Configurations").child(configuration.name)
            try draft.set("ConfigFlags", .dword(0), of: place)
            try draft.set("ConfigScope", .dword(7), of: place)
            try Self.set(configuration.device, below: place.child("Device"), &draft)
            try Self.set(configuration.driver, below: place.child("Driver"), &draft)
            guard let service = configuration.service else { continue }
            try draft.set("Service", .string(service.name), of: place)
            let settings = service.values + configuration.wdfSettings
            try Self.set(settings, below: place.appending("Services").child(service.name), &draft)
        }
        for device in package.devices {
            let place = key.appending("Descriptors\\" + device.id)
            try draft.set("Configuration", .string(device.section), of: place)
            try draft.set("Description", .string(device.description), of: place)
            try draft.set("Manufacturer", .string(device.manufacturer), of: place)
        }
        for (name, text) in package.strings.sorted(by: { $0.key < $1.key }) {
            try draft.set(name, .string(text), of: key.appending("Strings"))
        }
    }

    /// The values that an INF sets below the key that it calls HKR.
    static func set(_ settings: [DriverPackage.Setting], below key: RegistryPath, _ draft: inout Draft) throws {
        for setting in settings {
            let place = key.appending(setting.key)
            if let value = setting.value {
                try draft.set(value.name, value.value, of: place)
            } else {
                try draft.make(place)
            }
        }
    }
}

extension DriverPackage.Configuration {
    /// What the driver framework's loader asks a service for.
    var wdfSettings: [DriverPackage.Setting] {
        guard let kmdfVersion else { return [] }
        return [.init(key: #"Parameters\Wdf"#, value: .init("KmdfLibraryVersion", .string(kmdfVersion)))]
    }
}
