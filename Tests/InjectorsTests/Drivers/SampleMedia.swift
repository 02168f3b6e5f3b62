import Guest

@testable import Injectors

extension DriverMedia {
    /// A medium that is a dictionary of texts.
    init(_ name: String, _ files: [String: String]) {
        self.init(name: name, paths: files.keys.sorted()) { paths in
            Dictionary(uniqueKeysWithValues: paths.map { ($0, Array((files[$0] ?? "").utf8)) })
        }
    }

    /// virtio-win's ISO as far as Windows 10 goes, and a server's viostor.
    static let sampleISO = DriverMedia("virtio-win.iso", sampleFiles)

    static let sampleFiles: [String: String] = [
        "viostor/w10/amd64/viostor.inf": SampleINF.viostor, "viostor/w10/amd64/viostor.sys": "viostor for 10",
        "viostor/w10/amd64/viostor.cat": "signatures", "viostor/w10/amd64/viostor.pdb": "symbols",
        "viostor/2k19/amd64/viostor.inf": SampleINF.viostor, "viostor/2k19/amd64/viostor.sys": "viostor for 2019",
        "viostor/2k19/amd64/viostor.cat": "signatures", "viostor/w10/x86/viostor.inf": SampleINF.viostor,
        "vioscsi/w10/amd64/vioscsi.inf": SampleINF.vioscsi, "vioscsi/w10/amd64/vioscsi.sys": "vioscsi for 10",
        "vioscsi/w10/amd64/vioscsi.cat": "signatures", "NetKVM/w10/amd64/netkvm.inf": SampleINF.netkvm,
        "NetKVM/w10/amd64/netkvm.sys": "netkvm for 10", "NetKVM/w10/amd64/NETKVMCO.EXE": "a program",
        "NetKVM/w10/amd64/netkvm.cat": "signatures by Microsoft Windows Hardware Compatibility Publisher",
    ]
}

extension SampleINF {
    static let vioscsi = viostor.replacing("viostor", with: "vioscsi").replacing("1001", with: "1004")
        .replacing("1042", with: "1048").replacing("00021AF4", with: "00081AF4")
        .replacing("BusType\", %REG_DWORD%, 0x00000001", with: "BusType\", %REG_DWORD%, 0x0000000A")
}

extension WindowsInstallation {
    static func sample(_ version: WindowsVersion, _ scheme: DriverScheme = .driverDatabase) -> Self {
        WindowsInstallation(
            version: version, root: "/Windows", controlSets: ["ControlSet001", "ControlSet002"], driverScheme: scheme)
    }
}

extension Inspection {
    static func windows(_ installation: WindowsInstallation) -> Inspection {
        var guest = Inspection(
            osRelease: OSRelease(id: "windows"), architecture: "x86_64", hostName: nil, firmware: .uefi, disks: [],
            fileSystems: [], mounts: [], kernels: [], bootLoader: .unknown, networkFormats: [], tools: [])
        guest.windows = installation
        return guest
    }
}
