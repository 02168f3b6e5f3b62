internal import Guest

/// Tells which Windows is on a mounted volume, from its registry.
struct WindowsInspection {
    let installation: WindowsInstallation
    let hostName: String?

    /// The path of the SYSTEM hive as the disk has it; nil: there is no Windows on the volume.
    static func systemHive(in files: any GuestFiles) throws -> GuestPath? {
        let path = try files.resolve("/Windows/System32/config/SYSTEM")
        return try files.entry(at: path)?.kind == .file ? path : nil
    }

    /// - Throws: ``Guest/Refusal`` where the registry doesn't tell, ``Guest/RegistryError`` where it can't be read.
    init(_ guest: any GuestFiles & GuestRegistry) throws {
        guard let file = try Self.systemHive(in: guest) else {
            throw Refusal(.unsupported, "there is no Windows", hint: "'rehost inspect' shows what is on the disks")
        }
        let root = file.parent.parent.parent
        let system = WindowsInstallation.system(below: root)
        let sets = try Self.controlSets(system, guest)
        guard let current = sets.first else {
            throw Refusal(
                .blocked, "the registry of '\(root)' names no control set to start with",
                hint: "start the source once, shut it down cleanly, and capture it again")
        }
        let control = RegistryPath(system, current + "\\Control")
        let hasDatabase = try guest.exists(RegistryPath(system, "DriverDatabase"))
        var found = WindowsInstallation(
            version: WindowsVersion(
                major: 0, minor: 0, build: 0,
                productType: try Self.productType(control, guest), architecture: try Self.architecture(control, guest),
                name: "Windows"),
            root: root, controlSets: sets, driverScheme: hasDatabase ? .driverDatabase : .criticalDevices)
        try Self.learnVersion(of: &found, guest)
        installation = found
        hostName = try guest.value("ComputerName", of: control.appending(#"ComputerName\ComputerName"#))?.text
    }

    /// The one that starts next, the one that did last time, and then all others.
    private static func controlSets(_ system: Hive, _ guest: any GuestRegistry) throws -> [String] {
        let select = RegistryPath(system, "Select")
        let chosen = try ["Default", "Current", "LastKnownGood"].compactMap { name -> String? in
            guard let number = try guest.value(name, of: select)?.number, (1...999).contains(number) else { return nil }
            let digits = String(number)
            return "ControlSet" + String(repeating: "0", count: 3 - digits.count) + digits
        }
        let present = try guest.subkeys(of: RegistryPath(system, "")) ?? []
        var sets: [String] = []
        for name in chosen + present.sorted() where !sets.contains(where: { $0.lowercased() == name.lowercased() }) {
            guard let actual = present.first(where: { $0.lowercased() == name.lowercased() }),
                actual.lowercased().wholeMatch(of: #/controlset\d{3}/#) != nil
            else { continue }
            // Without a Select that names one there is nothing that starts.
            if sets.isEmpty, !chosen.contains(where: { $0.lowercased() == name.lowercased() }) { continue }
            sets.append(actual)
        }
        return sets
    }

    private static func productType(
        _ control: RegistryPath, _ guest: any GuestRegistry
    ) throws -> WindowsVersion.ProductType {
        switch try guest.value("ProductType", of: control.appending("ProductOptions"))?.text?.lowercased() {
        case "lanmannt": .domainController
        case "servernt": .server
        default: .client
        }
    }

    private static func architecture(
        _ control: RegistryPath, _ guest: any GuestRegistry
    ) throws -> WindowsVersion.Architecture {
        let environment = control.appending(#"Session Manager\Environment"#)
        let name = try guest.value("PROCESSOR_ARCHITECTURE", of: environment)?.text ?? ""
        guard let known = WindowsVersion.Architecture(rawValue: name.lowercased()) else {
            throw Refusal(
                .unsupported, "the Windows is built for '\(name)'", hint: "only x86 and x64 guests are supported")
        }
        return known
    }

    private static func learnVersion(of windows: inout WindowsInstallation, _ guest: any GuestRegistry) throws {
        let key = RegistryPath(windows.software, #"Microsoft\Windows NT\CurrentVersion"#)
        func text(_ name: String) throws -> String { try guest.value(name, of: key)?.text ?? "" }
        let old = try text("CurrentVersion").split(separator: ".").compactMap { Int($0) }
        // Since Windows 10, "CurrentVersion" is 6.3 for good, and two numbers tell.
        let major = try guest.value("CurrentMajorVersionNumber", of: key)?.number.map { Int($0) } ?? old.first
        let minor =
            try guest.value("CurrentMinorVersionNumber", of: key)?.number.map { Int($0) } ?? old.dropFirst().first
        guard let major, let minor, let build = try Int(text("CurrentBuildNumber")) ?? Int(text("CurrentBuild")) else {
            throw Refusal(
                .unsupported, "the registry hive '\(windows.software.file)' doesn't tell which Windows it is",
                hint: "is it a whole installation? 'rehost inspect' shows what is on the disks")
        }
        windows.version.major = major
        windows.version.minor = minor
        windows.version.build = build
        var name = try text("ProductName")
        // Windows 11 still says 10 there.
        if build >= 22000, !windows.version.isServer { name = name.replacing("Windows 10", with: "Windows 11") }
        windows.version.name = name.isEmpty ? "Windows \(major).\(minor)" : name
    }
}
