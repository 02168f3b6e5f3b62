public import Guest

/// Keeps a hypervisor's tools from starting in a Windows guest: its services and drivers in every control set, the filters
/// that they put before devices, and what they start at logon. Nothing is uninstalled, and every step can be undone.
public struct WindowsTools: Injector {
    public let name: String
    private let tools: [WindowsTool]
    private let uninstalls: Bool

    /// VMware's, as `vmware-tools`.
    /// - Parameter uninstalls: has the guest remove them when it starts.
    public static func vmware(uninstalls: Bool = false) -> WindowsTools {
        WindowsTools(name: "vmware-tools", tools: [.vmware], uninstalls: uninstalls)
    }

    /// Those of all others, as `hypervisor-tools`.
    public static let others = WindowsTools(name: "hypervisor-tools", tools: WindowsTool.others, uninstalls: false)

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil }

    /// Of all hypervisors, as inspection names them: "VMware Tools".
    public static func installed(_ windows: WindowsInstallation, _ registry: any GuestRegistry) throws -> [String] {
        guard let services = windows.inControlSets("Services").first else { return [] }
        let names = try registry.subkeys(of: services) ?? []
        return ([WindowsTool.vmware] + WindowsTool.others).filter { tool in
            names.contains { tool.evidence.contains($0.lowercased()) }
        }
        .map(\.name)
    }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows else { return }
        for tool in tools {
            var disabled: [String] = []
            for services in windows.inControlSets("Services") {
                for name in try disable(tool, in: services, windows, &draft)
                where !disabled.contains(where: { $0.lowercased() == name.lowercased() }) { disabled.append(name) }
            }
            try removeLogonPrograms(tool, windows, &draft)
            if uninstalls { try uninstall(tool, windows, &draft) }
            guard !disabled.isEmpty else { continue }
            draft.note("\(tool.name): \(disabled.sorted().joined(separator: ", ")) won't start; nothing is uninstalled")
        }
    }

    // MARK: Services

    /// - Returns: the services that would have started.
    private func disable(
        _ tool: WindowsTool, in services: RegistryPath, _ windows: WindowsInstallation, _ draft: inout Draft
    ) throws -> [String] {
        var disabled: [String] = []
        let found = try (draft.subkeys(of: services) ?? []).filter(tool.hasService)
        guard !found.isEmpty else { return [] }
        for name in found {
            let key = services.child(name)
            // 4: disabled.
            guard let start = try draft.value("Start", of: key)?.number, start != 4 else { continue }
            draft.record("enabled-service", of: name, in: windows.system.file, [services.description: ["\(start)"]])
            try draft.set("Start", .dword(4), of: key)
            disabled.append(name)
        }
        let control = services.parent.child("Control")
        try releaseDevices(of: found, in: services.parent, &draft)
        for order in ["Order", "HwOrder"] {
            let key = control.appending("NetworkProvider\\" + order)
            guard let old = try draft.value("ProviderOrder", of: key), let text = old.text else { continue }
            let kept = text.split(separator: ",", omittingEmptySubsequences: false).filter { provider in
                !tool.hasService(provider.trimmed)
            }
            let new = RegistryValue(type: old.type, bytes: RegistryValue.string(kept.joined(separator: ",")).bytes)
            if new.text != text { try draft.set("ProviderOrder", new, of: key) }
        }
        let clock = services.child("W32Time").appending(#"TimeProviders\vmwTimeProvider"#)
        if tool.name == WindowsTool.vmware.name, let enabled = try draft.value("Enabled", of: clock)?.number,
            enabled != 0
        {
            try draft.set("Enabled", .dword(0), of: clock)
        }
        return disabled
    }

    /// Takes the drivers out of the filters of device classes, and of mice: a device with a filter that can't start doesn't
    /// start either.
    private func releaseDevices(of services: [String], in set: RegistryPath, _ draft: inout Draft) throws {
        let classes = set.appending(#"Control\Class"#)
        for name in Self.filteredClasses { try releaseDevice(classes.child(name), services, &draft) }
        let devices = set.appending(#"Enum\ACPI"#)
        for name in try draft.subkeys(of: devices) ?? []
        where ["PNP0F", "VMW"].contains(where: { name.uppercased().hasPrefix($0) }) {
            let device = devices.child(name)
            for instance in try draft.subkeys(of: device) ?? [] {
                try releaseDevice(device.child(instance), services, &draft)
            }
        }
    }

    /// Of mice, keyboards, input devices, disk controllers of both kinds, system devices, disks, volumes, network cards, USB,
    /// CD drives and storage volumes: those that hypervisors' tools filter.
    private static let filteredClasses = [
        "{4d36e96f-e325-11ce-bfc1-08002be10318}", "{4d36e96b-e325-11ce-bfc1-08002be10318}",
        "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}", "{4d36e96a-e325-11ce-bfc1-08002be10318}",
        "{4d36e97b-e325-11ce-bfc1-08002be10318}", "{4d36e97d-e325-11ce-bfc1-08002be10318}",
        "{4d36e967-e325-11ce-bfc1-08002be10318}", "{71a27cdd-812a-11d0-bec7-08002be2092f}",
        "{4d36e972-e325-11ce-bfc1-08002be10318}", "{36fc9e60-c465-11cf-8056-444553540000}",
        "{4d36e965-e325-11ce-bfc1-08002be10318}", "{4d36e968-e325-11ce-bfc1-08002be10318}",
    ]

    private func releaseDevice(_ key: RegistryPath, _ services: [String], _ draft: inout Draft) throws {
        for name in ["UpperFilters", "LowerFilters"] {
            guard let old = try draft.value(name, of: key)?.list else { continue }
            let kept = old.filter { filter in !services.contains { $0.lowercased() == filter.lowercased() } }
            guard kept != old else { continue }
            if kept.isEmpty {
                try draft.removeValue(name, of: key)
            } else {
                try draft.set(name, .multiString(kept), of: key)
            }
        }
    }

    // MARK: Programs

    private static let views = ["Microsoft", #"WOW6432Node\Microsoft"#]

    private func removeLogonPrograms(
        _ tool: WindowsTool, _ windows: WindowsInstallation, _ draft: inout Draft
    ) throws {
        for view in Self.views {
            let run = RegistryPath(windows.software, view + #"\Windows\CurrentVersion\Run"#)
            for value in try draft.values(of: run) ?? []
            where tool.logonPrograms.contains(where: { value.name.lowercased() == $0.lowercased() }) {
                draft.record(
                    "logon-program", of: value.name, in: windows.software.file,
                    [run.description: [value.value.description]])
                try draft.removeValue(value.name, of: run)
            }
        }
    }

    private func uninstall(_ tool: WindowsTool, _ windows: WindowsInstallation, _ draft: inout Draft) throws {
        for view in Self.views {
            let programs = RegistryPath(windows.software, view + #"\Windows\CurrentVersion\Uninstall"#)
            for key in try draft.subkeys(of: programs) ?? [] {
                guard let product = GUID(validating: key),
                    try draft.value("DisplayName", of: programs.child(key))?.text == tool.name
                else { continue }
                draft.note(
                    "\(tool.name) is uninstalled by its own program, which may refuse to away from its hypervisor; it stays"
                        + " disabled then")
                draft.atFirstBoot(
                    FirstBootStep(
                        "uninstall-tools", purpose: "uninstalls \(tool.name)",
                        commands: MSI.commands("/x{\(product.description.uppercased())}")))
                return
            }
        }
    }
}
