internal import Guest

/// A driver that Windows loads before it can read its disk: its file in System32\drivers and its service in every control
/// set.
struct BootDriver {
    let chosen: DriverChoice.Chosen
    let windows: WindowsInstallation

    private static let folder = "System32/drivers"

    /// - Parameter staged: whose the service is; nil on Windows 7, which keeps no owners.
    /// - Returns: whether there was a service to install.
    func install(_ staged: DriverStore.Staged?, in draft: inout Draft) throws -> Bool {
        var isInstalled = false
        for configuration in chosen.package.configurations {
            guard let service = configuration.service, let program = chosen.file(service.binary.name) else { continue }
            let name = service.binary.name
            try draft.write(windows.root.appending("\(Self.folder)/\(name)"), program)
            for key in windows.inControlSets("Services").map({ $0.child(service.name) }) {
                try install(service, configuration, staged?.inf, at: key, &draft)
            }
            if let staged { try lockDown(name, staged, &draft) }
            isInstalled = true
        }
        return isInstalled
    }

    private func install(
        _ service: DriverPackage.Service, _ configuration: DriverPackage.Configuration, _ inf: String?,
        at key: RegistryPath, _ draft: inout Draft
    ) throws {
        try draft.set("Type", .dword(service.type), of: key)
        try draft.set("Start", .dword(0), of: key)
        try draft.set("ErrorControl", .dword(service.errorControl), of: key)
        try draft.set("ImagePath", .expandString("System32\\drivers\\" + service.binary.name), of: key)
        try draft.set("Group", .string(service.group ?? "SCSI miniport"), of: key)
        // Its turn in the group, as real guests have it.
        try draft.set("Tag", .dword(0x21), of: key)
        if let displayName = service.displayName { try draft.set("DisplayName", .string(displayName), of: key) }
        if let inf { try draft.set("Owners", .multiString([inf]), of: key) }
        try DriverDatabase.set(service.values + configuration.wdfSettings, below: key, &draft)
        // Windows lays one down where a boot driver wasn't needed, and it goes before Start.
        try draft.remove(key.child("StartOverride"))
    }

    /// Files that belong to a package are kept from being replaced by others.
    private func lockDown(_ name: String, _ staged: DriverStore.Staged, _ draft: inout Draft) throws {
        let files = RegistryPath(windows.software, #"Microsoft\Windows\CurrentVersion\Setup\PnpLockdownFiles"#)
        guard try draft.exists(files) else { return }
        let key = files.child("%SystemRoot%/\(Self.folder)/\(name)")
        try draft.set("Class", .dword(4), of: key)
        try draft.set("Owners", .multiString([staged.inf]), of: key)
        let source = #"%SystemRoot%\System32\DriverStore\FileRepository\"# + staged.label + "\\" + name
        try draft.set("Source", .expandString(source), of: key)
    }

    // MARK: Before version 8

    /// Tells Windows 7 by which service a device of this kind is started.
    func listCriticalDevices(in draft: inout Draft) throws {
        for device in chosen.package.devices {
            guard let service = chosen.package.service(of: device) else { continue }
            for database in windows.inControlSets(#"Control\CriticalDeviceDatabase"#) {
                let key = database.child(device.id.lowercased().replacing("\\", with: "#"))
                try draft.set("ClassGUID", .string("{\(chosen.package.classID.description.uppercased())}"), of: key)
                try draft.set("Service", .string(service.name), of: key)
            }
        }
    }
}

extension DriverChoice.Chosen {
    /// A file's bytes; case doesn't count.
    func file(_ name: String) -> [UInt8]? {
        files.first { $0.key.lowercased() == name.lowercased() }?.value
    }

    /// A storage driver's devices by vendor and device alone, too: a cloud may present its disks with another revision.
    func servingAnyRevision() -> Self {
        var all = self
        var known = Set(package.devices.map { $0.id.lowercased() })
        for device in package.devices {
            var short = device
            short.id = device.id.split(separator: "&").prefix(2).joined(separator: "&")
            short.isHardwareID = false
            if known.insert(short.id.lowercased()).inserted { all.package.devices.append(short) }
        }
        return all
    }
}

extension DriverPackage {
    func service(of device: Device) -> Service? {
        configurations.first { $0.name == device.section }?.service
    }
}
