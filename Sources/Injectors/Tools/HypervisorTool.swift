public import Guest

/// What a hypervisor puts into its guests, told by names: services, modules, mounts.
public struct HypervisorTool: Sendable {
    /// As inspection names it.
    let name: String
    /// Files that only an installed tool has; a name that ends in "*" is a prefix.
    let evidence: [GuestPath]
    var services: Set<String> = []
    var units: Set<String> = []
    /// Autostart entries of the desktop.
    var desktopEntries: [GuestPath] = []
    /// Kernel modules that fail to load elsewhere, with underscores; a name that ends in "*" is a prefix.
    var modules: [String] = []
    /// fstab's types for folders that the host shares.
    var sharedTypes: Set<String> = []
    /// Who shared them: "the VirtualBox host".
    var host = ""

    /// Those of hypervisors other than VMware, which ``VMwareTools`` knows.
    static let others: [HypervisorTool] = [virtualBox, hyperV, xen, parallels, nutanix]

    static let virtualBox = HypervisorTool(
        name: "VirtualBox Guest Additions",
        evidence: [
            "/usr/sbin/VBoxService", "/usr/bin/VBoxService", "/usr/bin/VBoxControl", "/opt/VBoxGuestAdditions-*",
            "/var/lib/VBoxGuestAdditions/config",
        ],
        services: [
            "vboxadd", "vboxadd-service", "vboxadd-x11", "vboxadd-timesync", "vboxvfs", "vboxservice",
            "virtualbox-guest-utils", "virtualbox-guest-additions", "virtualbox-guest-x11", "vboxclient",
        ],
        desktopEntries: ["/etc/xdg/autostart/vboxclient.desktop", "/etc/xdg/autostart/virtualbox-guest-x11.desktop"],
        // vboxvideo binds to the adapter's PCI identity: it loads, and does nothing, without one.
        modules: ["vboxguest", "vboxsf", "vboxadd", "vboxvfs"], sharedTypes: ["vboxsf"], host: "the VirtualBox host")

    static let hyperV = HypervisorTool(
        name: "Hyper-V daemons",
        evidence: [
            "/usr/sbin/hypervkvpd", "/usr/sbin/hv_kvp_daemon", "/usr/sbin/hv_vss_daemon", "/usr/sbin/hv_fcopy_daemon",
            "/usr/lib/systemd/system/hypervkvpd.service", "/usr/lib/systemd/system/hv-kvp-daemon.service",
            "/lib/systemd/system/hv-kvp-daemon.service", "/usr/lib/systemd/system/hv_kvp_daemon.service",
            "/lib/systemd/system/hyperv-daemons.hv-kvp-daemon.service",
            "/usr/lib/systemd/system/hyperv-daemons.hv-kvp-daemon.service",
        ],
        services: [
            // RHEL; Ubuntu; SUSE; Debian.
            "hypervkvpd", "hypervvssd", "hypervfcopyd", "hypervfcopyuiod", "hv-kvp-daemon", "hv-vss-daemon",
            "hv-fcopy-daemon", "hv-fcopy-uio-daemon", "hv_kvp_daemon", "hv_vss_daemon", "hv_fcopy_daemon",
            "hv_fcopy_uio_daemon", "hyperv-daemons", "hyperv-daemons.hv-kvp-daemon", "hyperv-daemons.hv-vss-daemon",
            "hyperv-daemons.hv-fcopy-daemon",
        ],
        modules: ["hv_*", "hyperv_*", "hid_hyperv", "pci_hyperv", "uio_hv_generic"])

    static let xen = HypervisorTool(
        name: "Xen guest agent",
        evidence: [
            "/usr/sbin/xe-daemon", "/usr/sbin/xe-linux-distribution", "/usr/bin/xe-daemon", "/usr/sbin/xen-guest-agent",
            "/usr/bin/xen-guest-agent",
        ],
        services: [
            "xe-linux-distribution", "xe-daemon", "xe-guest-utilities", "xen-guest-agent", "xenserver-guest-agent",
        ],
        units: ["proc-xen.mount", "var-lib-xenstored.mount"],
        modules: ["xen_*", "xenfs", "xennet", "xenblk"], sharedTypes: ["xenfs"], host: "the Xen host")

    static let parallels = HypervisorTool(
        name: "Parallels Tools",
        evidence: ["/usr/bin/prltoolsd", "/usr/lib/parallels-tools/version", "/usr/bin/prlcc"],
        services: ["prltoolsd", "prl-x11", "prltools", "prltools_updater", "parallels-tools"],
        desktopEntries: ["/etc/xdg/autostart/prlcc.desktop", "/etc/xdg/autostart/ptiagent.desktop"],
        modules: ["prl_*"], sharedTypes: ["prl_fs", "fuse.prl_fsd", "prl_fsd"], host: "the Parallels host")

    static let nutanix = HypervisorTool(
        name: "Nutanix Guest Tools",
        evidence: ["/usr/local/nutanix/ngt/python/bin/python*", "/usr/local/nutanix/ngt/ngt_guest_agent*"],
        services: ["ngt_guest_agent", "ngt_self_service_restore"])

    func isInstalled(in files: some GuestFiles) throws -> Bool {
        try evidence.contains { path in
            guard path.name.hasSuffix("*") else { return try files.exists(path) }
            return try files.list(path.parent).contains { $0.hasPrefix(path.name.dropLast()) }
        }
    }

    func isModule(_ name: String) -> Bool {
        let plain = name.replacing("-", with: "_")
        return modules.contains { $0.hasSuffix("*") ? plain.hasPrefix($0.dropLast()) : plain == $0 }
    }

    /// The tools that are installed, VMware's first: "open-vm-tools", "VirtualBox Guest Additions".
    public static func installed(_ files: any GuestFiles) throws -> [String] {
        try VMwareTools.installed(files) + others.filter { try $0.isInstalled(in: files) }.map(\.name)
    }
}
