internal import Foundation

/// OVMF, where this host's packages have it.
struct UEFIFirmware {
    var code: String
    /// The variables as they are delivered: no boot entries.
    var variables: String

    struct Missing: Error, CustomStringConvertible {
        var description: String {
            "could not find UEFI firmware for QEMU (OVMF) on this host\nhint: apt install ovmf, or dnf install edk2-ovmf"
        }
    }

    /// Debian and Ubuntu, Fedora and RHEL, SUSE, Arch.
    private static let places = [
        ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
        ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
        ("/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"),
        ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
    ]

    init(code: String, variables: String) {
        self.code = code
        self.variables = variables
    }

    /// - Throws: ``Missing``.
    init() throws {
        let manager = FileManager.default
        guard
            let found = Self.places.first(where: {
                manager.fileExists(atPath: $0.0) && manager.fileExists(atPath: $0.1)
            })
        else { throw Missing() }
        (code, variables) = found
    }

    /// The variables of one boot, with the machine's boot entry.
    func writeVariables(of machine: Machine, to path: String) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: variables)))
        if let entry = machine.bootEntry { bytes = try UEFIVariables(store: bytes).adding(loader: entry).bytes }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
