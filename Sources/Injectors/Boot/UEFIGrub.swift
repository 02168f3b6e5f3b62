/// GRUB for UEFI as this host has it: its modules, and a way to make a program of it.
public struct UEFIGrub: Sendable {
    /// The files of the x86_64-efi folder by name: "normal.mod", "command.lst".
    public var modules: [String: [UInt8]]
    /// Builds a program for the `x86_64-efi` format, which reads "grub.cfg" in `prefix` on the partition that it was
    /// started from.
    public var makeProgram: @Sendable (_ modules: [String], _ prefix: String) throws -> [UInt8]

    public init(
        modules: [String: [UInt8]],
        makeProgram: @escaping @Sendable (_ modules: [String], _ prefix: String) throws -> [UInt8]
    ) {
        self.modules = modules
        self.makeProgram = makeProgram
    }

    /// What the program reads first, in its own folder.
    static let folder = "/EFI/BOOT"
    /// In the program itself: what it takes to read its own configuration and the one that that leads to.
    static let ownModules = ["fat", "normal", "configfile"]

    /// The modules as they are laid beside the guest's menu. linux16 starts a kernel by BIOS calls, which aren't there
    /// under UEFI; without it, ``configuration(for:)`` can define a command of that name.
    var usableModules: [String: [UInt8]] {
        var modules = modules
        modules["linux16.mod"] = nil
        if let commands = modules["command.lst"] {
            // "linux16: linux16", "*extcmd: module".
            let lines = commands.split(separator: 0x0A, omittingEmptySubsequences: false)
                .filter { !Array($0).suffix(9).elementsEqual(Array(": linux16".utf8)) }
            modules["command.lst"] = Array(lines.joined(separator: [0x0A]))
        }
        return modules
    }

    /// The program's own configuration: finds the guest's menu, and makes one that was written under BIOS right.
    static func configuration(for place: GrubMenu.Location) -> String {
        """
        # Written by rehost. Starts this system by UEFI with the menu that its own tools keep up to date.
        \(place.earlyConfiguration)
        # Menus that were made under BIOS by Red Hat's tools name these commands.
        function linux16 { linux "$@"; }
        function initrd16 { initrd "$@"; }
        configfile $prefix/grub.cfg

        """
    }
}
