/// What a hypervisor puts into its Windows guests, told by the names of services; all in lower case.
struct WindowsTool: Sendable {
    /// As inspection names it, and Windows among its programs.
    let name: String
    /// Services that only an installed tool has.
    let evidence: Set<String>
    /// Services and drivers that are of no use elsewhere.
    let services: Set<String>
    /// Beginnings of the names of more.
    var prefixes: [String] = []
    /// Values of the key `Run`.
    var logonPrograms: [String] = []

    func hasService(_ name: String) -> Bool {
        let name = name.lowercased()
        return services.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    /// Without pvscsi and vmxnet3: they drive devices that KVM can present, too.
    static let vmware = WindowsTool(
        name: "VMware Tools", evidence: ["vmtools", "vmci", "vmmemctl"],
        services: [
            "vmtools", "vgauthservice", "vm3dservice", "vmvss", "vmmemctl", "vmrawdsk", "vmci", "vsock", "vmhgfs",
            "vmmouse", "vmusbmouse", "vmupgradehelper", "vmware physical disk helper service", "vmwefifw",
            "vmwarecafcommamqplistener", "vmwarecafmanagementagenthost",
            // Of NSX, which talk to their host by vmci.
            "vsepflt", "vnetflt", "vnetwfp", "gisvc",
        ],
        prefixes: ["vm3dmp"],
        logonPrograms: ["VMware User Process", "VMware VM3DService Process", "VMware Tools"])

    /// Hyper-V's services are part of Windows, and stay idle elsewhere.
    static let others = [
        WindowsTool(
            name: "VirtualBox Guest Additions", evidence: ["vboxguest", "vboxservice"],
            services: ["vboxguest", "vboxsf", "vboxservice", "vboxmouse", "vboxwddm"], prefixes: ["vboxvideo"],
            logonPrograms: ["VBoxTray"]),
        WindowsTool(
            name: "Xen PV drivers", evidence: ["xenbus", "xensvc", "xenagent", "xeniface"],
            services: [
                "xenbus", "xenfilt", "xenvbd", "xendisk", "xencrsh", "xenvif", "xennet", "xeniface", "xenhid",
                "xenvkbd",
                "xensvc", "xenagent", "xenguestagent", "xenlite", "xeninstall", "rhelfltr", "xenpci",
            ],
            prefixes: ["xenbus_monitor"]),
        WindowsTool(
            name: "Parallels Tools", evidence: ["prl_tg", "parallels tools service"],
            services: ["parallels tools service", "parallels coherence service"], prefixes: ["prl_"],
            logonPrograms: ["Parallels Control Center", "Parallels Tools Center"]),
        WindowsTool(
            name: "Nutanix Guest Tools", evidence: ["nutanix guest agent", "nutanix guest tools agent"],
            services: [
                "nutanix guest agent", "nutanix guest tools agent", "nutanix self service restore gateway",
            ]),
    ]
}
