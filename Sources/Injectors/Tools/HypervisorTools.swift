public import Guest

/// Keeps the tools of hypervisors other than VMware from starting: VirtualBox, Hyper-V, Xen, Parallels, Nutanix. As with
/// VMware's, nothing is uninstalled and every step can be undone; modules that would fail to load aren't loaded any more.
public struct HypervisorTools: Injector {
    public let name = "hypervisor-tools"

    public init() {}

    /// Every Linux guest: whether there is something to do is told by its files.
    public func applies(to guest: Inspection) -> Bool { true }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        for tool in HypervisorTool.others {
            try Services(names: tool.services, units: tool.units).disable(in: &draft)
            for entry in tool.desktopEntries { try Autostart.hide(entry, &draft) }
            guard !tool.sharedTypes.isEmpty else { continue }
            try SharedFolders.commentOut(of: tool.host, in: &draft) { line in
                line.text(2).map { tool.sharedTypes.contains($0) } ?? false
            }
        }
        let all = HypervisorTool.others
        // VMware's two modules that want its hypervisor; its drivers for hardware load everywhere.
        let vmware: Set = ["vmw_balloon", "vmhgfs", "vmblock", "vmmemctl", "vmware_balloon"]
        try ForcedModules.drop(
            { module in
                vmware.contains(module.replacing("-", with: "_")) || all.contains { $0.isModule(module) }
            }, in: &draft)
        try noteAgents(&draft)
    }

    /// Agents of clouds serve a cloud that the guest may well go on living in, or go back to.
    private func noteAgents(_ draft: inout Draft) throws {
        let agents: [(name: String, paths: [GuestPath])] = [
            ("Azure's agent (waagent)", ["/usr/sbin/waagent", "/usr/bin/waagent"]),
            (
                "Amazon's SSM agent",
                ["/usr/bin/amazon-ssm-agent", "/snap/bin/amazon-ssm-agent.amazon-ssm-agent"]
            ),
            ("Google's guest agent", ["/usr/bin/google_guest_agent"]),
        ]
        for agent in agents where try agent.paths.contains(where: { try draft.exists($0) }) {
            draft.note("\(agent.name) is installed; it stays as it is and looks for its cloud at each start")
        }
    }
}
