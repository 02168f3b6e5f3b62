public import Guest

/// Installs the QEMU guest agent from its MSI, when a Windows guest without it starts for the first time.
public struct WindowsGuestAgent: Injector {
    public let name = "guest-agent"
    private let package: AgentPackage?

    public init(package: AgentPackage?) { self.package = package }

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil }

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows, let package else { return }
        guard package.format == .msi else {
            draft.warn(
                "the guest agent's package is in the format \(package.format.rawValue), which Windows doesn't use; all"
                    + " else is converted", hint: "give the MSI of the agent: virtio-win has it in 'guest-agent'")
            return
        }
        guard package.architecture == "i686" || guest.architecture == "x86_64" else {
            draft.warn(
                "the guest agent's package is built for 64 bits, and the guest has 32; all else is converted",
                hint: "give qemu-ga-i386.msi")
            return
        }
        if let services = windows.inControlSets("Services").first, try draft.exists(services.child("QEMU-GA")) {
            draft.note("the QEMU guest agent is installed already; the package given isn't needed")
            return
        }
        draft.atFirstBoot(
            FirstBootStep(
                "guest-agent", purpose: "installs the QEMU guest agent",
                commands: MSI.commands("/i \"%~dp0qemu-ga.msi\""), files: ["qemu-ga.msi": package.bytes]))
    }
}

/// Windows' installer, run from a script.
enum MSI {
    /// - Parameter what: the option and its package: `/x{…}`.
    static func commands(_ what: String) -> [String] {
        [
            "start \"\" /wait msiexec.exe \(what) /quiet /norestart REBOOT=ReallySuppress",
            // Done, but for a restart that it was told not to make.
            "if %ERRORLEVEL%==3010 exit /b 0", "if %ERRORLEVEL%==1641 exit /b 0", "exit /b %ERRORLEVEL%",
        ]
    }
}
