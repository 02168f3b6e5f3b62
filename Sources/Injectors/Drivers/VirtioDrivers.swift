public import Guest

/// Gives a Windows guest the drivers of virtio devices: those of its disks so that it starts, the others into its driver
/// store, from which it installs them by itself.
public struct VirtioDrivers: Injector {
    public let name = "virtio-drivers"
    private let media: DriverMedia?
    private let diskDriver: String

    /// - Parameters:
    ///   - media: virtio-win; nil where the operator gave none.
    ///   - diskDriver: the one that the new machine's disks need: "viostor", "vioscsi".
    public init(media: DriverMedia?, diskDriver: String) {
        self.media = media
        self.diskDriver = diskDriver
    }

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows else { return }
        guard let media else { return try requireDriver(windows, &draft) }
        let choice: DriverChoice
        do {
            choice = try DriverChoice(from: media, for: windows.version)
        } catch {
            draft.block("could not read '\(media.name)': \(error)", hint: "is it virtio-win's ISO, or its folder?")
            return
        }
        for missing in choice.missing { say(missing, media, &draft) }
        var left: [String] = []
        for chosen in choice.chosen {
            let inf =
                switch windows.driverScheme {
                case .driverDatabase: try stage(chosen, windows, &draft)
                case .criticalDevices: try lay(chosen, windows, &draft)
                }
            if chosen.driver.need != .boot { left.append(inf) }
        }
        if !left.isEmpty { draft.atFirstBoot(Self.step(installing: left)) }
        try keepStopScreens(windows, &draft)
    }

    /// A guest without virtio-win is well off where it has the driver already.
    private func requireDriver(_ windows: WindowsInstallation, _ draft: inout Draft) throws {
        guard let key = windows.inControlSets("Services\\" + diskDriver).first,
            try draft.value("Start", of: key)?.number == 0, try hasProgram(key, windows, draft),
            try isListed(windows, draft)
        else {
            draft.block(
                "the guest has no driver for its new disks, '\(diskDriver)', that Windows would start with",
                hint: "give virtio-win's ISO or folder with --virtio-win PATH")
            return
        }
        for key in windows.inControlSets("Services\\" + diskDriver) {
            // It goes before Start.
            try draft.remove(key.child("StartOverride"))
        }
        draft.note("the guest has virtio's disk driver already: '\(diskDriver)'")
    }

    private func hasProgram(
        _ service: RegistryPath, _ windows: WindowsInstallation, _ draft: Draft
    ) throws -> Bool {
        var path = try draft.value("ImagePath", of: service)?.text ?? "System32\\drivers\\\(diskDriver).sys"
        for prefix in [#"\SystemRoot\"#, #"%SystemRoot%\"#] where path.lowercased().hasPrefix(prefix.lowercased()) {
            path = String(path.dropFirst(prefix.count))
        }
        return try draft.exists(windows.root.appending(path.replacing("\\", with: "/")))
    }

    /// Whether Windows knows, before it can look around, that the disk's device needs the driver.
    private func isListed(_ windows: WindowsInstallation, _ draft: Draft) throws -> Bool {
        let ids =
            diskDriver == "viostor"
            ? ["ven_1af4&dev_1001", "ven_1af4&dev_1042"] : ["ven_1af4&dev_1004", "ven_1af4&dev_1048"]
        let places =
            switch windows.driverScheme {
            case .driverDatabase: [RegistryPath(windows.system, #"DriverDatabase\DeviceIds\PCI"#)]
            case .criticalDevices: Array(windows.inControlSets(#"Control\CriticalDeviceDatabase"#).prefix(1))
            }
        return try places.contains { place in
            try (draft.subkeys(of: place) ?? []).contains { name in ids.contains { name.lowercased().contains($0) } }
        }
    }

    private func say(_ missing: DriverChoice.Missing, _ media: DriverMedia, _ draft: inout Draft) {
        let message = "'\(media.name)' has no usable \(missing.driver.name): \(missing.reason)"
        if missing.driver.name == diskDriver {
            draft.block(message, hint: "give a release of virtio-win that has drivers for this Windows")
        } else {
            draft.warn("\(message); Windows goes without it (\(missing.driver.purpose))")
        }
    }

    private func sayUnusable(_ chosen: DriverChoice.Chosen, _ draft: inout Draft) {
        let message = "'\(chosen.folder)': \(chosen.package.inf) names no driver that could be started from"
        if chosen.driver.name == diskDriver {
            draft.block(message, hint: "give a release of virtio-win that has drivers for this Windows")
        } else {
            draft.warn("\(message); Windows goes without it (\(chosen.driver.purpose))")
        }
    }

    // MARK: Since Windows 8

    /// - Returns: the path of its INF, from the Windows folder.
    private func stage(
        _ chosen: DriverChoice.Chosen, _ windows: WindowsInstallation, _ draft: inout Draft
    ) throws -> String {
        let isBoot = chosen.driver.need == .boot
        let chosen = isBoot ? chosen.servingAnyRevision() : chosen
        let staged = try DriverStore(windows: windows).stage(chosen, isBootCritical: isBoot, in: &draft)
        if isBoot, try !BootDriver(chosen: chosen, windows: windows).install(staged, in: &draft) {
            sayUnusable(chosen, &draft)
        }
        draft.note("\(chosen.driver.name) \(chosen.package.versionText) from '\(chosen.folder)', as \(staged.inf)")
        return #"System32\DriverStore\FileRepository\"# + staged.label + "\\" + chosen.package.inf
    }

    // MARK: Windows 7

    /// Its store has an index in a format of its own, so packages go where Windows looks for drivers of new devices.
    private static let folder = "Drivers/VirtIO"

    private func lay(
        _ chosen: DriverChoice.Chosen, _ windows: WindowsInstallation, _ draft: inout Draft
    ) throws -> String {
        let folder = windows.root.appending(Self.folder)
        try draft.write(folder.appending(chosen.package.inf), chosen.inf)
        for (name, bytes) in chosen.files { try draft.write(folder.appending(name), bytes) }
        try addDevicePath(windows, &draft)
        if chosen.driver.need == .boot {
            let driver = BootDriver(chosen: chosen.servingAnyRevision(), windows: windows)
            if try driver.install(nil, in: &draft) {
                try driver.listCriticalDevices(in: &draft)
            } else {
                sayUnusable(chosen, &draft)
            }
        }
        draft.note("\(chosen.driver.name) \(chosen.package.versionText) from '\(chosen.folder)'")
        return #"Drivers\VirtIO\"# + chosen.package.inf
    }

    /// What Windows didn't install by itself, it is asked to: each on its own, and a few times, as another installation may
    /// be going on.
    static func step(installing infs: [String]) -> FirstBootStep {
        FirstBootStep(
            "drivers", purpose: "installs the drivers that it hasn't found by itself",
            commands: ["set failed=0"]
                + infs.map { #"call :install "%SystemRoot%\"# + $0 + "\"" }
                + [
                    "exit /b %failed%", ":install", "for /l %%i in (1,1,3) do (",
                    // The form that Windows 7 knows, too. 259: nothing needs it; 3010: done, with a restart to come.
                    "    pnputil.exe -i -a %1 && exit /b 0", "    if errorlevel 259 if not errorlevel 260 exit /b 0",
                    "    if errorlevel 3010 if not errorlevel 3011 exit /b 0", "    ping.exe -n 11 127.0.0.1 >nul", ")",
                    "set failed=1", "exit /b 1",
                ])
    }

    private func addDevicePath(_ windows: WindowsInstallation, _ draft: inout Draft) throws {
        let key = RegistryPath(windows.software, #"Microsoft\Windows\CurrentVersion"#)
        guard try draft.exists(key) else { return }
        let added = #"%SystemRoot%\Drivers\VirtIO"#
        guard let old = try draft.value("DevicePath", of: key), let text = old.text else {
            return try draft.set("DevicePath", .expandString(#"%SystemRoot%\inf;"# + added), of: key)
        }
        guard !text.split(separator: ";").contains(where: { $0.lowercased() == added.lowercased() }) else { return }
        let whole = text + (text.hasSuffix(";") || text.isEmpty ? "" : ";") + added
        try draft.set("DevicePath", RegistryValue(type: old.type, bytes: RegistryValue.string(whole).bytes), of: key)
    }

    /// A guest that can't start stands still with its reason on the screen, instead of starting over and over.
    ///
    /// The first start that comes up puts it back.
    private func keepStopScreens(_ windows: WindowsInstallation, _ draft: inout Draft) throws {
        var former: UInt32?
        for key in windows.inControlSets(#"Control\CrashControl"#) where try draft.exists(key) {
            guard let old = try draft.value("AutoReboot", of: key)?.number, old != 0 else { continue }
            draft.record("auto-reboot", of: key.description, in: windows.system.file, ["AutoReboot": ["\(old)"]])
            try draft.set("AutoReboot", .dword(0), of: key)
            former = former ?? old
        }
        let lines = [
            "reg.exe add HKLM\\SYSTEM\\CurrentControlSet\\Control\\CrashControl /v AutoReboot /t REG_DWORD /d \(former ?? 1) /f"
        ]
        let script = windows.root.appending("\(FirstBoot.folder)/stop-screens.cmd")
        // A second plan finds it off, and the script that will turn it on.
        guard try former != nil || draft.exists(script) else { return }
        draft.atFirstBoot(
            FirstBootStep(
                "stop-screens", purpose: "goes back to restarting after a crash, which it doesn't until then",
                commands: lines))
    }
}
