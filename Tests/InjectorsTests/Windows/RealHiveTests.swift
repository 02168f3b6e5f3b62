import Foundation
import Guest
import GuestTesting
import Testing

@testable import Injectors

/// What becomes of the SYSTEM hives of real guests.
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

    private func plan(
        _ guest: DirectoryGuest, _ windows: WindowsInstallation, _ injectors: [any Injector]
    ) throws -> Plan {
        var draft = Draft(over: guest, disks: guest, registry: guest)
        for injector in injectors { try injector.inject(into: &draft, guest: .windows(windows)) }
        return try draft.plan()
    }

    private func windows(_ version: WindowsVersion, _ guest: DirectoryGuest) -> WindowsInstallation {
        var windows = WindowsInstallation.sample(version)
        windows.controlSets = ["ControlSet001", "ControlSet002"].filter {
            (try? guest.exists(RegistryPath(windows.system, $0))) == true
        }
        return windows
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

    @Test(.enabled(if: RealHives.has("SYSTEM-win7-vmware-static"), "no real hives are here"))
    func staticAddressesOfWindows7() throws {
        let scratch = try ScratchFolder()
        let guest = try guest("SYSTEM-win7-vmware-static", in: scratch)
        let windows = windows(SampleWindows.windows7x86, guest)
        let interfaces = try WindowsNetwork.interfaces(windows, guest)
        #expect(interfaces.map(\.name) == ["Local Area Connection 2", "Local Area Connection"])
        #expect(interfaces.map(\.addresses) == [["10.3.58.5/24"], ["192.168.1.123/24"]])
        #expect(interfaces.map(\.nameServers) == [["10.3.58.4"], ["192.168.1.112"]])
        let injectors: [any Injector] = [WindowsNetwork()]
        let first = try plan(guest, windows, injectors)
        #expect(first.formerSettings.first?.values["gateway"] == ["10.3.58.1"])
        #expect(first.formerSettings.first?.values["route"] == ["0.0.0.0/0 via 10.3.58.1"])
        try guest.apply(first) { _ in }
        #expect(try plan(guest, windows, injectors).isEmpty)
        let store = #"Control\Nsi\{eb004a00-9b1a-11d4-9123-0050047759bc}\"#
        for set in windows.inControlSets("") {
            #expect(try guest.values(of: set.appending(store + "10")) == [])
            #expect(try guest.values(of: set.appending(store + "16")) == [])
            // Settings of the cards that aren't addresses.
            #expect(try guest.values(of: set.appending(store + "7"))?.count == 3)
            #expect(try guest.values(of: set.appending(#"Services\Tcpip\Parameters\PersistentRoutes"#)) == [])
        }
        #expect(try WindowsNetwork.interfaces(windows, guest).map(\.ipv4) == [.dhcp, .dhcp])
        // Only what has to do with the addresses.
        let keys = first.items.compactMap { if case .registry(let edit) = $0.change { edit.key } else { nil } }
        #expect(keys.count == first.items.count)
        #expect(keys.allSatisfy { $0.full.lowercased().contains("tcpip") || $0.full.lowercased().contains("nsi") })
    }

    @Test(.enabled(if: RealHives.has("SYSTEM-win7-vmware-static"), "no real hives are here"))
    func vmwareToolsOfWindows7() throws {
        let scratch = try ScratchFolder()
        let guest = try guest("SYSTEM-win7-vmware-static", in: scratch)
        let windows = windows(SampleWindows.windows7x86, guest)
        #expect(try WindowsTools.installed(windows, guest) == ["VMware Tools"])
        let injectors: [any Injector] = [WindowsTools.vmware(), WindowsTools.others]
        let before = try guest.subkeys(of: windows.inControlSets("Services")[0])
        try guest.apply(plan(guest, windows, injectors)) { _ in }
        #expect(try plan(guest, windows, injectors).isEmpty)
        for services in windows.inControlSets("Services") {
            for name in ["VMTools", "vmci", "VMMemCtl", "vmhgfs"] {
                let start = try guest.value("Start", of: services.child(name))
                #expect(start == nil || start == .dword(4), "\(services)\\\(name)")
            }
            // Drivers of Windows itself that sound alike.
            for name in ["volmgr", "disk", "mouclass"] {
                #expect(try guest.value("Start", of: services.child(name))?.number ?? 0 < 4)
            }
        }
        #expect(try guest.subkeys(of: windows.inControlSets("Services")[0]) == before)
    }

    @Test(.enabled(if: RealHives.has("SYSTEM-win8-vbox-dirty"), "no real hives are here"))
    func guestAdditionsOfWindows8() throws {
        let scratch = try ScratchFolder()
        let guest = try guest("SYSTEM-win8-vbox-dirty", in: scratch)
        let windows = windows(SampleWindows.windows10, guest)
        guard try WindowsTools.installed(windows, guest) == ["VirtualBox Guest Additions"] else { return }
        try guest.apply(plan(guest, windows, [WindowsTools.others])) { _ in }
        for services in windows.inControlSets("Services") {
            #expect(try guest.value("Start", of: services.child("VBoxGuest")) == .dword(4))
        }
    }
}
