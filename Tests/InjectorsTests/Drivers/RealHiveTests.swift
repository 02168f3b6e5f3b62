import Foundation
import Guest
import GuestTesting
import Testing

@testable import Injectors

/// Drivers in the SYSTEM hives of real guests.
struct RealHiveTests {
    /// The guest with a hive of that name, and its logs where it has them.
    private func guest(_ name: String, in scratch: ScratchFolder) throws -> DirectoryGuest {
        let config = scratch.file("Windows/System32/config")
        try FileManager.default.createDirectory(atPath: config, withIntermediateDirectories: true)
        for ending in ["", ".LOG1", ".LOG2"] where RealHives.has(name + ending) {
            try Data(RealHives.bytes(name + ending)).write(to: URL(filePath: "\(config)/SYSTEM\(ending)"))
        }
        return DirectoryGuest(root: scratch.path, caseSensitivity: .insensitive)
    }

    private func plan(_ guest: DirectoryGuest, _ windows: WindowsInstallation, _ media: DriverMedia) throws -> Plan {
        var draft = Draft(over: guest, disks: guest, registry: guest)
        try VirtioDrivers(media: media, diskDriver: "viostor").inject(into: &draft, guest: .windows(windows))
        return try draft.plan()
    }

    @Test(.enabled(if: RealHives.has("SYSTEM-win10-gpt-dirty"), "no real hives are here"))
    func windows10() throws {
        let scratch = try ScratchFolder()
        let guest = try guest("SYSTEM-win10-gpt-dirty", in: scratch)
        var windows = WindowsInstallation.sample(SampleWindows.windows10)
        windows.controlSets = ["ControlSet001"]
        let services = RegistryPath(windows.system, #"ControlSet001\Services"#)
        let before = try #require(try guest.subkeys(of: services))
        let disk = try guest.tree(of: services.child("disk"))
        let map = try #require(
            try guest.value("OemInfMap", of: RegistryPath(windows.system, "DriverDatabase")))
        let first = try plan(guest, windows, .sampleISO)
        #expect(first.blockers.isEmpty)
        try guest.apply(first) { _ in }
        #expect(try plan(guest, windows, .sampleISO).items.isEmpty)
        #expect(try guest.value("Start", of: services.child("viostor")) == .dword(0))
        #expect(try Set(guest.subkeys(of: services) ?? []) == Set(before + ["viostor", "vioscsi"]))
        #expect(try guest.tree(of: services.child("disk")) == disk)
        // As many bits more as packages.
        let after = try #require(
            try guest.value("OemInfMap", of: RegistryPath(windows.system, "DriverDatabase")))
        func bits(_ value: RegistryValue) -> Int { value.bytes.reduce(0) { $0 + $1.nonzeroBitCount } }
        #expect(bits(after) == bits(map) + 3)
    }

    @Test(.enabled(if: RealHives.has("SYSTEM-win7-vmware-static"), "no real hives are here"))
    func windows7() throws {
        let scratch = try ScratchFolder()
        let guest = try guest("SYSTEM-win7-vmware-static", in: scratch)
        var windows = WindowsInstallation.sample(SampleWindows.windows7x86, .criticalDevices)
        windows.controlSets = ["ControlSet001", "ControlSet002"].filter {
            (try? guest.exists(RegistryPath(windows.system, $0))) == true
        }
        let inf = SampleINF.viostor.replacing("NTamd64.10.0", with: "NTx86.6.1")
        let media = DriverMedia(
            "x",
            ["viostor/w7/x86/viostor.inf": inf, "viostor/w7/x86/viostor.sys": "x", "viostor/w7/x86/viostor.cat": "x"])
        try guest.apply(plan(guest, windows, media)) { _ in }
        for key in windows.inControlSets(#"Control\CriticalDeviceDatabase\pci#ven_1af4&dev_1001"#) {
            #expect(try guest.value("Service", of: key) == .string("viostor"))
        }
        #expect(try plan(guest, windows, media).items.isEmpty)
    }
}
