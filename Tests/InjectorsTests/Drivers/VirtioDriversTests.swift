import Guest
import GuestTesting
import Testing

@testable import Injectors

/// What a Windows guest gets so that it starts from virtio disks.
struct VirtioDriversTests {
    private let windows = WindowsInstallation.sample(SampleWindows.windows10)

    private func key(_ path: String) -> RegistryPath { RegistryPath(windows.system, path) }

    private func guest(_ scheme: WindowsInstallation.DriverScheme = .driverDatabase) -> MemoryGuest {
        let guest = MemoryGuest(caseSensitivity: .insensitive)
        guest.folder("/Windows/System32/drivers")
        guest.put("/Windows/INF/oem0.inf", "one")
        let registry = guest.contents.registry
        for set in windows.controlSets {
            registry.put(key(set + #"\Services"#))
            registry.put(key(set + #"\Control\CrashControl"#), ["AutoReboot": .dword(1)])
        }
        registry.put(
            RegistryPath(windows.software, #"Microsoft\Windows\CurrentVersion"#),
            ["DevicePath": .expandString(#"%SystemRoot%\inf"#)])
        registry.put(
            RegistryPath(windows.software, #"Microsoft\Windows\CurrentVersion\Setup\PnpLockdownFiles"#))
        if scheme == .driverDatabase {
            registry.put(key("DriverDatabase"), ["OemInfMap": .binary([0xC0])])
            registry.put(key(#"DriverDatabase\DriverInfFiles\oem2.inf"#))
            registry.put(key(#"DriverDatabase\DeviceIds\{4d36e97b-e325-11ce-bfc1-08002be10318}"#))
            registry.put(RegistryPath(windows.drivers, #"DriverDatabase\DriverInfFiles\oem1.inf"#))
        }
        return guest
    }

    private func plan(
        _ guest: MemoryGuest, _ media: DriverMedia? = .sampleISO, _ installation: WindowsInstallation? = nil
    ) throws -> Plan {
        var draft = Draft(over: guest, disks: guest, registry: guest)
        try VirtioDrivers(media: media, diskDriver: "viostor")
            .inject(into: &draft, guest: .windows(installation ?? windows))
        return try draft.plan()
    }

    @Test func aBootDriverIsRegisteredInFull() throws {
        let guest = guest()
        let plan = try plan(guest)
        #expect(plan.blockers.isEmpty)
        try guest.apply(plan) { _ in }
        for set in windows.controlSets {
            let service = key(set + #"\Services\viostor"#)
            #expect(try guest.value("Type", of: service) == .dword(1))
            #expect(try guest.value("Start", of: service) == .dword(0))
            #expect(try guest.value("ErrorControl", of: service) == .dword(1))
            #expect(try guest.value("Group", of: service) == .string("SCSI miniport"))
            #expect(try guest.value("Tag", of: service) == .dword(0x21))
            #expect(try guest.value("ImagePath", of: service) == .expandString(#"System32\drivers\viostor.sys"#))
            // oem0 is a file, oem1 and oem2 are in the two databases.
            #expect(try guest.value("Owners", of: service) == .multiString(["oem3.inf"]))
            #expect(try guest.value("BusType", of: service.appending("Parameters")) == .dword(1))
            #expect(try guest.value("5", of: service.appending(#"Parameters\PnpInterface"#)) == .dword(1))
            #expect(
                try guest.value("BusType", of: key(set + #"\Services\vioscsi\Parameters"#)) == .dword(10))
        }
        let database = key("DriverDatabase")
        let label = try #require(
            try guest.value("Active", of: database.appending(#"DriverInfFiles\oem3.inf"#))?.text)
        #expect(label.wholeMatch(of: #/viostor\.inf_amd64_[0-9a-f]{16}/#) != nil)
        let files = RegistryPath(windows.software, #"Microsoft\Windows\CurrentVersion\Setup\PnpLockdownFiles"#)
        let locked = files.child("%SystemRoot%/System32/drivers/viostor.sys")
        #expect(try guest.value("Class", of: locked) == .dword(4))
        #expect(try guest.value("Owners", of: locked) == .multiString(["oem3.inf"]))
        let source = #"%SystemRoot%\System32\DriverStore\FileRepository\"# + label + #"\viostor.sys"#
        #expect(try guest.value("Source", of: locked) == .expandString(source))
        let package = database.appending("DriverPackages").child(label)
        #expect(try guest.value("", of: package) == .string("oem3.inf"))
        #expect(try guest.value("Catalog", of: package) == .string("viostor.cat"))
        let version = try #require(try guest.value("Version", of: package)?.bytes)
        // As a real package of the class SCSIAdapter has it, with 2021-11-04 and 100.90.104.21500.
        #expect(
            Hex.text(version)
                == "00ff0900000000007be9364d25e3ce11bfc108002be10318" + "00c006e90ed1d701" + "fc5368005a006400"
                + "0000000000000000")
        let ids = database.appending(#"DeviceIds\PCI"#)
        #expect(
            try guest.value("oem3.inf", of: ids.child("VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00"))
                == .binary([1, 0xFF, 0, 0]))
        #expect(try guest.value("oem3.inf", of: ids.child("VEN_1AF4&DEV_1001")) == .binary([2, 0xFF, 0, 0]))
        #expect(
            try guest.value("oem3.inf", of: key(#"DriverDatabase\DeviceIds\{4D36E97B-E325-11CE-BFC1-08002BE10318}"#))
                == RegistryValue.none)
        let descriptor = package.appending(#"Descriptors\PCI\VEN_1AF4&DEV_1001"#)
        #expect(try guest.value("Configuration", of: descriptor) == .string("rhelscsi_inst"))
        #expect(
            try guest.value("Service", of: package.appending(#"Configurations\rhelscsi_inst"#)) == .string("viostor"))
        #expect(
            try guest.value("rhelscsi.devicedesc", of: package.appending("Strings"))
                == .string("Sample VirtIO SCSI controller"))
        #expect(try guest.value("OemInfMap", of: database) == .binary([0b1101_1100]))
    }

    @Test func filesGoWhereWindowsLooksForThem() throws {
        let guest = guest()
        try guest.apply(plan(guest)) { _ in }
        let store: GuestPath = "/Windows/System32/DriverStore/FileRepository"
        let label = try #require(try guest.list(store).first { $0.hasPrefix("viostor.inf_") })
        #expect(try guest.list(store.appending(label)) == ["viostor.cat", "viostor.inf", "viostor.sys"])
        #expect(try guest.text("/Windows/System32/drivers/viostor.sys") == "viostor for 10")
        #expect(try guest.text("/Windows/System32/drivers/vioscsi.sys") == "vioscsi for 10")
        #expect(try guest.text("/Windows/INF/oem3.inf") == SampleINF.viostor)
        #expect(
            try guest.text("/Windows/System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}/oem3.cat") == "signatures")
        #expect(try !guest.exists("/Windows/System32/drivers/netkvm.sys"))
    }

    @Test func otherClassesAreInTheOtherHive() throws {
        let guest = guest()
        try guest.apply(plan(guest)) { _ in }
        let database = RegistryPath(windows.drivers, "DriverDatabase")
        let label = try #require(
            try guest.value("Active", of: database.appending(#"DriverInfFiles\oem5.inf"#))?.text)
        let package = database.appending("DriverPackages").child(label)
        #expect(try guest.value("Provider", of: package) == .string("Sample"))
        #expect(
            try guest.value("SignerName", of: package)
                == .string("Microsoft Windows Hardware Compatibility Publisher"))
        #expect(try guest.subkeys(of: package) == [])
        #expect(try !guest.exists(key(#"DriverDatabase\DriverInfFiles\oem5.inf"#)))
        #expect(try !guest.exists(key(#"ControlSet001\Services\netkvm"#)))
    }

    @Test func aSecondPlanIsEmpty() throws {
        let guest = guest()
        try guest.apply(plan(guest)) { _ in }
        #expect(try plan(guest).items.isEmpty)
    }

    @Test func anOverrideOfTheStartGoes() throws {
        let guest = guest()
        guest.contents.registry.put(key(#"ControlSet002\Services\viostor\StartOverride"#), ["0": .dword(3)])
        guest.contents.registry.put(key(#"ControlSet002\Services\viostor"#), ["Start": .dword(3)])
        try guest.apply(plan(guest)) { _ in }
        #expect(try !guest.exists(key(#"ControlSet002\Services\viostor\StartOverride"#)))
        #expect(try guest.value("Start", of: key(#"ControlSet002\Services\viostor"#)) == .dword(0))
    }

    @Test func whatIsOptionalIsAWarning() throws {
        let plan = try plan(guest())
        #expect(plan.warnings.count == 4)
        #expect(
            plan.warnings.first?.message
                == "'virtio-win.iso' has no usable balloon: no balloon.inf for Windows 10 Pro (amd64): there is none at"
                + " all; Windows goes without it (memory that is given back to the host)")
    }

    @Test func theDiskDriverIsNeeded() throws {
        #expect(try plan(guest(), nil).blockers.count == 1)
        let plan = try plan(guest(), DriverMedia("empty", [:]))
        #expect(plan.blockers.count == 1)
        #expect(plan.items.allSatisfy { $0.change.kind == "registry" })
    }

    @Test func aGuestThatHasItNeedsNone() throws {
        let guest = guest()
        guest.put("/Windows/System32/drivers/viostor.sys", "there")
        for set in windows.controlSets {
            guest.contents.registry.put(key(set + #"\Services\viostor"#), ["Start": .dword(0)])
        }
        // Without an entry for the device, Windows doesn't know that it needs the driver.
        #expect(try plan(guest, nil).blockers.count == 1)
        guest.contents.registry.put(key(#"DriverDatabase\DeviceIds\PCI\VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00"#))
        let plain = try plan(guest, nil)
        #expect(plain.blockers.isEmpty && plain.items.isEmpty)
        // Where the driver is run from its store.
        guest.delete("/Windows/System32/drivers/viostor.sys")
        let path = #"System32\DriverStore\FileRepository\viostor.inf_amd64_1\viostor.sys"#
        guest.put(GuestPath("/Windows/" + path.replacing("\\", with: "/")), "there")
        let service = key(windows.controlSets[0] + #"\Services\viostor"#)
        guest.contents.registry.put(service, ["ImagePath": .expandString(#"\SystemRoot\"# + path)])
        guest.contents.registry.put(service.child("StartOverride"), ["0": .dword(3)])
        let overridden = try plan(guest, nil)
        #expect(overridden.blockers.isEmpty && overridden.items.count == 1)
    }

    @Test func aMediumThatCannotBeReadBlocks() throws {
        struct Broken: Error {}
        let media = DriverMedia(name: "x.iso", paths: ["viostor.inf"]) { _ in throw Broken() }
        #expect(try plan(guest(), media).blockers.count == 1)
    }

    @Test func windows7HasAListOfItsOwn() throws {
        let version = WindowsVersion(
            major: 6, minor: 1, build: 7601, productType: .client, architecture: .amd64, name: "Windows 7")
        let installation = WindowsInstallation.sample(version, .criticalDevices)
        var files = DriverMedia.sampleFiles
        for (path, text) in DriverMedia.sampleFiles where path.contains("w10") {
            files[path.replacing("w10", with: "w7")] = text.replacing("NTamd64.10.0", with: "NTamd64.6.1")
        }
        let guest = guest(.criticalDevices)
        let plan = try plan(guest, DriverMedia("x", files), installation)
        #expect(plan.blockers.isEmpty)
        try guest.apply(plan) { _ in }
        for set in windows.controlSets {
            let database = key(set + #"\Control\CriticalDeviceDatabase"#)
            for id in ["pci#ven_1af4&dev_1001", "pci#ven_1af4&dev_1001&subsys_00021af4&rev_00"] {
                #expect(try guest.value("Service", of: database.child(id)) == .string("viostor"))
                #expect(
                    try guest.value("ClassGUID", of: database.child(id))
                        == .string("{4D36E97B-E325-11CE-BFC1-08002BE10318}"))
            }
            #expect(try guest.value("Owners", of: key(set + #"\Services\viostor"#)) == nil)
        }
        #expect(
            try guest.value("DevicePath", of: RegistryPath(windows.software, #"Microsoft\Windows\CurrentVersion"#))
                == .expandString(#"%SystemRoot%\inf;%SystemRoot%\Drivers\VirtIO"#))
        #expect(try guest.exists("/Windows/Drivers/VirtIO/netkvm.inf"))
        #expect(try !guest.exists(key("DriverDatabase")))
        let again = try self.plan(guest, DriverMedia("x", files), installation)
        #expect(again.items == [])
    }

    @Test func restartsInALoopAreStopped() throws {
        let guest = guest()
        let plan = try plan(guest)
        try guest.apply(plan) { _ in }
        #expect(try guest.value("AutoReboot", of: key(#"ControlSet001\Control\CrashControl"#)) == .dword(0))
        #expect(plan.formerSettings.map(\.kind) == ["auto-reboot", "auto-reboot"])
    }
}
