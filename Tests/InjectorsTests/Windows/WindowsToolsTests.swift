import Guest
import GuestTesting
import Testing

@testable import Injectors

struct WindowsToolsTests {
    private func sample() -> WindowsGuest {
        let sample = WindowsGuest(controlSets: ["ControlSet001", "ControlSet002"])
        for set in sample.windows.controlSets {
            for (name, start) in [
                ("VMTools", 2), ("vmci", 0), ("vmmouse", 3), ("pvscsi", 0), ("vmxnet3ndis6", 3), ("disk", 0),
            ] {
                sample.registry.put(sample.key("\(set)\\Services\\\(name)"), ["Start": .dword(UInt32(start))])
            }
        }
        return sample
    }

    @Test func everyControlSetHasThemDisabled() throws {
        let sample = sample()
        sample.registry.put(sample.control(#"Services\vmhgfs"#))
        let (plan, second) = try sample.apply(WindowsTools.vmware(), WindowsTools.others)
        #expect(second.isEmpty)
        for set in sample.windows.controlSets {
            for name in ["VMTools", "vmci", "vmmouse"] {
                #expect(try sample.guest.value("Start", of: sample.key("\(set)\\Services\\\(name)")) == .dword(4))
            }
            for (name, start) in [("pvscsi", 0), ("vmxnet3ndis6", 3), ("disk", 0)] {
                #expect(
                    try sample.guest.value("Start", of: sample.key("\(set)\\Services\\\(name)"))
                        == .dword(UInt32(start)))
            }
        }
        // A key without a Start is somebody's leftover.
        #expect(try sample.guest.values(of: sample.control(#"Services\vmhgfs"#)) == [])
        #expect(plan.formerSettings.filter { $0.kind == "enabled-service" }.count == 6)
        #expect(try WindowsTools.installed(sample.windows, sample.guest) == ["VMware Tools"])
    }

    @Test func noDeviceWaitsForAFilterThatDoesNotStart() throws {
        let sample = sample()
        let mice = sample.control(#"Control\Class\{4d36e96f-e325-11ce-bfc1-08002be10318}"#)
        let mouse = sample.control(#"Enum\ACPI\PNP0F13\4&1&0"#)
        sample.registry.put(mice, ["UpperFilters": .multiString(["mouclass", "VMMouse"])])
        sample.registry.put(mouse, ["UpperFilters": .multiString(["VMMouse"])])
        _ = try sample.apply(WindowsTools.vmware())
        #expect(try sample.guest.value("UpperFilters", of: mice) == .multiString(["mouclass"]))
        #expect(try sample.guest.values(of: mouse) == [])
    }

    @Test func xenFiltersLeaveTheClassesOfDisks() throws {
        let sample = WindowsGuest()
        sample.registry.put(sample.control(#"Services\XENFILT"#), ["Start": .dword(0)])
        sample.registry.put(sample.control(#"Services\XENBUS"#), ["Start": .dword(0)])
        let controllers = sample.control(#"Control\Class\{4d36e96a-e325-11ce-bfc1-08002be10318}"#)
        sample.registry.put(controllers, ["UpperFilters": .multiString(["XENFILT"])])
        _ = try sample.apply(WindowsTools.others)
        #expect(try sample.guest.values(of: controllers) == [])
        #expect(try sample.guest.value("Start", of: sample.control(#"Services\XENFILT"#)) == .dword(4))
    }

    @Test func sharedFoldersAndLogonProgramsGo() throws {
        let sample = sample()
        let order = sample.control(#"Control\NetworkProvider\Order"#)
        sample.registry.put(order, ["ProviderOrder": .string("RDPNP,vmhgfs,LanmanWorkstation")])
        let run = sample.software(#"Microsoft\Windows\CurrentVersion\Run"#)
        sample.registry.put(run, ["VMware User Process": .string("vmtoolsd.exe"), "Other": .string("other.exe")])
        let (plan, _) = try sample.apply(WindowsTools.vmware())
        #expect(try sample.guest.value("ProviderOrder", of: order) == .string("RDPNP,LanmanWorkstation"))
        #expect(try sample.guest.values(of: run)?.map(\.name) == ["Other"])
        #expect(plan.formerSettings.contains { $0.kind == "logon-program" && $0.subject == "VMware User Process" })
    }

    @Test func uninstallingIsLeftToTheFirstStart() throws {
        let sample = sample()
        let products = sample.software(#"Microsoft\Windows\CurrentVersion\Uninstall"#)
        let id = "{0A1B2C3D-0000-4000-8000-000000000001}"
        sample.registry.put(products.child(id), ["DisplayName": .string("VMware Tools")])
        sample.registry.put(products.child("VMware Tools & calc"), ["DisplayName": .string("VMware Tools")])
        let (plan, second) = try sample.apply(WindowsTools.vmware(uninstalls: true), FirstBoot())
        #expect(second.isEmpty && !plan.isEmpty)
        let script = try #require(try sample.guest.text("/Windows/rehost/uninstall-tools.cmd"))
        #expect(script.contains("msiexec.exe /x{0A1B2C3D-0000-4000-8000-000000000001} /quiet /norestart"))
        #expect(!script.contains("calc"))
    }
}
