internal import Converter
internal import Host
internal import Injectors

/// GRUB as this host has it; only what is asked for needs to be installed.
struct HostGrub: Sendable {
    var bios: BIOSGrub
    /// nil where it isn't asked for.
    var uefi: UEFIGrub?

    /// - Throws: ``Host/Command/Failure`` where what the adaptation needs isn't installed.
    init(for adaptation: Adaptation) throws {
        bios =
            adaptation.firmware == .bios && !adaptation.skip.contains("bios-boot")
            ? try BIOSGrub(GrubPlatform(.bios)) : BIOSGrub(bootImage: [], modules: [:]) { _ in [] }
        if adaptation.firmware == .uefi, !adaptation.skip.contains("uefi-boot") {
            uefi = try UEFIGrub(GrubPlatform(.uefi))
        }
    }
}

extension BIOSGrub {
    fileprivate init(_ platform: GrubPlatform) throws {
        self.init(bootImage: try platform.bootImage(), modules: try platform.modules()) { core in
            try platform.image(
                modules: core.modules, prefix: core.prefix, earlyConfiguration: core.earlyConfiguration)
        }
    }
}

extension UEFIGrub {
    fileprivate init(_ platform: GrubPlatform) throws {
        self.init(modules: try platform.modules()) { modules, prefix in
            try platform.image(modules: modules, prefix: prefix)
        }
    }
}
