/// A Windows in a guest: where its files and its registry are.
public struct WindowsInstallation: Equatable, Sendable, Codable {
    /// How Windows knows, before it can look around, which driver its boot disk needs.
    public enum DriverScheme: String, Equatable, Sendable, Codable {
        /// `Control\CriticalDeviceDatabase`: Windows 7, Server 2008 R2.
        case criticalDevices = "critical-device-database"
        /// `DriverDatabase`: since Windows 8 and Server 2012.
        case driverDatabase = "driver-database"
    }

    public var version: WindowsVersion
    /// "/Windows", in the case that the disk has.
    public var root: GuestPath
    /// "ControlSet001", the one that Windows starts with first.
    public var controlSets: [String]
    public var driverScheme: DriverScheme

    public init(
        version: WindowsVersion, root: GuestPath, controlSets: [String], driverScheme: DriverScheme
    ) {
        self.version = version
        self.root = root
        self.controlSets = controlSets
        self.driverScheme = driverScheme
    }

    public var system: Hive { Self.system(below: root) }
    public var software: Hive { hive("SOFTWARE") }
    /// Windows 8.1 and later.
    public var drivers: Hive { hive("DRIVERS") }

    public static func system(below root: GuestPath) -> Hive {
        Hive(file: root.appending("System32/config/SYSTEM"), mountPoint: #"HKEY_LOCAL_MACHINE\SYSTEM"#)
    }

    private func hive(_ name: String) -> Hive {
        Hive(file: root.appending("System32/config/\(name)"), mountPoint: #"HKEY_LOCAL_MACHINE\"# + name)
    }

    /// A key in each of the control sets.
    public func inControlSets(_ path: String) -> [RegistryPath] {
        controlSets.map { RegistryPath(system, $0 + "\\" + path) }
    }
}
