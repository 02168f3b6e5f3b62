public import Guest

/// Keeps VMware's guest tools from starting: open-vm-tools and the tools that VMware's own installer made. Nothing is
/// uninstalled, and every step can be undone.
///
/// The kernel's modules (vmw_balloon, vmw_vmci, vmw_pvscsi, vmxnet3) stay: they do nothing without their hardware.
public struct VMwareTools: Injector {
    public let name = "vmware-tools"

    public init() {}

    /// Every Linux guest: whether there is something to do is told by its files.
    public func applies(to guest: Inspection) -> Bool { true }

    /// The services' names. vmtoolsd and vgauthd are RHEL's and SUSE's names, open-vm-tools and vgauth Debian's.
    private static let services: Set = [
        "open-vm-tools", "vmtoolsd", "vmtoolsd-init", "vgauth", "vgauthd", "vmblock-fuse", "vmware-vmblock-fuse",
        "vmware-tools", "vmware-tools-services", "vmware-tools-thinprint",
    ]
    /// The mount point of drag and drop, in systemd's escaping.
    private static let mounts: Set = ["run-vmblock\\x2dfuse.mount", "proc-fs-vmblock-mountPoint.mount"]

    /// The common agent framework's services, whose names have changed: "vmware-CAFManagementAgentHost". Others that
    /// begin with "vmware-" may be VMware Workstation's, which runs guests of its own.
    private static func isAgent(_ name: String) -> Bool { name.lowercased().hasPrefix("vmware-caf") }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        try Services(names: Self.services, units: Self.mounts, isAlso: { Self.isAgent($0) }).disable(in: &draft)
        for file: GuestPath in ["/etc/xdg/autostart/vmware-user.desktop", "/etc/xdg/autostart/vmware-toolbox.desktop"] {
            try Autostart.hide(file, &draft)
        }
        // Folders of the VMware host, and the tools' own file systems.
        let types = ["vmhgfs", "vmhgfs-fuse", "fuse.vmhgfs-fuse", "vmblock", "fuse.vmware-vmblock"]
        try SharedFolders.commentOut(of: "the VMware host", in: &draft) { line in
            let type = line.text(2) ?? ""
            return types.contains(type) || type == "fuse" && line.text(0)?.hasPrefix("vmhgfs-fuse") == true
        }
        try noteDataSources(&draft)
    }

    /// cloud-init asks only the data sources that it is told: with VMware's alone it finds nothing in another cloud.
    private func noteDataSources(_ draft: inout Draft) throws {
        let parts = try draft.files(in: "/etc/cloud/cloud.cfg.d", suffix: ".cfg")
        for path in parts.reversed() + ["/etc/cloud/cloud.cfg"] {
            guard let bytes = try draft.editableBytes(path), let sources = Self.dataSources(ByteLines(bytes)) else {
                continue
            }
            // The last file that has the list decides.
            guard !sources.isEmpty, sources.allSatisfy({ ["VMware", "VMwareGuestInfo", "OVF", "None"].contains($0) })
            else { return }
            draft.note(
                "cloud-init asks VMware's data sources only ('\(path)'): it finds nothing in another cloud",
                hint: "add the cloud's data source to datasource_list")
            return
        }
    }

    /// The value of `datasource_list`, in either of YAML's forms; nil where the file has none.
    private static func dataSources(_ file: ByteLines) -> [String]? {
        for index in file.lines.indices where file.lines[index].starts(with: "datasource_list:".utf8) {
            func words(_ text: Substring) -> [String] {
                let value = text.firstIndex(of: "#").map { text[..<$0] } ?? text
                return value.split { " \t\r,[]\"'".contains($0) }.map(String.init)
            }
            let own = words(file.text(index).dropFirst("datasource_list:".count))
            guard own.isEmpty else { return own }
            let items = file.lines[(index + 1)...].prefix(100).map { String(decoding: $0, as: UTF8.self) }
            return items.map { $0.drop { $0 == " " } }.prefix { $0.hasPrefix("-") }.flatMap { words($0.dropFirst()) }
        }
        return nil
    }

    /// The tools that are installed: "open-vm-tools", "vmware-tools tarball", "vmware-tools packages".
    public static func installed(_ files: any GuestFiles) throws -> [String] {
        func hasAny(_ paths: [GuestPath]) throws -> Bool { try paths.contains { try files.exists($0) } }
        var found: [String] = []
        // An init script or /etc/vmware-tools alone are left behind by a package that was removed.
        if try hasAny([
            "/usr/bin/vmtoolsd", "/usr/lib/systemd/system/open-vm-tools.service",
            "/lib/systemd/system/open-vm-tools.service",
            "/usr/lib/systemd/system/vmtoolsd.service",
        ]) {
            found.append("open-vm-tools")
        }
        if try hasAny(["/usr/bin/vmware-uninstall-tools.pl", "/etc/vmware-tools/locations"]) {
            found.append("vmware-tools tarball")
        }
        if try hasAny(["/etc/init.d/vmware-tools-services", "/etc/init/vmware-tools-services.conf"]) {
            found.append("vmware-tools packages")
        }
        return found
    }
}
