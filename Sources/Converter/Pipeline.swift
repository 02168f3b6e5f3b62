public import Guest
public import Injectors

/// The order of the injectors, and the plan that they make together.
public struct Pipeline: Sendable {
    private let adaptation: Adaptation
    private let grub: BIOSGrub
    private let uefiGrub: UEFIGrub?

    /// - Parameter uefiGrub: nil where none is installed, which only a guest that needs it is told.
    public init(_ adaptation: Adaptation, grub: BIOSGrub, uefiGrub: UEFIGrub? = nil) {
        self.adaptation = adaptation
        self.grub = grub
        self.uefiGrub = uefiGrub
    }

    /// Every injector there is, in their order; ``isWanted(_:)`` leaves out what the user didn't ask for.
    public static func injectors(
        for guest: Inspection, _ adaptation: Adaptation, grub: BIOSGrub, uefiGrub: UEFIGrub? = nil
    ) -> [any Injector] {
        guest.windows == nil
            ? linux(guest, adaptation, grub: grub, uefiGrub: uefiGrub) : windows(guest, adaptation, grub: grub)
    }

    /// Static addresses are to be kept, and nothing would give them to the new cards.
    private static func losesAddresses(_ adaptation: Adaptation) -> Bool {
        adaptation.network == .keep && adaptation.skip.contains("first-boot")
    }

    private static func windows(_ guest: Inspection, _ adaptation: Adaptation, grub: BIOSGrub) -> [any Injector] {
        let network = WindowsNetwork(adaptation.network == .dhcp ? .dhcp : .keep, matches: adaptation.cards)
        let rest: [any Injector] = [
            WindowsTools.vmware(uninstalls: adaptation.vmwareTools == .uninstall), WindowsTools.others,
            WindowsGuestAgent(package: adaptation.guestAgent), DataDisks(),
            VirtioDrivers(media: adaptation.driverMedia, diskDriver: adaptation.diskBus.windowsDriver),
            WindowsBIOSBoot(grub: grub), WindowsUEFIBoot(firmware: adaptation.targetFirmware(for: guest)),
            // After whatever leaves something to the first start.
            FirstBoot(),
        ]
        return losesAddresses(adaptation) ? rest : [network] + rest
    }

    private static func linux(
        _ guest: Inspection, _ adaptation: Adaptation, grub: BIOSGrub, uefiGrub: UEFIGrub?
    ) -> [any Injector] {
        [
            DHCPNetwork(adaptation.network == .dhcp ? .dhcp : .keep, matches: adaptation.cards),
            DeviceNames(
                diskPrefix: adaptation.diskBus == .virtioBlk ? "vd" : "sd",
                firmware: adaptation.targetFirmware(for: guest)),
            VMwareTools(),
            HypervisorTools(),
            GuestAgent(package: adaptation.guestAgent),
            // After whatever changes settings that an initramfs has a copy of.
            VirtioInitramfs(method: adaptation.initramfs),
            BIOSBoot(grub: grub),
            UEFIBoot(
                firmware: adaptation.targetFirmware(for: guest),
                extent: adaptation.firmware == .uefi ? .bootLoader : .fallbackPath, grub: uefiGrub),
            // After everything that makes files.
            SELinuxLabels(),
        ]
    }

    /// The names that `--skip` takes.
    public static let names = [
        "dhcp-network", "device-names", "vmware-tools", "hypervisor-tools", "guest-agent", "virtio-initramfs",
        "bios-boot", "uefi-boot", "selinux-labels", "data-disks", "virtio-drivers", "first-boot",
    ]

    /// - Throws: ``Refusal`` for a guest that no plan can be made for.
    public func plan(_ machine: any GuestMachine, guest: Inspection, findings: [Finding] = []) throws -> Plan {
        try refuse(guest)
        var draft = Draft(over: machine, disks: machine, registry: machine)
        for injector in Self.injectors(for: guest, adaptation, grub: grub, uefiGrub: uefiGrub)
        where isWanted(injector.name) && injector.applies(to: guest) {
            draft.injector = injector.name
            do {
                try injector.inject(into: &draft, guest: guest)
            } catch let error as GuestPathError {
                draft.block(
                    error.description, hint: "mend it in the source, or leave this out with --skip \(injector.name)")
            } catch let error as RegistryError {
                draft.block(
                    error.description,
                    hint: error.hint ?? "start the source once, shut it down cleanly, and capture it again")
            }
        }
        draft.injector = "plan"
        noteFirmware(of: guest, in: &draft)
        if let windows = guest.windows { try judge(windows, guest, in: &draft) }
        var plan = try draft.plan()
        plan.findings = findings + plan.findings
        if !plan.isEmpty { plan.findings += Space.findings(for: plan, guest: guest) }
        return plan
    }

    private func isWanted(_ name: String) -> Bool {
        if adaptation.skip.contains(name) { return false }
        return switch name {
        case "vmware-tools", "hypervisor-tools": adaptation.vmwareTools != .keep
        case "bios-boot": adaptation.firmware == .bios
        default: true
        }
    }

    private func refuse(_ guest: Inspection) throws {
        guard guest.architecture == "x86_64" || guest.architecture == "i686" else {
            throw Refusal(
                .unsupported, "the guest is built for '\(guest.architecture)'",
                hint: "only x86 guests are supported")
        }
        guard guest.windows != nil || !guest.kernels.isEmpty || adaptation.skip.contains("virtio-initramfs") else {
            throw Refusal(
                .unsupported,
                "no kernel with modules was found in '/boot' and '/lib/modules' of \(guest.osRelease.prettyName)",
                hint: "give all disks of the guest with --disk; a container image without a kernel can't be converted")
        }
        if adaptation.firmware == .bios, guest.firmware == .none {
            throw Refusal(
                .blocked, "no disk has boot code or an EFI system partition",
                hint: "give the guest's boot disk with --disk, or use --firmware keep")
        }
    }

    /// What holds for every Windows, whatever is asked for.
    private func judge(_ windows: WindowsInstallation, _ guest: Inspection, in draft: inout Draft) throws {
        for hive in [windows.system, windows.software, windows.drivers] {
            guard let count = try draft.recoveredTransactions(of: hive) else { continue }
            draft.note(
                "the registry hive \(hive.name) wasn't closed cleanly: \(count) transactions of its logs are read, and"
                    + " written with the first change to it")
        }
        if Self.losesAddresses(adaptation) {
            draft.warn(
                "with first-boot left out, nobody gives the new cards the static addresses; they stay recorded on the old"
                    + " cards, and the new ones ask a DHCP server")
        }
        if let hint = try Hibernation.find(in: draft) {
            draft.block("the Windows isn't shut down: \(hint.message)", hint: hint.wayOut)
        }
        if adaptation.firmware == .uefi, guest.firmware == .bios {
            draft.block("a Windows that starts by BIOS can't be made to start by UEFI", hint: "use --firmware keep")
        }
        if !draft.firstBootSteps.isEmpty, adaptation.skip.contains("first-boot") {
            let purposes = draft.firstBootSteps.map(\.purpose).joined(separator: "; ")
            draft.warn("with first-boot left out, nobody does this: the guest \(purposes)")
        }
    }

    private func noteFirmware(of guest: Inspection, in draft: inout Draft) {
        switch (adaptation.firmware, guest.firmware) {
        case (.bios, .both):
            draft.note("the guest has boot code for BIOS and an EFI system partition: it can be started by both")
        case (.keep, .uefi), (.uefi, _):
            draft.note(
                "the result starts by UEFI: the cloud's image needs that property (OpenStack: hw_firmware_type=uefi)")
        default: break
        }
    }
}
