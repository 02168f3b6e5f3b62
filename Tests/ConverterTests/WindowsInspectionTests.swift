import Guest
import GuestTesting
import Injectors
import Testing

@testable import Converter

/// What is told of a Windows by its registry.
struct WindowsInspectionTests {
    private let system = WindowsInstallation.system(below: "/WINDOWS")
    private var software: Hive {
        Hive(file: "/WINDOWS/System32/config/SOFTWARE", mountPoint: #"HKEY_LOCAL_MACHINE\SOFTWARE"#)
    }

    private func guest(_ values: [String: RegistryValue], product: String = "WinNT", _ cpu: String = "AMD64")
        -> MemoryGuest
    {
        let guest = MemoryGuest(caseSensitivity: .insensitive)
        guest.put("/WINDOWS/System32/config/SYSTEM", "regf")
        let registry = guest.contents.registry
        registry.put(RegistryPath(system, "Select"), ["Current": .dword(2), "LastKnownGood": .dword(1)])
        for name in ["ControlSet001", "ControlSet002", "ControlSet003", "MountedDevices"] {
            registry.put(RegistryPath(system, name))
        }
        let control = RegistryPath(system, #"ControlSet002\Control"#)
        registry.put(control.appending("ProductOptions"), ["ProductType": .string(product)])
        registry.put(
            control.appending(#"Session Manager\Environment"#), ["PROCESSOR_ARCHITECTURE": .string(cpu)])
        registry.put(
            control.appending(#"ComputerName\ComputerName"#), ["ComputerName": .string("DC01")])
        registry.put(RegistryPath(software, #"Microsoft\Windows NT\CurrentVersion"#), values)
        return guest
    }

    private let eleven: [String: RegistryValue] = [
        "CurrentMajorVersionNumber": .dword(10), "CurrentMinorVersionNumber": .dword(0),
        "CurrentVersion": .string("6.3"), "CurrentBuildNumber": .string("22631"),
        "ProductName": .string("Windows 10 Pro"),
    ]

    @Test func aClient() throws {
        let guest = guest(eleven)
        guest.contents.registry.put(RegistryPath(system, "DriverDatabase"))
        let found = try WindowsInspection(guest)
        #expect(found.hostName == "DC01")
        #expect(found.installation.root == "/WINDOWS")
        #expect(found.installation.controlSets == ["ControlSet002", "ControlSet001", "ControlSet003"])
        #expect(found.installation.driverScheme == .driverDatabase)
        #expect(
            found.installation.version
                == WindowsVersion(
                    major: 10, minor: 0, build: 22631, productType: .client, architecture: .amd64,
                    name: "Windows 11 Pro"))
    }

    @Test func anOldServer() throws {
        let found = try WindowsInspection(
            guest(
                [
                    "CurrentVersion": .string("6.1"), "CurrentBuild": .string("7601"),
                    "ProductName": .string("Windows Server 2008 R2 Standard"),
                ], product: "LanmanNT"))
        #expect(found.installation.driverScheme == .criticalDevices)
        let version = found.installation.version
        #expect((version.major, version.minor, version.build) == (6, 1, 7601))
        #expect(version.productType == .domainController)
    }

    @Test func whatCannotBeToldIsRefused() {
        #expect(throws: Refusal.self) { try WindowsInspection(guest([:])) }
        #expect(throws: Refusal.self) { try WindowsInspection(guest(eleven, "IA64")) }
        let unset = guest(eleven)
        unset.contents.registry.put(RegistryPath(system, "Select"), ["Current": .dword(9), "LastKnownGood": .dword(0)])
        #expect(throws: Refusal.self) { try WindowsInspection(unset) }
        #expect(throws: Refusal.self) { try WindowsInspection(MemoryGuest(caseSensitivity: .insensitive)) }
    }

    @Test func itIsFoundByWhatIsOnTheVolume() throws {
        let machine = FakeMachine([FakeMachine.Volume("/dev/sda1", "ntfs", guest(eleven))])
        let opened = try Opening.open(machine, options: OpeningOptions())
        #expect(opened.mounts.map(\.device) == ["/dev/sda1"])
        #expect(opened.mounts.map(\.type) == ["ntfs"])
    }
}
