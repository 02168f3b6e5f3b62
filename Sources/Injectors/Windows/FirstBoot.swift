public import Guest

/// Has a Windows guest run, when it starts for the first time, what the others left to it.
///
/// A service starts the script, which Windows would run again at each start; so the first thing that it does is to disable
/// the service, and to leave a file that stops it in any case. A service that fails keeps no Windows from starting, which a
/// program in `Setup\CmdLine` would.
public struct FirstBoot: Injector {
    public let name = "first-boot"

    public init() {}

    public func applies(to guest: Inspection) -> Bool { guest.windows != nil }

    static let service = "rehost-firstboot"
    static let folder = "rehost"

    public func inject(into draft: inout Draft, guest: Inspection) throws {
        guard let windows = guest.windows, !draft.firstBootSteps.isEmpty else { return }
        let steps = draft.firstBootSteps.sorted { Self.rank($0) < Self.rank($1) }
        let folder = windows.root.appending(Self.folder)
        try draft.write(folder.appending("firstboot.cmd"), Self.lines(Self.script(steps)))
        for step in steps {
            try draft.write(folder.appending("\(step.name).cmd"), Self.lines(["@echo off"] + step.commands))
            for (name, bytes) in step.files { try draft.write(folder.appending(name), bytes) }
        }
        // A run of before, whose result doesn't count any more.
        try draft.remove(folder.appending("firstboot.done"))
        for services in windows.inControlSets("Services") {
            let key = services.child(Self.service)
            try draft.set("Type", .dword(0x10), of: key)
            try draft.set("Start", .dword(2), of: key)
            // 0: a failure is passed over.
            try draft.set("ErrorControl", .dword(0), of: key)
            // The service's own process ends at once; what it started goes on without Windows waiting for it.
            let shell = #"%SystemRoot%\System32\cmd.exe"#
            let script = #"%SystemRoot%\"# + Self.folder + #"\firstboot.cmd"#
            try draft.set("ImagePath", .expandString("\(shell) /c start \"\" /b \(shell) /c \(script)"), of: key)
            try draft.set("ObjectName", .string("LocalSystem"), of: key)
            try draft.set("DisplayName", .string("First start after the conversion"), of: key)
        }
        let purposes = steps.map(\.purpose).joined(separator: "; ")
        draft.note(
            "at its first start, the guest \(purposes)",
            hint: "what came of it is in '\(windows.root.appending(Self.folder).appending("firstboot.log"))'")
    }

    /// A card's driver comes before its addresses, the channel's before the agent; what may hang comes last.
    private static func rank(_ step: FirstBootStep) -> Int {
        ["drivers", "network", "guest-agent", "stop-screens", "uninstall-tools"].firstIndex(of: step.name) ?? 99
    }

    /// Each step in a shell of its own, so that one that fails or ends early keeps no other from its turn.
    private static func script(_ steps: [FirstBootStep]) -> [String] {
        [
            "@echo off",
            "rem What this machine does once, when it starts for the first time after its conversion.",
            "cd /d \"%~dp0\"",
            "reg.exe add HKLM\\SYSTEM\\CurrentControlSet\\Services\\\(service) /v Start /t REG_DWORD /d 4 /f >nul 2>&1",
            "if exist firstboot.done exit /b 0",
            ">firstboot.done echo %DATE% %TIME%",
            // A disk that can't be written to: better never than at each start.
            "if not exist firstboot.done exit /b 1",
            ">firstboot.log echo %DATE% %TIME% begins",
            // Windows is still starting its own services.
            "ping.exe -n 31 127.0.0.1 >nul",
        ]
            + steps.flatMap { step in
                [
                    ">>firstboot.log echo %DATE% %TIME% \(step.name) begins",
                    "cmd.exe /c \(step.name).cmd >>firstboot.log 2>&1",
                    ">>firstboot.log echo %DATE% %TIME% \(step.name) ends: %ERRORLEVEL%",
                ]
            }
            + [
                "sc.exe delete \(service) >nul 2>&1",
                ">>firstboot.log echo %DATE% %TIME% done",
                "exit /b 0",
            ]
    }

    private static func lines(_ lines: [String]) -> [UInt8] {
        Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }
}
