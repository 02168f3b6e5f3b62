import Guest
import GuestTesting
import Injectors
import Testing

@testable import Converter

struct PipelineTests {
    private let grub = BIOSGrub(bootImage: [UInt8](repeating: 0, count: 512), modules: ["normal.mod": [1]]) { _ in
        [UInt8](repeating: 1, count: 600)
    }

    private static let kernel = Kernel(
        version: "6.1", image: "/boot/vmlinuz-6.1", initramfs: nil, modules: "/usr/lib/modules/6.1")

    private func machine() -> FakeMachine {
        let guest = debian(
            fstab: "/dev/sda1 / ext4 rw 0 1\n",
            [
                "/etc/network/interfaces":
                    "auto eth0\niface eth0 inet static\n    address 10.0.0.5/24\n    gateway 10.0.0.1\n",
                "/sbin/ifup": "", "/sbin/dhclient": "", "/usr/lib/systemd/system/open-vm-tools.service": "[Unit]\n",
                "/usr/lib/modules/6.1/modules.dep": "",
                "/usr/lib/modules/6.1/modules.builtin":
                    "kernel/drivers/virtio/virtio_pci.ko\nkernel/drivers/block/virtio_blk.ko\n"
                    + "kernel/drivers/scsi/virtio_scsi.ko\nkernel/drivers/scsi/sd_mod.ko\n",
            ])
        let machine = FakeMachine([FakeMachine.Volume("/dev/sda1", "ext4", uuid: "root-uuid", guest)])
        try? machine.mount("/dev/sda1", subvolume: nil, at: .root)
        return machine
    }

    private func inspection(_ firmware: Firmware = .bios, architecture: String = "x86_64", kernels: [Kernel] = [kernel])
        -> Inspection
    {
        var boot = [UInt8](repeating: 0, count: 512)
        boot[450] = 0x83
        boot[510] = 0x55
        boot[511] = 0xAA
        let table = MBR(sector: boot).map { PartitionTable.mbr($0) } ?? .none
        return sampleInspection(
            firmware: firmware, architecture: architecture,
            disks: [GuestDisk(index: 0, device: "/dev/sda", size: 8 << 30, table: table, hasBootCode: true)],
            mounts: [Mount(path: "/", device: "/dev/sda1", type: "ext4", free: 4 << 30)], kernels: kernels,
            fileSystems: [FileSystem(device: "/dev/sda1", type: "ext4", uuid: "root-uuid")])
    }

    private func plan(_ guest: Inspection? = nil, _ change: (inout Adaptation) -> Void = { _ in }) throws -> Plan {
        var adaptation = Adaptation()
        change(&adaptation)
        return try Pipeline(adaptation, grub: grub).plan(machine(), guest: guest ?? inspection())
    }

    private func injectors(_ plan: Plan) -> Set<String> { Set(plan.items.map(\.injector)) }

    @Test func theOrderIsFixedAndEveryNameIsKnown() {
        let names = Pipeline.injectors(for: inspection(), Adaptation(), grub: grub).map(\.name)
        var windows = inspection()
        windows.windows = WindowsInstallation(
            version: WindowsVersion(
                major: 10, minor: 0, build: 19045, productType: .client, architecture: .amd64, name: "Windows 10"),
            root: "/Windows", controlSets: ["ControlSet001"], driverScheme: .driverDatabase)
        let ofWindows = Pipeline.injectors(for: windows, Adaptation(), grub: grub).map(\.name)
        #expect(
            ofWindows == [
                "dhcp-network", "vmware-tools", "hypervisor-tools", "guest-agent", "data-disks", "virtio-drivers",
                "bios-boot", "uefi-boot", "first-boot",
            ])
        #expect(names + ofWindows.filter { !names.contains($0) } == Pipeline.names)
        // Addresses that nobody would give to the new cards aren't taken from the old ones.
        var kept = Adaptation()
        kept.network = .keep
        kept.skip = ["first-boot"]
        #expect(!Pipeline.injectors(for: windows, kept, grub: grub).map(\.name).contains("dhcp-network"))
        // The initramfs after whatever changes settings that it has a copy of.
        #expect(names.firstIndex(of: "device-names") ?? 99 < names.firstIndex(of: "virtio-initramfs") ?? 0)
        // Labels after whatever makes files.
        #expect(names.last == "selinux-labels")
    }

    @Test func allAtOnce() throws {
        let plan = try plan()
        #expect(injectors(plan) == ["dhcp-network", "device-names", "vmware-tools"])
        #expect(plan.blockers == [])
        #expect(!plan.formerSettings.isEmpty)
    }

    @Test(arguments: ["dhcp-network", "device-names", "vmware-tools"]) func skip(name: String) throws {
        let plan = try plan { $0.skip = [name] }
        #expect(injectors(plan).count == 2 && !injectors(plan).contains(name))
        #expect(!plan.formerSettings.contains { $0.injector == name })
    }

    @Test func choices() throws {
        let kept = try plan { $0.network = .keep }
        #expect(!kept.items.contains { $0.change.path == "/etc/network/interfaces" })
        #expect(!kept.formerSettings.contains { $0.kind == "static-network" })
        #expect(try !injectors(plan { $0.vmwareTools = .keep }).contains("vmware-tools"))
        #expect(try plan { $0.skip = Set(Pipeline.names) }.isEmpty)
    }

    @Test func theSecondPlanIsEmpty() throws {
        let machine = machine()
        let pipeline = Pipeline(Adaptation(), grub: grub)
        try machine.apply(try pipeline.plan(machine, guest: inspection())) { _ in }
        let second = try pipeline.plan(machine, guest: inspection())
        #expect(second.items == [])
        #expect(second.formerSettings == [])
    }

    @Test func findingsOfTheInspectionComeFirst() throws {
        let finding = Finding(level: .warning, injector: "inspect", message: "m; it stays")
        let plan = try Pipeline(Adaptation(), grub: grub).plan(machine(), guest: inspection(), findings: [finding])
        #expect(plan.findings.first == finding)
    }

    @Test func aUEFIGuestIsMadeToStartByBIOSUnlessItIsToStay() throws {
        #expect(try plan(inspection(.uefi)).blockers.map(\.injector) == ["bios-boot"])
        #expect(try plan(inspection(.uefi)) { $0.skip = ["bios-boot"] }.blockers == [])
        for firmware in [Adaptation.FirmwareChoice.keep, .uefi] {
            let plan = try plan(inspection(.uefi)) { $0.firmware = firmware }
            // There is no boot loader to be found here, and this test's host has no GRUB for UEFI.
            #expect(plan.blockers.map(\.injector) == (firmware == .keep ? [] : ["uefi-boot"]))
            #expect(plan.findings.contains { $0.message.contains("hw_firmware_type=uefi") })
        }
        #expect(try plan(inspection(.both)).findings.contains { $0.message.contains("by both") })
    }

    @Test func targets() {
        var adaptation = Adaptation()
        #expect(adaptation.targetFirmware(for: inspection(.uefi)) == .bios)
        adaptation.firmware = .keep
        #expect(
            [Firmware.bios, .uefi, .both].map { adaptation.targetFirmware(for: inspection($0)) } == [
                .bios, .uefi, .bios,
            ])
        adaptation.firmware = .uefi
        #expect(adaptation.targetFirmware(for: inspection(.both)) == .uefi)
    }

    // MARK: Refusals

    private func refusal(_ guest: Inspection, _ change: (inout Adaptation) -> Void = { _ in }) -> Refusal.Kind? {
        do {
            _ = try plan(guest, change)
            return nil
        } catch { return (error as? Refusal)?.kind }
    }

    @Test func whatCannotBeConverted() {
        #expect(refusal(inspection(architecture: "aarch64")) == .unsupported)
        #expect(refusal(inspection(architecture: "unknown")) == .unsupported)
        #expect(refusal(inspection(architecture: "i686")) == nil)
        #expect(refusal(inspection(kernels: [])) == .unsupported)
        #expect(refusal(inspection(kernels: [])) { $0.skip = ["virtio-initramfs"] } == nil)
        #expect(refusal(inspection(.none)) == .blocked)
        #expect(refusal(inspection(.none)) { $0.firmware = .keep } == nil)
        #expect(refusal(inspection(.bios)) { $0.firmware = .uefi } == nil)
    }

    @Test func anUnreadableFileBlocksAndNamesTheInjector() throws {
        let machine = machine()
        // A loop where fstab should be.
        let guest = debian()
        guest.contents.nodes["/etc/fstab"] = nil
        guest.link("/etc/fstab", to: "fstab")
        machine.volumes[0].trees[nil] = guest
        try machine.unmountAll()
        try machine.mount("/dev/sda1", subvolume: nil, at: .root)
        let plan = try Pipeline(Adaptation(), grub: grub).plan(machine, guest: inspection())
        #expect(
            plan.blockers.contains { $0.injector == "device-names" && $0.hint?.contains("--skip device-names") == true }
        )
    }
}
